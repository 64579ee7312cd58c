"""Each task of a simulation meets the fate that the oracle predicts for it."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from dlqlab import paths
from dlqlab.analysis.oracle import expectation, predict
from dlqlab.contracts.scenario import Scenario, load_scenario
from dlqlab.errors import UsageError
from dlqlab.load.tasks import script, task_id
from dlqlab.twin import arrivals
from dlqlab.twin.contract import Redrive, Simulation
from dlqlab.twin.engine import layout
from dlqlab.twin.engine.layout import Status as Code
from dlqlab.twin.parameters import AWS, LOCALSTACK, STOCK, Parameters
from dlqlab.twin.simulate import simulate
from tests.support.twin import scenario

pytestmark = pytest.mark.timeout(900)  # the first simulation of a checkout compiles the engine
SCENARIOS = sorted(paths.SCENARIOS.glob("*.toml"))


def observed(result: Simulation) -> list[tuple[int, int]]:
    """Attempts and status of each task."""
    return list(zip(result.tasks["attempts"].tolist(), result.tasks["status"].tolist(), strict=True))


def predicted(result: Simulation, chosen: Scenario, warm_up_s: float) -> list[tuple[int, int]]:
    """The same by the oracle, which needs to know when attempts began where the dependency has an outage."""
    started = result.log[result.log["event"] == layout.Event.STARTED]
    clock = {
        (task_id(chosen.seed, int(row["task"])), 1, int(row["attempt"])): float(row["t"]) + warm_up_s for row in started
    }
    plan, policy = chosen.faults, chosen.retry
    found: list[tuple[int, int]] = []
    for task in range(len(result.tasks)):
        message = script(chosen.seed, task, chosen.load.scripted_rate)
        times = clock if chosen.faults.outage_duration_s else {}
        fate = predict(plan, policy, task_id(chosen.seed, task), message=message, clock=times)
        found.append((len(fate.attempts), Code.COMPLETED if fate.terminal == "completed" else Code.FAILED))
    return found


@pytest.mark.parametrize("target", [LOCALSTACK, STOCK, AWS], ids=lambda one: one.name)
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_fates_are_those_of_the_oracle(path: Path, target: Parameters) -> None:
    """In every scenario of the checkout, on every target, task by task."""
    chosen = load_scenario(path)

    result = simulate(chosen, parameters=target, sample=10**6)

    assert predicted(result, chosen, target.warm_up_s) == observed(result)
    assert not np.any(result.tasks["effects"] > 1)


def test_compiled_draws_of_long_and_foreign_ids() -> None:
    """Ids of every length up to the API's 128 characters, over the block borders of SHA-256."""
    names = tuple("x" * (n - 1) + "é"[: n > 1] * 1 for n in range(1, 128))
    chosen = scenario(faults={"failure_rate": 0.5})
    trace = arrivals.trace(np.arange(len(names), dtype=np.float64), task_ids=names)

    result = simulate(chosen, arrivals=trace)

    policy, plan = chosen.retry, chosen.faults
    fates = [predict(plan, policy, name) for name in names]
    assert [len(fate.attempts) for fate in fates] == result.tasks["attempts"].tolist()


def test_retries_are_geometric() -> None:
    """Share of tasks that need attempt n is r^(n-1), and the DLQ's r^m, within 5 standard errors of 200,000 tasks."""
    tasks, rate = 200_000, 0.3
    chosen = scenario(faults={"failure_rate": rate}, retry={"max_retries": 4, "base_s": 1.0})

    result = simulate(chosen, arrivals=arrivals.poisson(200.0, tasks))

    made = result.tasks["attempts"]
    for n in range(1, 6):
        share = rate ** (n - 1)
        assert abs(float((made >= n).mean()) - share) <= 5 * (share * (1 - share) / tasks) ** 0.5
    dead = expectation(chosen.faults, chosen.retry).dlq_share
    assert abs(result.totals.dead_lettered / tasks - dead) <= 5 * (dead / tasks) ** 0.5


def test_quick_draws_have_the_same_distribution() -> None:
    """Other tasks fail, as many of them: attempts and dead letters within 5 standard errors of the closed forms."""
    tasks = 200_000
    chosen = scenario(faults={"failure_rate": 0.3}, retry={"jitter": "full"})

    exact, quick = (
        simulate(chosen, arrivals=arrivals.constant(150.0, tasks), exact_fates=exact) for exact in (True, False)
    )

    expected = expectation(chosen.faults, chosen.retry)
    assert not np.array_equal(exact.tasks["attempts"], quick.tasks["attempts"])
    assert abs(quick.totals.dead_lettered / tasks - expected.dlq_share) <= 5 * (expected.dlq_share / tasks) ** 0.5
    assert abs(quick.totals.attempts / tasks - expected.attempts_per_task) <= 5 * (0.5 / tasks) ** 0.5
    with pytest.raises(UsageError, match="sample without exact_fates"):
        simulate(chosen, exact_fates=False, sample=10)


def test_fates_do_not_depend_on_the_timings_or_the_sample() -> None:
    """Other durations, another target, more events kept: the same attempts and ends."""
    chosen = scenario(faults={"failure_rate": 0.4})
    runs = [
        simulate(chosen, parameters=target, seed=seed, sample=sample)
        for target, (seed, sample) in itertools.product((LOCALSTACK, AWS), ((0, 0), (1, 0), (0, 50)))
    ]

    assert [observed(runs[0])] * len(runs) == [observed(run) for run in runs]
    np.testing.assert_array_equal(runs[0].tasks["updated"], runs[2].tasks["updated"])


def test_redrive_gives_each_dead_letter_another_generation() -> None:
    """Exactly the dead-lettered tasks, and their new fates are those of generation 2."""
    chosen = scenario(faults={"failure_rate": 0.5}, retry={"max_retries": 1})
    before = simulate(chosen)

    after = simulate(chosen, redrive=Redrive(after_s=5.0, rate_per_s=50.0))

    dead = before.tasks["status"] == Code.FAILED
    fates = [predict(chosen.faults, chosen.retry, task_id(1, int(k)), generation=2) for k in np.flatnonzero(dead)]
    assert np.array_equal(dead, after.tasks["generation"] == 2)
    assert [len(fate.attempts) for fate in fates] == after.tasks["attempts"][dead].tolist()
    assert sum(fate.terminal != "completed" for fate in fates) == after.totals.dead_lettered


def test_redrive_of_no_dead_letters_changes_nothing() -> None:
    """Where no task has failed there is nothing to send again."""
    chosen = scenario(faults={"failure_rate": 0.0})

    result = simulate(chosen, redrive=Redrive())

    assert (result.totals.tasks, 0) == (result.totals.completed, result.totals.open)
    np.testing.assert_array_equal(result.tasks["generation"], 1)
