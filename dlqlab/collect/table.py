"""The end of every task: the task table and the archive, scanned page by page and read-consistent."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.errors import EvidenceError
from taskrules.items import archived_of
from taskrules.store import ArchivedMessage
from taskrules.wire import from_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TERMINAL = frozenset({"COMPLETED", "FAILED"})

_TASK_COLUMNS: Mapping[str, str] = {
    "task_id": "taskId",
    "status": "status",
    "attempts": "attempts",
    "generation": "generation",
    "effects": "effects",
    "payload": "payload",
    "created_ts": "createdAt",
    "updated_ts": "updatedAt",
    "last_error_type": "lastErrorType",
    "last_error_message": "lastErrorMessage",
}


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of the TASKS table, and how many items of other runs were left out."""

    rows: tuple[dict[str, Any], ...]
    foreign_items: int


def collect_tasks(dynamodb: "DynamoDBClient", *, task_table: str, archive_table: str, run_id: str) -> TableRows:
    """One row for each task of the run, with the newest of its archived messages; one for each archived message
    without a task in the table.

    Raises:
        EvidenceError: a table cannot be read.
    """
    archived: dict[str, dict[str, Any]] = {}
    rows: list[dict[str, Any]] = []
    foreign = 0
    without_task: list[dict[str, Any]] = []
    for item in scan(dynamodb, archive_table):
        message = archived_of(item)
        task_id = message.task_id
        if message.run_id != run_id:
            foreign += 1
        elif task_id is None:
            without_task.append(_archive_row(message))
        elif task_id not in archived or archived[task_id]["archived_ts"] <= message.archived_ts:
            archived[task_id] = _archive_row(message)
    for item in map(from_item, scan(dynamodb, task_table)):
        if item.get("runId") != run_id:
            foreign += 1
            continue
        row = {column: item.get(name) for column, name in _TASK_COLUMNS.items()}
        rows.append(row | {"in_table": True, "archived": False} | archived.pop(item["taskId"], {}))
    orphans = [{"task_id": task_id, "in_table": False} | row for task_id, row in archived.items()]
    junk = [{"in_table": False} | row for row in without_task]
    return TableRows(rows=(*rows, *orphans, *junk), foreign_items=foreign)


def count_unfinished(
    dynamodb: "DynamoDBClient", table: str, acknowledged: Collection[str], unanswered: Collection[str] = ()
) -> int:
    """How many of these tasks are not COMPLETED or FAILED, acknowledged ones without an item among them.

    ``unanswered``: the client does not know whether they were taken. They count where there is an item: the sweeper
    will find it.

    One whole scan: for the end of a drain, not for every second.

    Raises:
        EvidenceError: the table cannot be read.
    """
    open_tasks = set(acknowledged)
    silent = set(unanswered)
    taken = 0
    projection = {"ProjectionExpression": "taskId, #status", "ExpressionAttributeNames": {"#status": "status"}}
    for item in map(from_item, scan(dynamodb, table, **projection)):
        if item.get("status") in TERMINAL:
            open_tasks.discard(item["taskId"])
        elif item["taskId"] in silent:
            taken += 1
    return len(open_tasks) + taken


def scan(dynamodb: "DynamoDBClient", table: str, **options: Any) -> Iterator[dict[str, Any]]:
    """All items of a table as DynamoDB gives them, page by page.

    A page may be empty and still have a successor: only the absence of LastEvaluatedKey ends a scan (DynamoDB API
    reference).

    Raises:
        EvidenceError: the table cannot be read.
    """
    start: dict[str, Any] = {}
    while True:
        try:
            page = dynamodb.scan(TableName=table, ConsistentRead=True, **options, **start)
        except (BotoCoreError, ClientError) as error:
            raise EvidenceError(f"table {table}: {error}") from error
        yield from page["Items"]
        key = page.get("LastEvaluatedKey")
        if not key:
            return
        start = {"ExclusiveStartKey": key}


def _archive_row(message: ArchivedMessage) -> dict[str, Any]:
    return {
        "archived": True,
        "archive_id": message.archive_id,
        "archive_reason": message.reason,
        "archive_body": message.body,
        "archived_ts": message.archived_ts,
        "archive_expires_ts": message.expires_ts,
    }
