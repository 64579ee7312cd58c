"""The order of a matrix: baseline first, each row told as it ends, a run that breaks is a row that is not known."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from dlqlab.contracts.injection import Fault, Kind
from dlqlab.contracts.project import Project
from dlqlab.contracts.topology import Consumer, Function, Queue, Topology
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import LoadError, UsageError
from dlqlab.torture.bench import Bench
from dlqlab.torture.harms import Harm
from dlqlab.torture.judged import Outcome
from dlqlab.torture.matrix import BASELINE, Row
from dlqlab.torture.result import Answer, Result
from dlqlab.torture.run_matrix import SHRINK_BUDGET_S, Choice, cannot_shrink, run_matrix, shrink_row
from dlqlab.torture.shrink import Case

TOPOLOGY = Topology(
    name="orders",
    queues=(Queue(role="tasks", name="tasks"),),
    functions=(Function(role="processor", name="processor", timeout_s=3),),
    consumers=(Consumer(queue="tasks", function="processor"),),
)
EMULATOR = Emulator(port=1, pid=1, created_ts=1.0, state="", patches=())


class Played(Bench):
    """A bench on which nothing runs: ``answers`` says what a row answers."""

    answers: Callable[[Row], Answer]
    seeds: list[int]
    bodies_seeds: list[int | None]

    def run(self, row: Row, *, seed: int, baseline: Answer | None = None, bodies_seed: int | None = None) -> Answer:
        del baseline
        self.bodies_seeds.append(bodies_seed)
        self.topology = TOPOLOGY
        self.seeds.append(seed)
        return self.answers(row)


def bench(answers: Callable[[Row], Answer]) -> Played:
    made = Played(project=Project(name="orders", seed=5), root=Path(), folder=Path(), emulator=EMULATOR, tasks=60)
    made.answers, made.seeds, made.bodies_seeds = answers, [], []
    return made


def survived(row: Row) -> Answer:
    return Answer(name=row.name, what=row.what, outcome=Outcome.SURVIVED, faults=row.faults)


def test_the_baseline_comes_first_and_every_row_has_a_seed_of_its_own() -> None:
    played, told = bench(survived), list[Result]()

    found = run_matrix(played, Choice(only=("error", "kill", "late")), command=("dlqlab",), on_row=told.append)

    assert [one.name for one in found.answers] == [BASELINE, "error", "kill", "late"]
    assert [len(one.answers) for one in told] == [1, 2, 3, 4]
    assert played.seeds == [5, 6, 7, 8]


def test_a_run_that_breaks_leaves_its_row_unknown_and_the_others_are_run() -> None:
    def answers(row: Row) -> Answer:
        if row.name == "kill":
            raise LoadError("locust sent nothing\nits log")
        return survived(row)

    found = run_matrix(bench(answers), Choice(only=("kill", "late")), command=(), on_row=lambda _: None)

    assert [(one.name, one.outcome) for one in found.answers[1:]] == [
        ("kill", Outcome.UNKNOWN),
        ("late", Outcome.SURVIVED),
    ]
    assert found.answers[1].reason == "the run broke: locust sent nothing"


def test_what_was_run_before_an_interruption_is_told() -> None:
    def answers(row: Row) -> Answer:
        if row.name == "late":
            raise KeyboardInterrupt
        return survived(row)

    told = list[Result]()

    with pytest.raises(KeyboardInterrupt):
        run_matrix(bench(answers), Choice(only=("kill", "late")), command=(), on_row=told.append)

    assert [one.name for one in told[-1].answers] == [BASELINE, "kill"]


def test_a_row_of_ones_own_has_the_seed_that_is_asked_for() -> None:
    played = bench(survived)

    run_matrix(played, Choice(own=Row("mine", "", (Fault(kind=Kind.KILL),))), command=(), on_row=lambda _: None)

    assert played.seeds == [6, 5]


def test_a_row_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no such row"):
        run_matrix(bench(survived), Choice(only=("nothing",)), command=(), on_row=lambda _: None)


def test_a_broken_row_is_made_small_by_runs_with_seeds_of_their_own() -> None:
    def answers(row: Row) -> Answer:
        struck = {key for fault in row.faults for key in fault.keys}
        harms = (Harm("effect_twice", "Twice.", tuple(struck)),) if len(struck) > 1 else ()
        return Answer(name=row.name, what="", outcome=Outcome.BROKEN, faults=row.faults, harms=harms)

    broken = Answer(
        name="kill",
        what="",
        outcome=Outcome.BROKEN,
        faults=(Fault(kind=Kind.KILL),),
        seed=5,
        tasks=60,
        struck={"kill": ("t-5-00000003", "t-5-00000009", "t-5-00000011")},
        harms=(Harm("effect_twice", "Twice.", ("m1", "m2")),),
        tasks_of={"m1": "t-5-00000003", "m2": "t-5-00000009"},
    )
    played, tried = bench(answers), list[tuple[Case, bool]]()

    found = shrink_row(
        played, broken, survived(Row(BASELINE, "")), seed=100, on_try=lambda case, shown: tried.append((case, shown))
    )

    assert found is not None
    assert found.case == Case((3, 9), ((3, 0), (9, 0)))
    assert (Case((3,), ((3, 0),)), False) in tried
    assert len(set(played.seeds)) == len(played.seeds)
    assert set(played.bodies_seeds) == {5}
    assert all(key.startswith("t-1") for fault in found.answer.faults for key in fault.keys)
    assert found.row.tasks == (3, 9)
    assert [fault.keys for fault in found.row.faults] == [("t-5-00000003", "t-5-00000009")]


def test_no_case_is_tried_when_the_time_is_over() -> None:
    answer = degraded("at_once")
    tried = list[tuple[Case, bool]]()

    found = shrink_row(
        bench(survived),
        answer,
        survived(Row(BASELINE, "")),
        seed=100,
        on_try=lambda case, shown: tried.append((case, shown)),
        clock=count(step=SHRINK_BUDGET_S / 2).__next__,
    )

    assert found is None

    assert 0 < len(tried) <= 2


def degraded(name: str) -> Answer:
    harm = Harm(name, "", ("m1",), is_break=False)
    return Answer(
        name="slow",
        what="",
        outcome=Outcome.DEGRADED,
        faults=(Fault(kind=Kind.STALL),),
        tasks=60,
        harms=(harm,),
        struck={"stall": ("t-5-00000003",)},
    )


def test_a_cost_is_made_small_where_the_pipeline_makes_it_and_not_the_fault() -> None:
    assert cannot_shrink(degraded("at_once")) == ""
    assert cannot_shrink(degraded("taken_along"))
    assert cannot_shrink(replace(degraded("at_once"), also_without=("at_once",)))
