"""Generated histories: the checker accepts every valid one and tells each kind of corruption apart."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dlqlab.analysis.checks.conservation import VIOLATIONS, conservation_check
from dlqlab.analysis.checks.oracle import oracle_check
from dlqlab.analysis.checks.witness import witness_check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.reconcile import reconcile
from dlqlab.contracts.scenario import Load, Pipeline, Scenario
from dlqlab.contracts.verdict import Status
from taskrules.faults import FaultPlan
from taskrules.retry import RetryPolicy
from tests.support import defects
from tests.support.histories import Simulated, simulate

EXAMPLES = settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def scenarios(draw: st.DrawFn, *, duplicates: bool = True) -> Scenario:
    """Any mix of faults over a few tasks, with short timeouts."""
    share = st.sampled_from([0.0, 0.05, 0.15])
    faults: dict[str, Any] = {
        name: draw(share) for name in ("permanent_rate", "timeout_rate", "crash_before_rate", "crash_after_rate")
    }
    return Scenario(
        name="generated",
        seed=draw(st.integers(0, 2**31)),
        faults=FaultPlan(
            failure_rate=draw(st.sampled_from([0.0, 0.1, 0.3])),
            duplicate_rate=draw(share) if duplicates else 0.0,
            **faults,
        ),
        retry=RetryPolicy(max_retries=draw(st.integers(1, 4)), base_s=1.0),
        load=Load(tasks=draw(st.integers(5, 40)), rate_per_s=10.0, junk_messages=draw(st.integers(0, 3))),
        pipeline=Pipeline(function_timeout_s=2, visibility_timeout_s=6),
    )


@EXAMPLES
@given(scenarios())
def test_valid_history_has_no_violation(scenario: Scenario) -> None:
    """Whatever faults are declared: nothing is lost or doubled, and the oracle finds nothing unexplained."""
    facts = Facts(simulate(scenario).evidence())
    check = conservation_check(facts)

    assert ([], Status.VALID) == ([name for name in VIOLATIONS if check.members[name]], check.status)
    assert "unexplained" not in oracle_check(facts).members


@EXAMPLES
@given(scenarios())
def test_a_truthful_account_is_what_was_recorded(scenario: Scenario) -> None:
    """Whatever faults are declared: the recorder finds each attempt as the log tells it."""
    run = simulate(scenario)
    check = witness_check(Facts(run.evidence(is_recorded=True)))

    events = run.tables["events"]
    assert ({}, Status.VALID) == (check.against, check.status)
    assert check.n == (events["event"] == "attempt.started").sum()


@EXAMPLES
@given(scenarios())
def test_sets_account_for_every_task(scenario: Scenario) -> None:
    """Completed and dead-lettered are disjoint and make up what was acknowledged."""
    result = reconcile(Facts(simulate(scenario).evidence()))
    completed, dead = set(result["completed"]), set(result["dead_lettered"])

    assert set() == completed & dead
    assert set(result["acknowledged"]) == completed | dead


CORRUPTIONS: dict[str, tuple[Callable[[Simulated, str], Simulated], str]] = {
    "lost": (defects.lose, "COMPLETED"),
    "duplicated": (defects.repeat_effect, "COMPLETED"),
    "zombie": (defects.revive, "COMPLETED"),
    "unexpected": (defects.forget_request, "COMPLETED"),
    "phantom": (defects.deny, "COMPLETED"),
    "in_flight": (defects.leave_in_flight, "FAILED"),
}


@EXAMPLES
@given(scenarios(duplicates=False), st.sampled_from(sorted(CORRUPTIONS)), st.integers(0, 100))
def test_corruption_fills_its_own_set_only(scenario: Scenario, kind: str, choice: int) -> None:
    """One task of a valid history is corrupted: exactly its set names exactly this task."""
    run = simulate(scenario)
    plant, status = CORRUPTIONS[kind]
    # A success that nobody reported has one witness, the table: what the defect makes of it contradicts nothing.
    events = run.tables["events"]
    reported = set(events.loc[events["event"] == "attempt.succeeded", "task_id"])
    candidates = [task for task in defects.ids(run, status) if status != "COMPLETED" or task in reported]
    assume(candidates)
    task = candidates[choice % len(candidates)]
    check = conservation_check(Facts(plant(run, task).evidence()))

    assert {kind: (task,)} == check.against
    assert (Status.UNKNOWN if kind == "in_flight" else Status.INVALID) is check.status
