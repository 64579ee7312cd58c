"""The final table and archive."""

from decimal import Decimal
from typing import Any

import pytest

from dlqlab.collect.table import collect_tasks, count_unfinished
from dlqlab.contracts.tables import frame
from dlqlab.errors import EvidenceError
from tests.support.collect.fakes import FakeDynamo


def task(task_id: str, status: str = "COMPLETED", run_id: str = "r") -> dict[str, Any]:
    """An item of the task table."""
    return {
        "taskId": task_id,
        "status": status,
        "generation": 1,
        "attempts": 2,
        "effects": 1,
        "payload": '{"n":1}',
        "createdAt": Decimal("100.25"),
        "updatedAt": 101,
        "runId": run_id,
        "history": [{"attempt": 1}],
    }


def dead(archive_id: str, task_id: str | None, at: int = 5, run_id: str = "r") -> dict[str, Any]:
    """An item of the archive."""
    about = {"taskId": task_id} if task_id else {}
    return about | {
        "archiveId": archive_id,
        "messageId": f"m-{archive_id}",
        "body": "b",
        "redacted": False,
        "truncated": False,
        "errorType": "E",
        "errorMessage": "e",
        "reason": "retries exhausted",
        "archivedAt": at,
        "expiresAt": 10**9,
        "runId": run_id,
    }


def rows(tasks: list[dict[str, Any]], archive: list[dict[str, Any]]) -> list[dict[str, Any]]:
    dynamodb = FakeDynamo({"tasks": tasks, "archive": archive})
    found = collect_tasks(dynamodb.client(), task_table="tasks", archive_table="archive", run_id="r")
    records = [row.dropna().to_dict() for _, row in frame("tasks", found.rows).iterrows()]
    return [{str(name): value for name, value in record.items()} for record in records]


COMPLETED = {
    "task_id": "a",
    "status": "COMPLETED",
    "attempts": 2,
    "generation": 1,
    "effects": 1,
    "payload": '{"n":1}',
    "created_ts": 100.25,
    "updated_ts": 101.0,
    "in_table": True,
    "archived": False,
}
ARCHIVE = {
    "archived": True,
    "archive_reason": "retries exhausted",
    "archive_body": "b",
    "archive_expires_ts": 1e9,
}


def test_a_task_is_one_row() -> None:
    """An item without an archived message is a row that says so."""
    assert [COMPLETED] == rows([task("a")], [])


def test_a_dead_task_is_one_row_with_its_newest_archived_message() -> None:
    """A task that died twice has the archive of its last death."""
    archive = [dead("a#2", "a", at=7), dead("a#1", "a", at=5)]

    newest = {"archive_id": "a#2", "archived_ts": 7.0}
    assert [COMPLETED | {"status": "FAILED"} | ARCHIVE | newest] == rows([task("a", "FAILED")], archive)


def test_archived_messages_without_an_item_have_rows() -> None:
    """Junk has no task at all; a task that is not in the table is still named."""
    junk = ARCHIVE | {"archive_id": "m1", "archived_ts": 5.0, "in_table": False}
    stranger = junk | {"archive_id": "x#1", "task_id": "x"}

    assert [stranger, junk] == rows([], [dead("m1", None), dead("x#1", "x")])


def test_items_of_other_runs_are_counted_and_left_out() -> None:
    """What earlier runs left in the tables is not this run's."""
    dynamodb = FakeDynamo({"tasks": [task("a"), task("b", run_id="x")], "archive": [dead("c", "c", run_id="x")]})

    found = collect_tasks(dynamodb.client(), task_table="tasks", archive_table="archive", run_id="r")

    assert ["a"] == [row["task_id"] for row in found.rows]
    assert found.foreign_items == 2
    assert {True} == {request["ConsistentRead"] for request in dynamodb.requests}


def test_unfinished_tasks_are_counted() -> None:
    """Acknowledged tasks in any other state, or without an item, are unfinished; others' tasks do not matter."""
    items = [task("a"), task("b", "FAILED"), task("c", "RETRYING"), task("d", "QUEUED"), task("other", "QUEUED")]
    dynamodb = FakeDynamo({"tasks": items})

    assert count_unfinished(dynamodb.client(), "tasks", ["a", "b", "c", "d", "gone"]) == 3
    assert count_unfinished(dynamodb.client(), "tasks", ["a", "b"]) == 0
    assert count_unfinished(dynamodb.client(), "tasks", ["a", "b"], ["b", "c", "never-arrived"]) == 1


def test_a_table_that_cannot_be_read_is_an_error() -> None:
    """The error names the table."""
    dynamodb = FakeDynamo({"tasks": []}).client()

    with pytest.raises(EvidenceError, match="table archive"):
        collect_tasks(dynamodb, task_table="tasks", archive_table="archive", run_id="r")
