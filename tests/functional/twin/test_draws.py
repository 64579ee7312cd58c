"""Compiled draws and what is foretold from them are the app's own, to the last bit."""

import itertools
from typing import Any

import numba
import numpy as np
import pytest

from dlqlab.load.tasks import task_id
from dlqlab.twin import simulate as simulation
from dlqlab.twin.arrivals import constant
from dlqlab.twin.contract import Redrive, Simulation
from dlqlab.twin.engine import ahead, draws, layout
from dlqlab.twin.engine.rows import rows_of
from dlqlab.twin.parameters import LOCALSTACK
from dlqlab.twin.state import prepare, with_plans
from taskrules.draws import uniform
from taskrules.faults import DRAWN
from tests.support.twin import scenario

pytestmark = pytest.mark.timeout(900)  # the first simulation of a checkout compiles the engine
RNG = np.random.default_rng(1)
RATES = {
    "failure_rate": 0.4, "permanent_rate": 0.05, "timeout_rate": 0.1, "crash_before_rate": 0.1,
    "crash_after_rate": 0.05, "slow_rate": 0.3, "slow_s": 1.0,
}  # fmt: skip


@numba.njit(error_model="numpy")  # type: ignore[untyped-decorator]
def one_draw(text: Any, words: Any, ids: Any, about: tuple[int, int, int, int], task: int) -> float:
    seed, purpose, generation, attempt = about
    scratch = rows_of(text), rows_of(words)
    return draws.draw(scratch[0], scratch[1], rows_of(ids), seed, purpose, generation, attempt, task, seed)


@pytest.mark.parametrize("digits", range(1, 20))
def test_draws_side_by_side_are_the_apps(digits: int) -> None:
    """For seeds of every length, so for keys of one and of two blocks of SHA-256, with the number across their border;
    for any number of tasks, which need not fill the lanes, up to the last number there is.
    """
    seed = min(10**digits - 1, 2**63 - 1)
    for (purpose, name), n in itertools.product(enumerate(draws.PURPOSES), (1, 7, 8, 65)):
        tasks = RNG.integers(10**8, size=n, dtype=np.int32)
        tasks[-1] = RNG.choice([0, 9_999, 10_000, 99_999_999])
        generation, attempt = int(RNG.integers(1, 30)), int(RNG.integers(1000))

        found = draws.draws(seed, purpose, tasks, generation, attempt)

        assert [uniform(seed, name, task_id(seed, int(k)), generation, attempt) for k in tasks] == found.tolist()


def test_draws_of_foreign_ids_are_the_apps() -> None:
    """Ids of every length up to the API's 128 characters, over the block borders of SHA-256."""
    names = ["".join(RNG.choice(list("abcxyz-019"), size=n)) for n in range(1, 129)]
    ids = np.array([list(name.encode().ljust(129, b"\0")) for name in names], dtype=np.uint8)
    text, words = draws.scratch()
    for seed, attempt in ((0, 1), (2**63 - 1, 999)):
        found = [one_draw(text, words, ids, (seed, draws.JITTER, 3, attempt), k) for k in range(len(names))]

        assert [uniform(seed, "jitter", name, 3, attempt) for name in names] == found


@pytest.mark.parametrize("mode", ["per_attempt", "per_task", "none"])
@pytest.mark.parametrize("jitter", ["none", "equal", "full"])
def test_plans_are_the_apps_decisions(mode: str, jitter: str) -> None:
    """Fault, slowness and backoff of each attempt that is foretold, and no attempt is left out that a task comes to."""
    chosen = scenario(faults={"mode": mode, **RATES}, retry={"max_retries": 11, "jitter": jitter, "base_s": 3.0})
    tasks = 5000  # more than a chunk
    state = with_plans(prepare(chosen, LOCALSTACK, constant(100.0, tasks), seed=0, sample=0).state)

    plan, policy = chosen.faults, chosen.retry
    retried = {layout.FAULTS.index(fault) for fault in DRAWN if fault.is_retried}
    for task in range(0, tasks, 7):
        name = task_id(chosen.seed, task)
        for attempt in range(1, ahead.DEPTH + 1):
            slot = 0 if mode == "per_task" else attempt - 1
            code = int(state.plans[task]) >> (ahead.BITS * slot) & ahead.UNKNOWN
            decision = plan.decide(name, attempt)
            fault = code & ~ahead.IS_SLOW
            assert (decision.fault, bool(decision.slow_s)) == (layout.FAULTS[fault], bool(code & ahead.IS_SLOW))
            if jitter != "none" and fault == layout.TRANSIENT and attempt < ahead.DEPTH:
                assert policy.delay_s(name, attempt) == state.waits[task, attempt - 1]
            if fault not in retried:
                break


@pytest.mark.parametrize(
    "faults",
    [{}, RATES, {"mode": "per_task", **RATES}, {"outage_start_s": 2.0, "outage_duration_s": 9.0, **RATES}],
    ids=["plain", "all", "sticky", "outage"],
)
def test_foretold_or_drawn_on_the_way_is_the_same(faults: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every task, to the last bit: with more attempts than are foretold, an outage, a generation after a redrive."""
    chosen = scenario(
        load={"tasks": 300},
        faults={**faults, "duplicate_rate": 0.1},
        retry={"max_retries": 10, "jitter": "full", "base_s": 1.0},
        breaker={"enabled": bool(faults)},
    )

    def play() -> Simulation:
        return simulation.simulate(chosen, arrivals=constant(50.0, 300), redrive=Redrive())

    foretold = play()
    monkeypatch.setattr(simulation, "with_plans", lambda state: state)

    assert foretold.tasks.tobytes() == play().tasks.tobytes()
