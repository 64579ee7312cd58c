"""The gate of a comparison and the plan of a run."""

import pytest

from dlqlab.analysis.compare import Effect
from dlqlab.analysis.gate import changed_settings, describe, gate
from dlqlab.analysis.plan import plan
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.scenario import Load, Scenario
from dlqlab.contracts.verdict import Status
from taskrules.faults import FaultMode, FaultPlan
from taskrules.retry import RetryPolicy


def effect(difference: float | None, interval: tuple[float, float] | None) -> Effect:
    """The DLQ share of two runs of 200 tasks; the first run's is 2.5 %."""
    return Effect(
        name="dlq_share",
        title="tasks in the dead-letter queue",
        unit="ratio",
        first=0.025,
        second=None if difference is None else 0.025 + difference,
        difference=difference,
        interval=interval,
        confidence=0.95,
        n_first=200,
        n_second=200,
        method="Newcombe",
    )


@pytest.mark.parametrize(
    ("difference", "interval", "status", "said"),
    [
        (0.01, (0.00, 0.02), Status.VALID, "limit +2 pp: within"),
        (-0.01, (-0.03, 0.01), Status.VALID, "limit +2 pp: within"),
        (0.065, (0.021, 0.112), Status.INVALID, "limit +2 pp: worse"),
        (0.01, (-0.01, 0.03), Status.UNKNOWN, "not enough data, about 4 times as much would tell"),
        (0.03, (0.01, 0.05), Status.UNKNOWN, "not enough data, about 4 times as much would tell"),
        (0.02, (0.01, 0.05), Status.UNKNOWN, "not enough data, the difference is at the limit"),
        (None, None, Status.UNKNOWN, "not measured in the second run; limit +2 pp: not judged"),
    ],
)
def test_whole_interval_decides(
    difference: float | None, interval: tuple[float, float] | None, status: Status, said: str
) -> None:
    """Within needs the upper end below the limit, worse the lower end above it; between them is unknown."""
    (check,) = gate([effect(difference, interval)], {"dlq_share": 0.02}, first="a", second="b").checks

    assert status is check.status
    assert check.statement.endswith(said)


def test_difference_is_stated_with_its_interval() -> None:
    """Values of both runs, difference in points, interval, level, n."""
    expected = "2.5 % → 9 %, +6.5 pp [+2.1, +11.2] (95 %, n = 200 and 200)"

    assert expected == describe(effect(0.065, (0.021, 0.112)))


def test_limit_on_an_unknown_measure_is_an_error() -> None:
    """A typo in a limit must not pass unseen."""
    with pytest.raises(KeyError, match="no measure dlq_shar: there are dlq_share"):
        gate([effect(0.0, (0.0, 0.0))], {"dlq_shar": 0.02}, first="a", second="b")


def test_changed_settings_are_named() -> None:
    """What differs between two scenarios, by its dotted name; their names are not settings."""
    one = Manifest(run_id="a", scenario=Scenario(name="a"))
    other = Manifest(run_id="b", scenario=Scenario(name="b", seed=2, retry=RetryPolicy(max_retries=1)))

    assert {"seed": (1, 2), "retry.max_retries": (2, 1)} == changed_settings(one, other)


def test_plan_of_the_default_target() -> None:
    """30 % to one point at 95 % needs 8,068 attempts, which 5,805 tasks of 1.39 attempts bring."""
    found = plan(Scenario(name="a", load=Load(rate_per_s=50)), precision=0.01, confidence=0.95)

    assert [8068, 1038] == [need.trials for need in found.needs]
    assert (5805, 116.1, 6) == (found.tasks, found.load_s, found.wait_s)


def test_plan_counts_sticky_tasks_once() -> None:
    """Attempts of a task that always fails are not independent samples: tasks are counted."""
    found = plan(
        Scenario(name="a", load=Load(rate_per_s=0), faults=FaultPlan(mode=FaultMode.PER_TASK)),
        precision=0.01,
        confidence=0.95,
    )

    assert [("task", 8068, 8068)] * 2 == [(need.trial, need.trials, need.tasks) for need in found.needs]
    assert found.load_s is None


@pytest.mark.parametrize("precision", [0.0, 1.0, -0.1])
def test_impossible_precision_is_an_error(precision: float) -> None:
    """A precision outside of (0, 1) is named."""
    with pytest.raises(ValueError, match="give a ratio in"):
        plan(Scenario(name="a"), precision=precision, confidence=0.95)
