"""The reconciler: for every set a history that triggers it, compared whole."""

import pytest

from dlqlab.analysis.checks.conservation import SETS, conservation_check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.reconcile import reconcile
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.scenario import Scenario
from dlqlab.contracts.verdict import SetKind, Status
from taskrules.retry import RetryPolicy
from tests.support.rows import (
    acked,
    completed,
    depth,
    empty_queues,
    event,
    evidence,
    exhausted,
    in_flight,
    item,
    junk,
    letter,
    refused,
    sent,
    skipped,
    started,
    succeeded,
    unanswered,
)
from tests.support.simulation import task_id

ONE, TWO, THREE = task_id(1), task_id(2), task_id(3)
Sets = dict[str, tuple[str, ...]]
BOOKS: Sets = {"attempted": (ONE,), "acknowledged": (ONE,)}
DONE: Sets = {**BOOKS, "completed": (ONE,)}
DEAD: Sets = {**BOOKS, "dead_lettered": (ONE,)}


def sets(run: RunEvidence) -> tuple[Status, dict[str, tuple[str, ...]]]:
    """The status and every set that is not empty."""
    check = conservation_check(Facts(run))
    return check.status, {name: ids for name, ids in check.members.items() if ids}


def test_nothing_submitted_is_unknown() -> None:
    """An empty history proves nothing."""
    actual = sets(evidence())

    assert (Status.UNKNOWN, {}) == actual


def test_sane_history_is_valid() -> None:
    """Every acknowledged task in one terminal state, both queues drained."""
    actual = sets(evidence(acked(1), completed(1), acked(2), exhausted(2)))

    books = {"attempted": (ONE, TWO), "acknowledged": (ONE, TWO)}
    assert (Status.VALID, {**books, "completed": (ONE,), "dead_lettered": (TWO,)}) == actual


HISTORIES: dict[str, tuple[RunEvidence, Status, Sets]] = {
    "lost before any attempt": (
        evidence(acked(1), item(1, "QUEUED", attempts=0)),
        Status.INVALID,
        {**BOOKS, "lost": (ONE,)},
    ),
    "lost between two attempts": (evidence(acked(1), in_flight(1)), Status.INVALID, {**BOOKS, "lost": (ONE,)}),
    "lost without an item, undrained": (evidence(acked(1), drained=False), Status.INVALID, {**BOOKS, "lost": (ONE,)}),
    "lost, as both queues stay empty": (
        evidence(acked(1), in_flight(1), empty_queues(5, 15), drained=False),
        Status.INVALID,
        {**BOOKS, "lost": (ONE,)},
    ),
    "in flight": (evidence(acked(1), in_flight(1), drained=False), Status.UNKNOWN, {**BOOKS, "in_flight": (ONE,)}),
    "in flight by the last sample": (
        evidence(acked(1), in_flight(1), empty_queues(0, 9), depth("tasks", 12, hidden=1), drained=False),
        Status.UNKNOWN,
        {**BOOKS, "in_flight": (ONE,)},
    ),
    "undrained though all tasks ended": (evidence(acked(1), completed(1), drained=False), Status.UNKNOWN, DONE),
    "effect counted twice": (
        evidence(acked(1), started(1), succeeded(1), item(1, "COMPLETED", effects=2)),
        Status.INVALID,
        {**DONE, "duplicated": (ONE,)},
    ),
    "success reported twice": (
        evidence(acked(1), completed(1), started(1, 2, at=3), succeeded(1, 2, at=4)),
        Status.INVALID,
        {**DONE, "duplicated": (ONE,)},
    ),
    "effect twice, undrained": (
        evidence(acked(1), item(1, "COMPLETED", effects=2), drained=False),
        Status.INVALID,
        {**DONE, "duplicated": (ONE,)},
    ),
    "zombie by its dead letter": (
        evidence(acked(1), completed(1), letter(1)),
        Status.INVALID,
        {**DONE, "dead_lettered": (ONE,), "zombie": (ONE,)},
    ),
    "zombie by its status": (
        evidence(acked(1), started(1), succeeded(1), item(1, "FAILED", attempts=3)),
        Status.INVALID,
        {**DONE, "dead_lettered": (ONE,), "zombie": (ONE,)},
    ),
    "unexpected": (
        evidence(acked(1), completed(1), completed(2)),
        Status.INVALID,
        {**DONE, "completed": (ONE, TWO), "unexpected": (TWO,)},
    ),
    "phantom": (
        evidence(acked(1), completed(1), refused(2), completed(2)),
        Status.INVALID,
        {"attempted": (ONE, TWO), "acknowledged": (ONE,), "completed": (ONE, TWO), "phantom": (TWO,)},
    ),
    "refused and gone": (
        evidence(acked(1), completed(1), refused(2)),
        Status.VALID,
        {"attempted": (ONE, TWO), "acknowledged": (ONE,), "completed": (ONE,)},
    ),
    "refused, then acknowledged": (evidence(refused(1), acked(1), completed(1)), Status.VALID, DONE),
    "replayed": (evidence(sent(1, "replayed"), completed(1)), Status.VALID, DONE),
    "over-delivered": (
        evidence(acked(1), exhausted(1), started(1, 4, at=8.5)),
        Status.INVALID,
        {**DEAD, "over_delivered": (ONE,)},
    ),
    "under-retried": (
        evidence(acked(1), started(1), letter(1), item(1, "FAILED")),
        Status.VALID,
        {**DEAD, "under_retried": (ONE,)},
    ),
    "permanent error": (
        evidence(
            acked(1),
            started(1),
            event("attempt.failed", 1, permanent=True, at=0.2),
            letter(1),
            item(1, "FAILED"),
        ),
        Status.VALID,
        DEAD,
    ),
    "recovered": (
        evidence(acked(1), completed(1), unanswered(2), completed(2), unanswered(3)),
        Status.VALID,
        {
            "attempted": (ONE, TWO, THREE),
            "acknowledged": (ONE,),
            "completed": (ONE, TWO),
            "recovered": (TWO,),
            "unanswered": (THREE,),
        },
    ),
    "request whose end nobody saw": (
        evidence(acked(1), completed(1), sent(2, None)),
        Status.VALID,
        {**DONE, "attempted": (ONE, TWO), "unanswered": (TWO,)},
    ),
    "stranded": (
        evidence(acked(1), completed(1), unanswered(2), item(2, "QUEUED", attempts=0)),
        Status.VALID,
        {**DONE, "attempted": (ONE, TWO), "stranded": (TWO,)},
    ),
    "redelivered": (evidence(acked(1), completed(1), skipped(1)), Status.VALID, {**DONE, "redelivered": (ONE,)}),
    "late copy after a death": (
        evidence(acked(1), started(1), item(1, "COMPLETED", archived=True), letter(1)),
        Status.VALID,
        {**DONE, "late_copy": (ONE,)},
    ),
    "late copy of a second message": (
        evidence(acked(1), completed(1), skipped(1, message_id="m1b"), letter(1)),
        Status.VALID,
        {**DONE, "redelivered": (ONE,), "late_copy": (ONE,)},
    ),
    "late copy of a batch mate of a death": (
        evidence(
            acked(1),
            started(1, request_id="q"),
            succeeded(1, at=0.2),
            item(1, "COMPLETED"),
            letter(1),
            acked(2),
            started(2, request_id="q"),
            started(2, 2, at=60, request_id="r"),
            succeeded(2, 2, at=61),
            item(2, "COMPLETED"),
        ),
        Status.VALID,
        {"attempted": (ONE, TWO), "acknowledged": (ONE, TWO), "completed": (ONE, TWO), "late_copy": (ONE,)},
    ),
    "invocation timed out after the success": (
        evidence(
            acked(1),
            started(1, request_id="q"),
            succeeded(1, at=0.2),
            item(1, "COMPLETED"),
            letter(1),
            (("invocations", {"request_id": "q", "status": "timeout"}),),
        ),
        Status.VALID,
        {**DONE, "late_copy": (ONE,)},
    ),
    "junk": (evidence(acked(1), completed(1), junk(1)), Status.VALID, {**DONE, "junk": ("junk-1",)}),
    "completed after a redrive": (
        evidence(
            acked(1),
            exhausted(1)[:-1],
            started(1, at=20, generation=2),
            succeeded(1, at=21, generation=2),
            item(1, "COMPLETED", generation=2, archived=True),
        ),
        Status.VALID,
        DONE,
    ),
    "older than the load": (
        evidence(acked(1), completed(1), item(2, "FAILED", created_ts=1.0)),
        Status.VALID,
        DONE,
    ),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_history_gives_exactly_these_sets(name: str) -> None:
    """Each history fills the sets that it is about and no other, with its verdict."""
    run, status, expected = HISTORIES[name]

    assert (status, expected) == sets(run)


def test_every_set_has_a_history() -> None:
    """No set is defined that no history here can fill."""
    filled = {name for _, _, expected in HISTORIES.values() for name in expected}

    assert {one.name for one in SETS} == filled


def test_every_normal_set_says_why() -> None:
    """What looks odd and is allowed carries its reason after a colon."""
    reasons = {one.name: ":" in one.meaning for one in SETS if one.kind is SetKind.NORMAL}

    assert dict.fromkeys(reasons, True) == reasons


def test_event_pulled_twice_counts_once() -> None:
    """The same log line collected in two windows is one event."""
    success = succeeded(1)
    actual = sets(evidence(acked(1), started(1), success, success, item(1, "COMPLETED")))

    assert (Status.VALID, DONE) == actual


def test_events_of_another_run_are_left_out() -> None:
    """A probe before the load, under another run id, is not a task of this run."""
    actual = sets(evidence(acked(1), completed(1), started(2, run_id="probe")))

    assert (Status.VALID, DONE) == actual


def test_statement_names_the_lost_task() -> None:
    """The sentence has the numbers and the member."""
    check = conservation_check(Facts(evidence(acked(1), completed(1), acked(2), in_flight(2))))

    assert f"2 tasks acknowledged, 1 lost, 0 done twice; lost: {TWO}" == check.statement


def test_over_delivery_follows_the_policy() -> None:
    """Four attempts are fine where three retries are allowed."""
    patient = Scenario(name="patient", retry=RetryPolicy(max_retries=3))
    run = evidence(acked(1), exhausted(1), started(1, 4, at=8.5), scenario=patient)

    assert () == reconcile(Facts(run))["over_delivered"]
