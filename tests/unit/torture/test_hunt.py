"""What a hunt draws, and in which order it plays: pure functions of seed, number and twin."""

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.contracts.injection import Fault, Kind, Plan
from dlqlab.torture.bench import Bench
from dlqlab.torture.draws import Draw, draw, order, pool_of
from dlqlab.torture.harms import Harm
from dlqlab.torture.hunt import hunt, severity
from dlqlab.torture.judged import Outcome
from dlqlab.torture.matrix import BASELINE, Matrix, Row, matrix
from dlqlab.torture.result import Answer
from tests.support import pipelines
from tests.unit.torture.test_matrix import CALLS, PIPELINE

MATRIX = matrix(PIPELINE, CALLS)
POOL = pool_of(MATRIX)
ALWAYS = Fault(kind=Kind.ERROR, function=pipelines.FUNCTION, rate=0.5)


def play(*faults: Fault, number: int = 1) -> Draw:
    return Draw(Row(f"play-{number}", "", faults), number, 1.0)


@given(number=st.integers(1, 500), seed=st.integers(0, 1_000))
def test_draw_is_a_plan_and_depends_on_seed_and_number_alone(number: int, seed: int) -> None:
    """One to three faults of the pipeline, which a plan takes."""
    found = draw(POOL, number, seed=seed, rate_per_s=10)

    assert found == draw(POOL, number, seed=seed, rate_per_s=10)
    assert 1 <= len(Plan(faults=found.row.faults, seed=found.seed).faults) <= 3
    assert {fault.name for fault in found.row.faults} <= {fault.name for fault in POOL}
    assert found.rate_per_s in {5, 10, 20, 50}


def test_draws_reach_every_fault_of_the_matrix() -> None:
    """In some hundred plays."""
    drawn = {fault.name for number in range(300) for fault in draw(POOL, number, seed=1, rate_per_s=1).row.faults}

    assert {fault.name for fault in POOL} == drawn


def test_pool_has_each_fault_once() -> None:
    """Also where a pair of the matrix has it again."""
    twice = Matrix((Row("a", "", (ALWAYS,)), Row("b", "", (ALWAYS, replace(ALWAYS, name="other")))))

    assert ["error", "other"] == [fault.name for fault in pool_of(twice)]


def test_worst_that_is_foreseen_comes_first_and_what_is_not_foreseen_in_between() -> None:
    """So that neither keeps the other from being played."""
    draws = [play(number=number) for number in range(1, 6)]
    ordered = order(draws, [0.1, None, 0.9, None, None])

    assert ["play-3", "play-2", "play-1", "play-4", "play-5"] == [one.row.name for one in ordered]


def test_chances_of_one_function_add_up() -> None:
    """Only those that are there at every receive; the twin does not know the others."""
    faults = (ALWAYS, replace(ALWAYS, name="second", kind=Kind.KILL), replace(ALWAYS, name="third", receives=(1,)))

    assert {pipelines.FUNCTION: pytest.approx(0.75)} == play(*faults).failing()
    assert {} == play(Fault(kind=Kind.LATE)).failing()


def test_twin_foresees_dead_letters_and_says_nothing_of_what_it_does_not_know() -> None:
    """More of them where more fails."""
    twin: Any = SimpleNamespace(pipeline=pipelines.pipeline(pipelines.even(40)))
    mild, hard = (severity(twin, play(replace(ALWAYS, rate=rate))) for rate in (0.1, 0.9))

    assert mild is not None
    assert hard is not None
    assert 0 < mild < hard
    assert severity(twin, play(Fault(kind=Kind.DUPLICATE))) is None
    assert severity(None, play(ALWAYS)) is None
    assert severity(twin, play(replace(ALWAYS, function="unknown"))) is None


class FakeBench:
    """Stands for the emulator: what each play would say; the baseline is sound."""

    topology, targets, tasks, naming = PIPELINE, CALLS, 10, frozenset[str]()
    folder = None

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = list(outcomes)
        load = SimpleNamespace(rate_per_s=1.0)
        self.project: Any = SimpleNamespace(seed=1, load=load)

    def run(self, row: Row, *, seed: int, baseline: Answer | None = None) -> Answer:  # noqa: ARG002  (its signature)
        outcome = Outcome.SURVIVED if row.name == BASELINE else self._outcomes.pop(0)
        harms = (Harm("lost", "lost", ("m",)),) if outcome is Outcome.BROKEN else ()
        return Answer(name=row.name, what="", outcome=outcome, faults=row.faults, seed=seed, harms=harms)


@pytest.fixture
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace and the twin are of a real project."""
    monkeypatch.setattr("dlqlab.torture.hunt.at_pace", lambda *_: nullcontext())
    monkeypatch.setattr("dlqlab.torture.hunt._twin", lambda *_: (None, "no record"))


@pytest.mark.usefixtures("unpaced")
def test_hunt_ends_with_what_breaks() -> None:
    """The plays before it are told of."""
    told: list[str] = []
    bench: Any = FakeBench(Outcome.DEGRADED, Outcome.SURVIVED, Outcome.BROKEN, Outcome.SURVIVED)
    found = hunt(bench, budget_s=60, on_play=lambda answer: told.append(str(answer.outcome)))

    assert ["survived", "degraded", "survived", "broken"] == told
    assert found.caught is found.answers[-1]
    assert found.no_twin == "no record"


@pytest.mark.usefixtures("unpaced")
def test_hunt_ends_with_its_time() -> None:
    """No play is begun that would end after it."""
    bench: Any = FakeBench()
    found = hunt(bench, budget_s=-1, on_play=lambda _answer: None)

    assert found.caught is None
    assert [BASELINE] == [answer.name for answer in found.answers]


def test_bench_takes_what_the_stand_in_takes() -> None:
    """A stand-in that knows less than the real one would prove nothing."""
    assert {"row", "seed", "baseline"} <= set(Bench.run.__annotations__)
