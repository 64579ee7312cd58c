"""An outage of the dependency strikes by the clock: the oracle knows the fate of an attempt by when it began."""

from dlqlab.analysis.checks.oracle import oracle_check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.oracle import COMPLETED, DEAD_LETTERED, predict
from dlqlab.analysis.rates import sample
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.scenario import Scenario
from dlqlab.contracts.verdict import Status
from taskrules.faults import Fault, FaultPlan
from taskrules.retry import RetryPolicy
from tests.support.rows import T0, Rows, acked, completed, evidence, failed, item, started, succeeded
from tests.support.simulation import task_id

ONE, TWO = task_id(1), task_id(2)
PLAN = FaultPlan(failure_rate=0.0, outage_start_s=10, outage_duration_s=5)
SCENARIO = Scenario(name="outage", faults=FaultPlan(failure_rate=0.0, outage_start_s=10, outage_duration_s=5))


def run(*facts: Rows) -> Facts:
    """A run whose outage lasts from 10 to 15 s after the start of the load."""
    found: RunEvidence = evidence(*facts, scenario=SCENARIO, run_started_ts=T0)
    return Facts(found)


def recovered(n: int, *, at: float) -> Rows:
    """A task that meets the outage in its first attempt and completes in the second."""
    return (
        *acked(n),
        *started(n, 1, at=at),
        *failed(n, 1, at=at + 0.1, error_type="DependencyUnavailable"),
        *started(n, 2, at=at + 6),
        *succeeded(n, 2, at=at + 6.1),
        *item(n, "COMPLETED", attempts=2),
    )


def test_outage_decides_the_attempts_that_began_in_it() -> None:
    """Its first moment belongs to the outage, its last does not; before and after the draw decides."""
    clock = {(ONE, 1, 1): 10.0, (ONE, 1, 2): 14.999, (ONE, 1, 3): 15.0}
    fate = predict(PLAN, RetryPolicy(), ONE, clock=clock)

    assert [(Fault.OUTAGE, 2), (Fault.OUTAGE, 4), (Fault.NONE, None)] == [
        (step.fault, step.delay_s) for step in fate.attempts
    ]
    assert COMPLETED == fate.terminal
    assert DEAD_LETTERED == predict(PLAN, RetryPolicy(), ONE, clock=clock | {(ONE, 1, 3): 14.0}).terminal
    assert Fault.NONE is predict(PLAN, RetryPolicy(), ONE).attempts[0].fault


def test_message_outranks_the_outage() -> None:
    """A scripted success is one whatever the dependency does."""
    assert COMPLETED == predict(PLAN, RetryPolicy(), ONE, message="SUCCESS", clock={(ONE, 1, 1): 12.0}).terminal


def test_failures_of_the_outage_are_as_predicted() -> None:
    """A task that failed in the outage and completed after it met its fate, and is no sample of the failure rate."""
    facts = run(recovered(1, at=11), acked(2), completed(2))
    check, found = oracle_check(facts), sample(facts)

    assert (Status.VALID, 2.0) == (check.status, check.measured)
    assert (0, 1, 1) == (found.failures, found.n, found.excluded_tasks)


def test_success_in_the_outage_and_failure_outside_of_it_are_invalid() -> None:
    """Whoever succeeds while the dependency is down, or is told so while it is up, did not follow the plan."""
    inside = (*acked(1), *started(1, at=12), *succeeded(1, at=12.1), *item(1, "COMPLETED"))
    for wrong in (inside, recovered(1, at=16)):
        assert Status.INVALID is oracle_check(run(wrong)).status
