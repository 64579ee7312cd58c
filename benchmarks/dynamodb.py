"""Time of DynamoDB's calls in the provider: the fast path against moto, in one process.

    python benchmarks/dynamodb.py

At first single items, then searches of the table that is full by then: a page of a scan (what a drain asks for, what a
collection reads, what the sweeper looks for) and the sweeper's query of the sparse index.

Both serve the same calls of the app on tables of their own, in interleaved rounds, so that other load on the machine
hits both. Printed are medians over all calls; HTTP and LocalStack's handlers around the provider are not part.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from localstack.aws.api import RequestContext
from localstack.aws.spec import load_service
from localstack.http import Request, Response

from dlqlab.emulator.dynamodb.provider import MotoDynamoDBProvider, dispatch_table
from taskrules import requests
from taskrules.items import PENDING_SHARDS, new_item, task_of
from taskrules.store import Claim, Failure, NewTask
from taskrules.tasks import Task

ACCOUNT_ID, REGION = "000000000000", "us-east-1"
TABLE = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "taskId", "AttributeType": "S"},
        {"AttributeName": "pendingShard", "AttributeType": "S"},
        {"AttributeName": "pendingSince", "AttributeType": "N"},
    ],
    "KeySchema": [{"AttributeName": "taskId", "KeyType": "HASH"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "pending",
            "KeySchema": [
                {"AttributeName": "pendingShard", "KeyType": "HASH"},
                {"AttributeName": "pendingSince", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}
NOW = 1_750_000_000.123456
ROUNDS = 30
TASKS_PER_ROUND = 20
SEARCHES = 7


class Side:
    """A client of one of the two that calls the provider's handlers and keeps the times of each call."""

    def __init__(self, table: str, *, fast: bool) -> None:
        self._handlers = dispatch_table(MotoDynamoDBProvider(), fast=fast)
        self._service = load_service("dynamodb")
        self.times_s: dict[str, list[float]] = {}
        self.label = ""
        self.table = table
        self.call("CreateTable", TableName=table, **TABLE)

    def call(self, operation: str, **members: Any) -> Any:
        """The answer of the handler, whose time is kept under the current label."""
        headers = {
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "x-moto-account-id": ACCOUNT_ID,
            "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20160623/{REGION}/dynamodb/aws4_request",
        }
        body = json.dumps(members).encode()
        context = RequestContext(Request("POST", "/", headers=headers, body=body))
        context.service = self._service
        context.operation = self._service.operation_model(operation)
        context.account_id, context.region, context.request_id = ACCOUNT_ID, REGION, "benchmark"
        started = time.perf_counter()
        response: Response = self._handlers[operation](context, {})
        self.times_s.setdefault(self.label, []).append(time.perf_counter() - started)
        if response.status_code != 200:
            raise RuntimeError(f"{operation} was refused: {response.data!r}")
        return json.loads(response.data)


def task(number: int) -> NewTask:
    return NewTask(
        task_id=f"task-{number:06d}",
        payload_json=json.dumps({"order": number, "note": "x" * 200}),
        payload_digest=f"{number:064x}",
        created_ts=NOW,
        pending_by="0" * 32,
        run_id="2025-06-15T14-26-40Z",
        trace_id="Root=1-684ed0c0-000000000000000000000000",
    )


def claim(number: int, attempt: int) -> Claim:
    return Claim(
        task_id=f"task-{number:06d}",
        generation=1,
        attempts_max=3,
        token=f"{number:032x}-{attempt}",
        message_id=f"message-{number}",
        now=NOW + 100 * attempt,
        lease_until_ts=NOW + 100 * attempt + 60,
    )


def lead(side: Side, number: int) -> Iterable[tuple[str, Callable[[], object]]]:
    """A task's way through the table, with a retry: what each call is called, and the call."""
    new = task(number)

    def update(request: requests.Request) -> Callable[[], object]:
        return lambda: side.call("UpdateItem", **request)

    def get() -> Task:
        return task_of(side.call("GetItem", **requests.get(side.table, new.task_id))["Item"])

    yield "PutItem, create", lambda: side.call("PutItem", **requests.create(side.table, new))
    yield (
        "UpdateItem, enqueued",
        update(requests.mark_enqueued(side.table, new.task_id, token=new.pending_by, now=NOW)),
    )
    yield "UpdateItem, claim", update(requests.claim(side.table, claim(number, 1)))
    yield "GetItem", get
    failure = Failure(error_type="TransientError", error_message="simulated", not_before_ts=NOW + 102, closed=False)
    yield "UpdateItem, fail", update(requests.fail(side.table, get(), failure, now=NOW + 101))
    yield "UpdateItem, claim", update(requests.claim(side.table, claim(number, 2)))
    yield "UpdateItem, complete", update(requests.complete(side.table, get(), now=NOW + 203))


def searches(side: Side) -> Iterable[tuple[str, Callable[[], object]]]:
    """Calls that look through the whole table: what each is called, and the call."""
    status = {"ProjectionExpression": "taskId, #status", "ExpressionAttributeNames": {"#status": "status"}}
    shards = [requests.pending(side.table, str(shard), before_ts=NOW, limit=100) for shard in range(PENDING_SHARDS)]
    yield "Scan, status only", lambda: side.call("Scan", TableName=side.table, **status)
    yield "Scan, whole items", lambda: side.call("Scan", TableName=side.table)
    yield "Scan, stranded", lambda: side.call("Scan", **requests.stranded(side.table, before_ts=NOW))
    yield "Query, pending", lambda: [side.call("Query", **request) for request in shards]


def main() -> None:
    sides = {"moto": Side("moto", fast=False), "fast path": Side("fast", fast=True)}
    for round_number in range(ROUNDS):
        for side in sides.values():
            for number in range(round_number * TASKS_PER_ROUND, (round_number + 1) * TASKS_PER_ROUND):
                for label, call in lead(side, number):
                    side.label = label
                    call()
                    side.label = ""
    for _ in range(SEARCHES):
        for side in sides.values():
            for label, call in searches(side):
                side.label = label
                call()
                side.label = ""
    size = len(json.dumps(new_item(task(0))))
    print(f"{ROUNDS * TASKS_PER_ROUND} tasks, items of {size} bytes at first; median ms per call in the provider\n")
    print(f"{'call':24}{'moto':>10}{'fast path':>12}{'ratio':>8}")
    for label in sides["moto"].times_s:
        if label:
            slow, fast = (statistics.median(side.times_s[label]) * 1000 for side in sides.values())
            print(f"{label:24}{slow:10.3f}{fast:12.3f}{slow / fast:8.1f}")


if __name__ == "__main__":
    main()
