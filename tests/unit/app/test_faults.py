"""The fault plan."""

import math
from typing import Any, Never

import pytest
from chalicelib.work import PermanentFault, work

from taskrules.faults import DRAWN, Decision, Fault, FaultMode, FaultPlan, Leaves

N = 5_000
RATES = {fault.rate: fault for fault in DRAWN}


def is_near(count: int, rate: float, n: int = N) -> bool:
    """Within 4 standard deviations of a binomial count: chance misses it 6 times in 100,000, and seeds are fixed."""
    return abs(count - n * rate) <= 4 * math.sqrt(n * rate * (1 - rate))


def faults(plan: FaultPlan, attempt: int = 1, n: int = N) -> list[Fault]:
    return [plan.decide(f"t-{place}", attempt).fault for place in range(n)]


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_failure_rate_is_met_at_every_attempt(attempt: int) -> None:
    """30 % of the attempts fail, whichever attempt it is."""
    failed = sum(fault is Fault.TRANSIENT for fault in faults(FaultPlan(seed=3), attempt))

    assert is_near(failed, 0.3)


def test_attempts_fail_independently() -> None:
    """Per attempt, three failures in a row come as often as 0.3^3 says: 2.70 %."""
    plan = FaultPlan(seed=4)
    dead = sum(
        all(plan.decide(f"t-{place}", attempt).fault is Fault.TRANSIENT for attempt in (1, 2, 3)) for place in range(N)
    )

    assert is_near(dead, 0.027)


def test_per_task_faults_are_sticky() -> None:
    """Per task, 30 % of the tasks fail at every attempt and generation, the others never."""
    plan = FaultPlan(seed=5, mode=FaultMode.PER_TASK)
    fates = [
        {
            plan.decide(f"t-{place}", attempt, generation=generation).fault
            for attempt in (1, 2, 3)
            for generation in (1, 2)
        }
        for place in range(N)
    ]

    assert {1} == {len(fate) for fate in fates}
    assert is_near(sum(Fault.TRANSIENT in fate for fate in fates), 0.3)


def test_mode_none_has_no_faults() -> None:
    """Without a mode nothing fails, whatever the rates."""
    assert {Fault.NONE} == set(faults(FaultPlan(mode=FaultMode.NONE, failure_rate=1)))


def test_rates_share_one_draw() -> None:
    """Each kind comes at its rate, and together they leave the rest alone."""
    rates: dict[str, Any] = dict.fromkeys(RATES, 0.6 / len(RATES))
    found = faults(FaultPlan(seed=6, **rates))

    assert all(is_near(found.count(fault), 0.6 / len(RATES)) for fault in RATES.values())
    assert is_near(found.count(Fault.NONE), 0.4)


def test_drawn_faults_have_their_rates_in_this_order() -> None:
    """A new drawn fault comes after these: the bands before it keep their tasks, and a seed its fates."""
    known = ["failure_rate", "permanent_rate", "timeout_rate", "crash_before_rate", "crash_after_rate"]

    assert known == list(RATES)[: len(known)]
    assert all(hasattr(FaultPlan(), rate) for rate in RATES)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault.is_reported])
def test_work_reports_the_error_of_the_faults_row(fault: Fault) -> None:
    """The type that the log names is the one that the row says."""

    def never() -> Never:
        raise AssertionError("a reported fault ends no process")

    with pytest.raises(RuntimeError, match="why") as raised:
        work(Decision(fault, "why"), timeout_s=1, sleep=lambda _s: None, crash=never)

    assert fault.error == type(raised.value).__name__
    assert fault.is_retried != isinstance(raised.value, PermanentFault)


def test_only_what_is_reported_has_an_error_and_only_what_is_drawn_a_meaning() -> None:
    """A row says all of a fault and nothing that does not apply to it."""
    assert [fault.is_reported for fault in Fault] == [bool(fault.error) for fault in Fault]
    assert [bool(fault.rate) for fault in Fault] == [bool(fault.meaning) for fault in Fault]
    assert [Fault.NONE] == [fault for fault in Fault if fault.leaves is Leaves.SUCCESS]


def test_adding_a_fault_moves_no_failure() -> None:
    """The attempts that fail by the failure rate stay the same when a rarer fault is added."""
    plain, mixed = FaultPlan(seed=8), FaultPlan(seed=8, permanent_rate=0.1, crash_after_rate=0.05)
    first, second = faults(plain), faults(mixed)

    assert [fault is Fault.TRANSIENT for fault in first] == [fault is Fault.TRANSIENT for fault in second]


@pytest.mark.parametrize(
    ("task_id", "message", "expected"),
    [
        ("t-3", None, Fault.TRANSIENT),
        ("t-3", "SUCCESS", Fault.NONE),
        ("t-1", "ERROR", Fault.TRANSIENT),
        ("t-1", "error", Fault.NONE),
        ("t-1", None, Fault.NONE),
    ],
)
def test_scripts_outrank_the_suffix_and_the_draw(task_id: str, message: str | None, expected: Fault) -> None:
    """A message that says SUCCESS or ERROR is obeyed first, then the suffix of the taskId, then the draw."""
    plan = FaultPlan(failure_rate=0, permanent_suffix="3")

    assert [expected] * 3 == [plan.decide(task_id, attempt, message=message).fault for attempt in (1, 2, 3)]


def test_slowness_comes_beside_the_fault() -> None:
    """A slow attempt is slow whether or not it fails."""
    plan = FaultPlan(seed=9, slow_rate=0.25, slow_s=1.5)
    decisions = [plan.decide(f"t-{place}", 1) for place in range(N)]
    slow = [decision for decision in decisions if decision.slow_s]

    assert {1.5} == {decision.slow_s for decision in slow}
    assert is_near(len(slow), 0.25)
    assert is_near(sum(decision.fault is Fault.TRANSIENT for decision in slow), 0.3, len(slow))


def test_duplicates_come_at_their_rate() -> None:
    """So many tasks are enqueued twice, the same ones each time."""
    plan = FaultPlan(seed=10, duplicate_rate=0.2)
    duplicated = [plan.is_duplicated(f"t-{place}") for place in range(N)]

    assert is_near(sum(duplicated), 0.2)
    assert duplicated == [plan.is_duplicated(f"t-{place}") for place in range(N)]


@pytest.mark.parametrize(
    "fields",
    [{"failure_rate": -0.1}, {"failure_rate": 30}, {"slow_rate": 2}, {"duplicate_rate": -1}, {"slow_s": -1}],
)
def test_impossible_plan_is_refused(fields: dict[str, Any]) -> None:
    """A field out of its range is named."""
    with pytest.raises(ValueError, match=next(iter(fields))):
        FaultPlan(**fields)


def test_rates_over_one_are_refused() -> None:
    """An attempt has one fault at most."""
    with pytest.raises(ValueError, match="over 1"):
        FaultPlan(failure_rate=0.6, timeout_rate=0.6)
