"""The oracle's predictions, and differences from them by cause."""

from typing import Any

import pytest

from dlqlab.analysis.agreement import compare_with_oracle
from dlqlab.analysis.checks.oracle import oracle_check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.oracle import (
    COMPLETED,
    DEAD_LETTERED,
    Fate,
    PredictedAttempt,
    expectation,
    predict,
    text_messages,
)
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.tables import frame
from dlqlab.contracts.verdict import Status
from taskrules.faults import Fault, FaultMode, FaultPlan
from taskrules.retry import RetryPolicy
from tests.support.rows import (
    ALWAYS_FAILS,
    acked,
    completed,
    evidence,
    exhausted,
    failed,
    in_flight,
    item,
    letter,
    skipped,
    started,
    succeeded,
)
from tests.support.simulation import task_id

POLICY = RetryPolicy()
ONE = task_id(1)


def only(fault: str) -> FaultPlan:
    """A plan whose every draw is this fault."""
    rates: dict[str, Any] = {"failure_rate": 0.0, fault: 1.0}
    return FaultPlan(**rates)


def fate(terminal: str, *faults: Fault, delays: tuple[int | None, ...] = (None,)) -> Fate:
    return Fate(
        tuple(PredictedAttempt(n, *step) for n, step in enumerate(zip(faults, delays, strict=True), 1)), terminal
    )


@pytest.mark.parametrize(
    ("plan", "message", "expected"),
    [
        (only("failure_rate"), None, fate(DEAD_LETTERED, *[Fault.TRANSIENT] * 3, delays=(2, 4, 0))),
        (only("failure_rate"), "SUCCESS", fate(COMPLETED, Fault.NONE)),
        (only("slow_rate"), None, fate(COMPLETED, Fault.NONE)),
        (only("slow_rate"), "ERROR", fate(DEAD_LETTERED, *[Fault.TRANSIENT] * 3, delays=(2, 4, 0))),
        (only("permanent_rate"), None, fate(DEAD_LETTERED, Fault.PERMANENT)),
        (only("timeout_rate"), None, fate(DEAD_LETTERED, *[Fault.TIMEOUT] * 3, delays=(None,) * 3)),
        (only("crash_before_rate"), None, fate(DEAD_LETTERED, *[Fault.CRASH_BEFORE_EFFECT] * 3, delays=(None,) * 3)),
        (only("crash_after_rate"), None, fate(COMPLETED, Fault.CRASH_AFTER_EFFECT)),
        (
            FaultPlan(failure_rate=0.0, permanent_suffix="1"),
            None,
            fate(DEAD_LETTERED, *[Fault.TRANSIENT] * 3, delays=(2, 4, 0)),
        ),
    ],
)
def test_fate_by_fault(plan: FaultPlan, message: str | None, expected: Fate) -> None:
    """Each kind of fault leads where the app's rules lead it."""
    assert expected == predict(plan, POLICY, ONE, message=message)


def test_generations_draw_anew() -> None:
    """A redriven task has draws of its own, unless the fault is sticky."""
    tasks = list(map(task_id, range(200)))
    fates = {
        mode: [[predict(FaultPlan(mode=mode), POLICY, t, generation=g).terminal for t in tasks] for g in (1, 2)]
        for mode in (FaultMode.PER_ATTEMPT, FaultMode.PER_TASK)
    }

    assert fates[FaultMode.PER_ATTEMPT][0] != fates[FaultMode.PER_ATTEMPT][1]
    assert fates[FaultMode.PER_TASK][0] == fates[FaultMode.PER_TASK][1]


@pytest.mark.parametrize(
    ("plan", "dlq_share", "attempts"),
    [
        (FaultPlan(), 0.027, 1.39),
        (FaultPlan(mode=FaultMode.PER_TASK), 0.3, 1.6),
        (FaultPlan(mode=FaultMode.NONE), 0.0, 1.0),
        (FaultPlan(failure_rate=0.2, timeout_rate=0.05, crash_before_rate=0.05, permanent_rate=0.1), 0.166, 1.39),
        (FaultPlan(failure_rate=0.2, permanent_rate=0.1, mode=FaultMode.PER_TASK), 0.3, 1.4),
    ],
)
def test_expectation_in_closed_form(plan: FaultPlan, dlq_share: float, attempts: float) -> None:
    """The numbers that the README promises, by mode and for combined faults."""
    found = expectation(plan, POLICY)

    assert [found.dlq_share, found.attempts_per_task] == pytest.approx([dlq_share, attempts])


def test_expectation_agrees_with_the_predictions() -> None:
    """The closed forms are what the task-by-task predictions come to on average, within four standard deviations."""
    plan = FaultPlan(seed=4, failure_rate=0.2, timeout_rate=0.05, permanent_rate=0.1, crash_after_rate=0.05)
    fates = [predict(plan, POLICY, task_id(n)) for n in range(20_000)]
    found = expectation(plan, POLICY)
    dead = sum(one.terminal == DEAD_LETTERED for one in fates) / len(fates)
    attempts = sum(len(one.attempts) for one in fates) / len(fates)

    assert dead == pytest.approx(found.dlq_share, abs=4 * (0.2 * 0.8 / 20_000) ** 0.5)
    assert attempts == pytest.approx(found.attempts_per_task, abs=4 * 0.6 / 20_000**0.5)


def test_text_payloads_are_the_messages() -> None:
    """A payload that is a text scripts the task; an object does not, whatever it holds."""
    table = frame(
        "ledger",
        [
            {"task_id": "a", "payload": '"ERROR"'},
            {"task_id": "b", "payload": '{"message": "ERROR"}'},
            {"task_id": "c", "payload": None},
            {"task_id": "d", "payload": '"gr\\u00fcn"'},
        ],
    )

    assert {"a": "ERROR", "d": "grün"} == text_messages(table)


def differences(run: RunEvidence) -> list[tuple[str, str]]:
    found = compare_with_oracle(Facts(run)).differences
    return list(zip(found["what"], found["cause"], strict=True))


DIFFERENT: dict[str, tuple[RunEvidence, list[tuple[str, str]]]] = {
    "failed instead of succeeding": (
        evidence(acked(1), exhausted(1)),
        [
            (
                (
                    "attempt 1 failed, predicted none; attempt 2 was not predicted; attempt 3 was not predicted; "
                    "ended dead_lettered, predicted completed"
                ),
                "unexplained",
            )
        ],
    ),
    "succeeded instead of failing": (
        evidence(acked(1), completed(1), scenario=ALWAYS_FAILS),
        [
            (
                (
                    "attempt 1 succeeded, predicted transient; attempt 2 did not happen; attempt 3 did not happen; "
                    "ended completed, predicted dead_lettered"
                ),
                "unexplained",
            )
        ],
    ),
    "other backoff": (
        evidence(
            acked(1),
            started(1),
            failed(1, at=0.2, backoff_s=3),
            started(1, 2, at=3.3),
            failed(1, 2, at=3.4, backoff_s=4),
            started(1, 3, at=8.0),
            failed(1, 3, at=8.1, backoff_s=0),
            letter(1),
            item(1, "FAILED", attempts=3),
            scenario=ALWAYS_FAILS,
        ),
        [("attempt 1 asked for a backoff of 3 s, predicted 2 s", "unexplained")],
    ),
    "permanent instead of transient": (
        evidence(acked(1), started(1), failed(1, permanent=True), item(1, "FAILED"), scenario=ALWAYS_FAILS),
        [
            (
                "attempt 1 failed with the wrong class of error; attempt 2 did not happen; attempt 3 did not happen",
                "unexplained",
            )
        ],
    ),
    "dead-lettered early, no receive burnt": (
        evidence(
            acked(1), started(1), failed(1, at=0.2), letter(1, attempts=1), item(1, "FAILED"), scenario=ALWAYS_FAILS
        ),
        [("attempt 2 did not happen; attempt 3 did not happen", "unexplained")],
    ),
    "dead-lettered early, two receives burnt": (
        evidence(
            acked(1),
            started(1),
            failed(1, at=0.2),
            letter(1, attempts=1, receive_count=4),
            item(1, "FAILED"),
            scenario=ALWAYS_FAILS,
        ),
        [("attempt 2 did not happen; attempt 3 did not happen", "receive_burnt")],
    ),
    "lost": (
        evidence(acked(1), item(1, "QUEUED", attempts=0)),
        [("attempt 1 did not happen; ended nowhere, predicted completed", "unexplained")],
    ),
    "not over yet": (
        evidence(acked(1), in_flight(1), scenario=ALWAYS_FAILS, drained=False),
        [
            (
                "attempt 2 did not happen; attempt 3 did not happen; ended nowhere, predicted dead_lettered",
                "early_end",
            )
        ],
    ),
    "still running": (
        evidence(acked(1), started(1), item(1, "PROCESSING"), drained=False),
        [("attempt 1 open, predicted none; ended nowhere, predicted completed", "early_end")],
    ),
    "log lines missing": (
        evidence(acked(1), item(1, "COMPLETED")),
        [("attempt 1 did not happen", "evidence_missing")],
    ),
    "died though nothing was declared": (
        evidence(acked(1), started(1), started(1, 2, at=60), succeeded(1, 2, at=61), item(1, "COMPLETED", attempts=2)),
        [("attempt 1 died, predicted none; attempt 2 was not predicted", "unexplained")],
    ),
    "died in an invocation that Lambda reports": (
        evidence(
            acked(1),
            started(1, request_id="q"),
            started(1, 2, at=60),
            succeeded(1, 2, at=61),
            item(1, "COMPLETED", attempts=2),
            (("invocations", {"request_id": "q", "status": "timeout"}),),
        ),
        [("attempt 1 died, predicted none; attempt 2 was not predicted", "crash")],
    ),
    "two messages of one task": (
        evidence(
            acked(1),
            started(1),
            skipped(1, message_id="m1b"),
            letter(1, attempts=1),
            failed(1, at=0.2),
            item(1, "FAILED"),
            scenario=ALWAYS_FAILS,
        ),
        [("attempt 2 did not happen; attempt 3 did not happen", "duplicate_delivery")],
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_difference_and_its_cause(name: str) -> None:
    """Each difference is told in words and explained only by evidence of the task's own history."""
    run, expected = DIFFERENT[name]

    assert expected == differences(run)


def test_redriven_task_is_compared_in_both_generations() -> None:
    """The first generation must have ended in the dead-letter queue, the second as the table says."""
    second = (started(1, 1, at=20, generation=2), succeeded(1, 1, at=21, generation=2))
    run = evidence(
        acked(1), exhausted(1)[:-1], *second, item(1, "COMPLETED", generation=2, archived=True), scenario=ALWAYS_FAILS
    )
    found = compare_with_oracle(Facts(run)).differences

    assert [2] == found["generation"].tolist()


@pytest.mark.parametrize(
    ("run", "status"),
    [
        (evidence(), Status.UNKNOWN),
        (evidence(acked(1), completed(1)), Status.VALID),
        (DIFFERENT["lost"][0], Status.INVALID),
        (DIFFERENT["not over yet"][0], Status.UNKNOWN),
        (DIFFERENT["log lines missing"][0], Status.UNKNOWN),
        (DIFFERENT["two messages of one task"][0], Status.VALID),
    ],
)
def test_status_by_cause(run: RunEvidence, status: Status) -> None:
    """Unexplained is invalid, undecided is unknown, explained is valid."""
    assert status is oracle_check(Facts(run)).status
