"""What may happen to a task: the refusals and the last error."""

import dataclasses
from typing import Any

import pytest

from taskrules.tasks import AttemptRecord, Refusal, Status, Task, last_error, refusal
from taskrules.views import task_view

NOW = 1_700_000_000.0
TASK = Task(
    task_id="t",
    status=Status.QUEUED,
    generation=1,
    attempts=0,
    effects=0,
    payload_json="{}",
    payload_digest="d",
    created_ts=NOW,
    updated_ts=NOW,
)
RUNNING = {"status": Status.PROCESSING, "attempts": 1, "carrier": "m1", "lease_until_ts": NOW + 5}
WAITING = {"status": Status.RETRYING, "attempts": 1, "carrier": "m1", "not_before_ts": NOW + 5}

REFUSALS: list[tuple[dict[str, Any], int, str, float, Refusal]] = [
    ({"generation": 2}, 1, "m1", NOW, Refusal.STALE),
    ({}, 2, "m1", NOW, Refusal.LATER),
    ({"status": Status.COMPLETED}, 1, "m1", NOW, Refusal.COMPLETED),
    ({"status": Status.FAILED}, 1, "m1", NOW, Refusal.FAILED),
    (RUNNING, 1, "m1", NOW, Refusal.HELD),
    (RUNNING, 1, "m2", NOW, Refusal.DUPLICATE),
    (RUNNING | {"attempts": 3}, 1, "m1", NOW + 6, Refusal.EXHAUSTED),
    (WAITING, 1, "m1", NOW, Refusal.EARLY),
    (WAITING, 1, "m2", NOW, Refusal.DUPLICATE),
    (WAITING | {"closed": True}, 1, "m1", NOW + 6, Refusal.PERMANENT),
    (WAITING | {"closed": True}, 1, "m2", NOW + 6, Refusal.PERMANENT),
    (WAITING | {"closed": True, "attempts": 3}, 1, "m1", NOW + 6, Refusal.EXHAUSTED),
    (WAITING, 1, "m1", NOW + 6, Refusal.MOVED),
    (RUNNING, 1, "m2", NOW + 6, Refusal.MOVED),
    ({}, 1, "m1", NOW, Refusal.MOVED),
    (WAITING | {"attempts": 3}, 1, "m1", NOW + 6, Refusal.EXHAUSTED),
]


@pytest.mark.parametrize(("fields", "generation", "message_id", "now", "expected"), REFUSALS)
def test_refusal_says_why(
    fields: dict[str, Any], generation: int, message_id: str, now: float, expected: Refusal
) -> None:
    """The state of the task says what becomes of a message whose claim was refused."""
    task = dataclasses.replace(TASK, **fields)

    assert expected is refusal(task, generation=generation, message_id=message_id, now=now, attempts_max=3)


def test_no_task_is_unknown() -> None:
    """A message of a task that is not in the table is unknown."""
    assert Refusal.UNKNOWN is refusal(None, generation=1, message_id="m1", now=NOW, attempts_max=3)


ENDED = AttemptRecord(generation=1, attempt=1, started_ts=NOW, ended_ts=NOW + 1, outcome="failed", error_type="E")
LOST = AttemptRecord(generation=1, attempt=2, started_ts=NOW + 3)


@pytest.mark.parametrize(
    ("history", "error_type", "expected"),
    [
        ((), None, "NeverAttempted"),
        ((ENDED,), "E", "E"),
        ((ENDED, LOST), "E", "AttemptLost"),
        ((LOST, ENDED), "E", "E"),
    ],
)
def test_last_error_is_the_latest(history: tuple[AttemptRecord, ...], error_type: str | None, expected: str) -> None:
    """An attempt that never ended outranks the recorded error of an earlier one."""
    task = dataclasses.replace(TASK, history=history, last_error_type=error_type)

    assert expected == last_error(task)[0]


def test_lost_attempt_of_an_older_generation_does_not_count() -> None:
    """After a redrive what happened before it is history."""
    task = dataclasses.replace(TASK, generation=2, history=(LOST,))

    assert "NeverAttempted" == last_error(task)[0]


def test_view_shows_times_attempts_and_errors() -> None:
    """A client sees ISO times in UTC, each attempt with its error, and null for what is not yet."""
    task = dataclasses.replace(
        TASK, status=Status.RETRYING, attempts=2, history=(ENDED, LOST), last_error_type="E", last_error_message="e"
    )
    expected = {
        "taskId": "t",
        "status": "RETRYING",
        "generation": 1,
        "attemptCount": 2,
        "attempts": [
            {
                "generation": 1,
                "attempt": 1,
                "startedAt": "2023-11-14T22:13:20.000000Z",
                "endedAt": "2023-11-14T22:13:21.000000Z",
                "outcome": "failed",
                "error": {"type": "E", "message": None},
            },
            {
                "generation": 1,
                "attempt": 2,
                "startedAt": "2023-11-14T22:13:23.000000Z",
                "endedAt": None,
                "outcome": None,
                "error": None,
            },
        ],
        "redrives": [],
        "lastError": {"type": "E", "message": "e"},
        "createdAt": "2023-11-14T22:13:20.000000Z",
        "enqueuedAt": None,
        "updatedAt": "2023-11-14T22:13:20.000000Z",
    }

    assert expected == task_view(task)
