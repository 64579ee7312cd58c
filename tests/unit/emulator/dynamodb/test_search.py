"""Scans and queries: the fast path answers as moto does, page by page, and never holds others up for long."""

import threading
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.emulator.dynamodb import search
from tests.support.dynamodb import TASK_TABLE
from tests.unit.emulator.dynamodb.side import ACCOUNT_ID, REGION, Side, comparable

OLD = {"AttributeValueList": [{"S": "b"}], "ComparisonOperator": "EQ"}
SCANS: list[dict[str, Any]] = [
    {},
    {"ConsistentRead": True},
    {"Limit": 3},
    {"Limit": 100},
    {"Limit": 3, "ExclusiveStartKey": {"taskId": {"S": "t-004"}}},
    {"ExclusiveStartKey": {"taskId": {"S": "t-0045"}}},
    {"ExclusiveStartKey": {"taskId": {"S": "zzz"}}},
    {"ProjectionExpression": "taskId, #s", "ExpressionAttributeNames": {"#s": "status"}},
    {"ProjectionExpression": "taskId, nowhere"},
    {
        "FilterExpression": "#s = :s AND attribute_not_exists(pendingShard)",
        "ExpressionAttributeNames": {"#s": "status"},
        "ExpressionAttributeValues": {":s": {"S": "QUEUED"}},
        "Limit": 5,
    },
    {"FilterExpression": "n < :n", "ExpressionAttributeValues": {":n": {"N": "4"}}, "ProjectionExpression": "n"},
]
QUERIES: list[dict[str, Any]] = [
    {"KeyConditionExpression": "pendingShard = :h"},
    {"KeyConditionExpression": "pendingShard = :h AND pendingSince < :r"},
    {"KeyConditionExpression": "pendingShard = :h AND pendingSince >= :r", "Limit": 2},
    {"KeyConditionExpression": "pendingShard = :h", "ScanIndexForward": False, "Limit": 1},
]
BY_MOTO: list[tuple[str, dict[str, Any]]] = [
    ("Scan", {"IndexName": "pending"}),
    ("Scan", {"Segment": 0, "TotalSegments": 2}),
    ("Scan", {"Select": "COUNT"}),
    ("Scan", {"ScanFilter": {"taskId": OLD}}),
    ("Scan", {"ProjectionExpression": "history[0]"}),
    ("Scan", {"ReturnConsumedCapacity": "TOTAL"}),
    ("Query", {"KeyConditionExpression": "taskId = :h", "ExpressionAttributeValues": {":h": {"S": "t-001"}}}),
    (
        "Query",
        {
            "IndexName": "pending",
            "KeyConditionExpression": "pendingShard = :h AND pendingSince BETWEEN :a AND :b",
            "ExpressionAttributeValues": {":h": {"S": "0"}, ":a": {"N": "1"}, ":b": {"N": "3"}},
        },
    ),
]


def _item(number: int) -> dict[str, Any]:
    item: dict[str, Any] = {
        "taskId": {"S": f"t-{number:03d}"},
        "status": {"S": "QUEUED" if number % 2 else "COMPLETED"},
        "n": {"N": str(number)},
        "history": {"L": [{"M": {"at": {"N": "1.5"}}}]},
    }
    if number % 3 == 0:
        item |= {"pendingShard": {"S": str(number % 2)}, "pendingSince": {"N": str(20 - number)}}
    return item


@pytest.fixture
def sides() -> tuple[Side, Side, str]:
    """The fast path and moto alone on a table of ten items, written out of order."""
    table = f"search-{uuid.uuid4().hex}"
    fast, moto = Side(fast=True), Side(fast=False)
    moto.call("CreateTable", TableName=table, **TASK_TABLE)
    for number in (7, 1, 9, 0, 3, 2, 8, 5, 4, 6):
        moto.put_item(TableName=table, Item=_item(number))
    return fast, moto, table


@pytest.mark.parametrize("members", SCANS, ids=str)
def test_scan_is_motos(sides: tuple[Side, Side, str], members: dict[str, Any]) -> None:
    """Items, order, counts and the key to go on with are the same, and come from the fast path."""
    fast, moto, table = sides
    ours, theirs = (comparable(side.call("Scan", TableName=table, **members)) for side in (fast, moto))

    assert theirs == ours
    assert (1, 0) == (fast.by_fast_path, fast.by_moto)


@pytest.mark.parametrize("members", QUERIES, ids=str)
def test_query_of_an_index_is_motos(sides: tuple[Side, Side, str], members: dict[str, Any]) -> None:
    """The sparse index is searched as moto does it: by its keys, in their order."""
    fast, moto, table = sides
    values = {":h": {"S": "1"}} | ({":r": {"N": "15"}} if ":r" in members["KeyConditionExpression"] else {})
    request = {"TableName": table, "IndexName": "pending", "ExpressionAttributeValues": values, **members}
    ours, theirs = (comparable(side.call("Query", **request)) for side in (fast, moto))

    assert theirs == ours
    assert (1, 0) == (fast.by_fast_path, fast.by_moto)


@pytest.mark.parametrize(("operation", "members"), BY_MOTO, ids=str)
def test_other_searches_are_motos_own(sides: tuple[Side, Side, str], operation: str, members: dict[str, Any]) -> None:
    """What the fast path does not know it leaves to moto, and others can write afterwards."""
    fast, moto, table = sides
    ours, theirs = (comparable(side.call(operation, TableName=table, **members)) for side in (fast, moto))

    assert theirs == ours
    assert (0, 1) == (fast.by_fast_path, fast.by_moto)


@pytest.mark.parametrize(
    "members",
    [
        {"FilterExpression": "n = = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}},
        {"ProjectionExpression": "status"},
    ],
    ids=str,
)
def test_wrong_scan_is_refused_as_by_moto(sides: tuple[Side, Side, str], members: dict[str, Any]) -> None:
    """Errors are moto's."""
    answers = []
    for side in sides[:2]:
        try:
            answers.append(comparable(side.call("Scan", TableName=sides[2], **members)))
        except ClientError as error:
            answers.append(error.response["Error"])

    assert answers[1] == answers[0]


def test_condition_that_fails_halfway_leaves_the_table_free(
    sides: tuple[Side, Side, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter that raises at an item must not keep the lock."""

    def fail(_item: object) -> int:
        raise ZeroDivisionError

    fast, _, table = sides
    monkeypatch.setattr(search, "size_of", fail)
    with pytest.raises(ZeroDivisionError):
        fast.call("Scan", TableName=table)
    fast.put_item(TableName=table, Item=_item(1))

    assert 1 == fast.by_fast_path


def test_pages_of_a_large_table_hold_every_item_once(sides: tuple[Side, Side, str]) -> None:
    """A page ends at 1 MB of items; following its key gives all of them."""
    fast, _, table = sides
    for number in range(10, 60):
        fast.put_item(TableName=table, Item=_item(number) | {"padding": {"S": "x" * 60_000}})
    keys: list[str] = []
    pages = 0
    start: dict[str, Any] = {}
    while True:
        page = fast.call("Scan", TableName=table, **start)
        keys += [item["taskId"]["S"] for item in page["Items"]]
        pages += 1
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    assert [f"t-{number:03d}" for number in range(60)] == keys
    assert 4 == pages


def test_writers_have_their_turn_during_a_scan(sides: tuple[Side, Side, str]) -> None:
    """Between two slices of a scan others get the lock."""
    fast, _, table = sides
    for number in range(3 * search.SLICE):
        fast.put_item(TableName=table, Item=_item(number))
    lock = threading.Lock()
    turns = 0

    def take() -> None:
        nonlocal turns
        with lock:
            turns += 1

    found = search.Search(lock, let_others=take).answer(
        "Scan", b'{"TableName": "%s"}' % table.encode(), account_id=ACCOUNT_ID, region=REGION
    )

    assert (3 * search.SLICE, 3) == (found.body["Count"], turns)
