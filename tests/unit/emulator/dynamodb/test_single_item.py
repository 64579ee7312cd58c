"""The fast path within the provider: what it answers, what it leaves to moto, and that both see the same items."""

import json
import uuid
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.emulator.core import taps
from dlqlab.emulator.dynamodb import tables
from tests.support.dynamodb import TASK_TABLE
from tests.unit.emulator.dynamodb.side import Side

KEY = {"taskId": {"S": "t"}}
TWO_KEYS = {
    "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}, {"AttributeName": "b", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in "ab"],
    "GlobalSecondaryIndexes": None,
}


@pytest.fixture
def side() -> Side:
    """A provider with the fast path."""
    return Side(fast=True)


@pytest.fixture
def table(side: Side) -> str:
    """The task table."""
    return make_table(side)


def make_table(side: Side, **changes: Any) -> str:
    name = f"table-{uuid.uuid4().hex}"
    members = {key: value for key, value in {**TASK_TABLE, **changes}.items() if value is not None}
    side.call("CreateTable", TableName=name, **members)
    side.by_moto = 0
    return name


def item_of(side: Side, table: str, key: dict[str, Any] = KEY) -> dict[str, Any] | None:
    item: dict[str, Any] | None = side.get_item(TableName=table, Key=key).get("Item")
    return item


def code_of(call: Callable[[], object]) -> tuple[str, str]:
    """Code and message of the refusal."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_put_get_update_delete(side: Side, table: str) -> None:
    """The four operations, each answered by the fast path."""
    put = side.put_item(TableName=table, Item={**KEY, "n": {"N": "1.50"}})
    got = side.get_item(TableName=table, Key=KEY, ConsistentRead=True)
    updated = side.update_item(
        TableName=table,
        Key=KEY,
        UpdateExpression="SET n = n + :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="ALL_NEW",
    )
    deleted = side.delete_item(TableName=table, Key=KEY, ReturnValues="ALL_OLD")

    assert {} == put
    assert {"Item": {**KEY, "n": {"N": "1.5"}}} == got
    assert {"Attributes": {**KEY, "n": {"N": "2.5"}}} == updated
    assert {"Attributes": {**KEY, "n": {"N": "2.5"}}} == deleted
    assert {} == side.get_item(TableName=table, Key=KEY)
    assert (5, 0) == (side.by_fast_path, side.by_moto)


def test_answer_on_the_wire(side: Side, table: str) -> None:
    """Type, request id and checksum are those of DynamoDB's protocol; LocalStack learns what the answer is."""
    context = side.context("PutItem", {"TableName": table, "Item": KEY})
    response = side.handle(context)

    assert 200 == response.status_code
    assert "application/x-amz-json-1.0" == response.headers["Content-Type"]
    assert "request-1" == response.headers["x-amzn-RequestId"]
    assert str(zlib.crc32(response.data)) == response.headers["x-amz-crc32"]
    assert context.service_response


def test_refusal_on_the_wire(side: Side, table: str) -> None:
    """A condition that does not hold is an error with the item where it is asked for."""
    side.put_item(TableName=table, Item=KEY)
    refused = {"TableName": table, "Item": KEY, "ConditionExpression": "attribute_not_exists(taskId)"}
    context = side.context("PutItem", refused | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
    response = side.handle(context)
    without_item = side.handle(side.context("PutItem", refused))

    kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
    message = "The conditional request failed"
    assert 400 == response.status_code
    assert {"__type": kind, "Message": message, "Item": KEY} == json.loads(response.data)
    assert {"__type": kind, "message": message} == json.loads(without_item.data)
    assert "ConditionalCheckFailedException" == context.service_exception.code


def test_an_update_makes_the_item(side: Side, table: str) -> None:
    """With its key; an old item is not returned, because there was none."""
    answer = side.update_item(
        TableName=table,
        Key=KEY,
        UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="ALL_OLD",
    )

    assert {} == answer
    assert {**KEY, "n": {"N": "1"}} == item_of(side, table)
    assert 0 == side.by_moto


def test_a_failed_condition_changes_nothing(side: Side, table: str) -> None:
    """Neither an item that is there nor one that is not."""
    change: dict[str, Any] = {
        "TableName": table,
        "UpdateExpression": "SET n = :one",
        "ConditionExpression": "n = :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    side.put_item(TableName=table, Item={**KEY, "n": {"N": "5"}})
    other = {"taskId": {"S": "other"}}

    assert "ConditionalCheckFailedException" == code_of(lambda: side.update_item(Key=KEY, **change))[0]
    assert "ConditionalCheckFailedException" == code_of(lambda: side.update_item(Key=other, **change))[0]
    assert {**KEY, "n": {"N": "5"}} == item_of(side, table)
    assert item_of(side, table, other) is None


def test_moto_sees_what_the_fast_path_wrote_and_the_other_way_round(side: Side, table: str) -> None:
    """Scans, queries of the sparse index, batches and transactions work on the same items."""
    pending = {"pendingShard": {"S": "1"}, "pendingSince": {"N": "17.5"}}
    side.put_item(TableName=table, Item={**KEY, **pending, "m": {"M": {"l": {"L": [{"N": "1"}]}}}})
    by_index: dict[str, Any] = {
        "TableName": table,
        "IndexName": "pending",
        "KeyConditionExpression": "pendingShard = :s AND pendingSince < :t",
        "ExpressionAttributeValues": {":s": {"S": "1"}, ":t": {"N": "20"}},
    }
    found = side.call("Query", **by_index)["Items"]
    update = {"TableName": table, "Key": KEY, "UpdateExpression": "SET m.l[1] = :new REMOVE pendingShard"}
    values = {"ExpressionAttributeValues": {":new": {"S": "x"}}}
    side.call("TransactWriteItems", TransactItems=[{"Update": update | values}])
    scanned = side.items(table)
    gone = side.call("Query", **by_index)["Items"]
    last = {"TableName": table, "Key": KEY, "UpdateExpression": "SET m.l[0] = :new"}
    changed = side.update_item(**last, **values, ReturnValues="ALL_NEW")["Attributes"]

    nested = {"M": {"l": {"L": [{"N": "1"}, {"S": "x"}]}}}
    assert [{**KEY, **pending}] == found
    assert [{**KEY, "pendingSince": {"N": "17.5"}, "m": nested}] == scanned
    assert [] == gone
    assert {"M": {"l": {"L": [{"S": "x"}, {"S": "x"}]}}} == changed["m"]
    assert {"Responses": [{"Item": changed}]} == side.call(
        "TransactGetItems", TransactItems=[{"Get": {"TableName": table, "Key": KEY}}]
    )


def test_a_range_key_is_part_of_the_key(side: Side) -> None:
    """Items of one hash key are apart."""
    table = make_table(
        side,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("taskId", "part")],
        KeySchema=[{"AttributeName": "taskId", "KeyType": "HASH"}, {"AttributeName": "part", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=None,
    )
    keys = [{**KEY, "part": {"S": part}} for part in "ab"]
    for key in keys:
        side.put_item(TableName=table, Item=key)
    side.update_item(
        TableName=table, Key=keys[0], UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": {"N": "1"}}
    )
    side.delete_item(TableName=table, Key=keys[1])

    assert {**keys[0], "n": {"N": "1"}} == item_of(side, table, keys[0])
    assert item_of(side, table, keys[1]) is None
    assert 0 == side.by_moto
    assert "ValidationException" == code_of(lambda: side.delete_item(TableName=table, Key=KEY))[0]


VALIDATION = "ValidationException"
SET_N = {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}


@pytest.mark.parametrize(
    ("operation", "members", "code"),
    [
        ("PutItem", {"Item": {"n": {"N": "1"}}}, VALIDATION),
        ("PutItem", {"Item": {"taskId": {"S": ""}}}, VALIDATION),
        ("PutItem", {"Item": {"taskId": {"N": "1"}}}, VALIDATION),
        ("PutItem", {"Item": {"taskId": {"S": "x" * 2049}}}, VALIDATION),
        ("PutItem", {"Item": {**KEY, "pendingShard": {"S": ""}}}, VALIDATION),
        ("PutItem", {"Item": {**KEY, "n": {"N": "abc"}}}, VALIDATION),
        ("PutItem", {"Item": {**KEY, "s": {"SS": []}}}, VALIDATION),
        ("PutItem", {"Item": {**KEY, "s": {"S": "x" * 410_000}}}, VALIDATION),
        ("PutItem", {"Item": KEY, "ConditionExpression": "status = :a"}, VALIDATION),
        ("PutItem", {"Item": KEY, "ReturnValues": "ALL_NEW"}, VALIDATION),
        ("GetItem", {"Key": {"other": {"S": "t"}}}, VALIDATION),
        ("GetItem", {"Key": {"taskId": {"S": ""}}}, VALIDATION),
        ("DeleteItem", {"Key": {"other": {"S": "t"}}}, VALIDATION),
        (
            "UpdateItem",
            {"Key": KEY, **SET_N, "UpdateExpression": "SET taskId = :n"},
            VALIDATION,
        ),
        ("UpdateItem", {"Key": KEY, **SET_N, "UpdateExpression": "SET n = absent + :n"}, VALIDATION),
        ("UpdateItem", {"Key": KEY, **SET_N, "UpdateExpression": "SET pendingShard = :n"}, VALIDATION),
        ("UpdateItem", {"Key": KEY, **SET_N, "ExpressionAttributeNames": {"#u": "u"}}, VALIDATION),
        (
            "UpdateItem",
            {"Key": KEY, **SET_N, "UpdateExpression": "SET status = :n"},
            VALIDATION,
        ),
        ("UpdateItem", {"TableName": "unknown", "Key": KEY, **SET_N}, "ResourceNotFoundException"),
        ("GetItem", {"TableName": "unknown", "Key": KEY}, "ResourceNotFoundException"),
    ],
)
def test_an_invalid_request_is_refused_by_moto_and_changes_nothing(
    side: Side, table: str, operation: str, members: dict[str, Any], code: str
) -> None:
    """The errors are moto's own, since the fast path declines before anything is changed."""
    before = {**KEY, "n": {"N": "7"}}
    side.put_item(TableName=table, Item=before)
    calls: dict[str, Any] = {"TableName": table, **members}

    assert code == code_of(lambda: side.call(operation, **calls))[0]
    assert 1 == side.by_moto
    assert before == item_of(side, table)


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("PutItem", {"Item": KEY, "ReturnConsumedCapacity": "TOTAL"}),
        ("PutItem", {"Item": KEY, "Expected": {"taskId": {"Exists": False}}}),
        ("GetItem", {"Key": KEY, "ProjectionExpression": "n"}),
        ("UpdateItem", {"Key": KEY, "AttributeUpdates": {"n": {"Action": "PUT", "Value": {"N": "1"}}}}),
        ("UpdateItem", {"Key": KEY, **SET_N, "ReturnValues": "UPDATED_NEW"}),
        ("UpdateItem", {"Key": KEY, "UpdateExpression": "REMOVE n"}),
    ],
)
def test_what_the_fast_path_does_not_do_moto_does(
    side: Side, table: str, operation: str, members: dict[str, Any]
) -> None:
    """Legacy parameters, projections, consumed capacity."""
    side.call(operation, TableName=table, **members)

    assert (0, 1) == (side.by_fast_path, side.by_moto)


@pytest.mark.parametrize(
    "changes",
    [
        {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}},
        {
            "AttributeDefinitions": [{"AttributeName": "taskId", "AttributeType": "N"}],
            "GlobalSecondaryIndexes": None,
        },
        {
            "AttributeDefinitions": [
                {"AttributeName": "taskId", "AttributeType": "S"},
                {"AttributeName": "pendingShard", "AttributeType": "N"},
                {"AttributeName": "pendingSince", "AttributeType": "N"},
            ]
        },
    ],
)
def test_moto_serves_tables_that_are_not_plain(side: Side, changes: dict[str, Any]) -> None:
    """Tables with streams, and with numbers as keys that moto compares as texts."""
    table = make_table(side, **changes)
    types = {each["AttributeName"]: each["AttributeType"] for each in {**TASK_TABLE, **changes}["AttributeDefinitions"]}
    side.put_item(TableName=table, Item={"taskId": {types["taskId"]: "1"}})

    assert (0, 1) == (side.by_fast_path, side.by_moto)


def test_an_item_near_the_size_limit_is_left_to_moto(side: Side, table: str) -> None:
    """It may grow past it; the fast path only knows an upper bound of its size."""
    half = {"S": "x" * (tables.ITEM_SIZE_MAX // 2)}
    grow: dict[str, Any] = {
        "TableName": table,
        "Key": KEY,
        "UpdateExpression": "SET more = :more",
        "ExpressionAttributeValues": {":more": half},
    }
    side.put_item(TableName=table, Item={**KEY, "half": half})
    side.update_item(**grow)
    too_large = code_of(lambda: side.update_item(**{**grow, "UpdateExpression": "SET yetMore = :more"}))

    assert (1, 2) == (side.by_fast_path, side.by_moto)
    assert (VALIDATION, "Item size to update has exceeded the maximum allowed size") == too_large


def test_numbers_are_exact(side: Side, table: str) -> None:
    """Moto alone subtracts floats, adds 28 digits, and fails on an exponent; AWS has 38 digits."""
    side.put_item(TableName=table, Item={**KEY, "a": {"N": "0.3"}, "b": {"N": "1E+3"}, "c": {"N": "1" + "0" * 37}})
    answer = side.update_item(
        TableName=table,
        Key=KEY,
        UpdateExpression="SET a = a - :tenth, b = b + :e ADD c :one",
        ExpressionAttributeValues={":tenth": {"N": "0.1"}, ":e": {"N": "1e2"}, ":one": {"N": "1"}},
        ReturnValues="ALL_NEW",
    )["Attributes"]

    assert [{"N": "0.2"}, {"N": "1100"}, {"N": "1" + "0" * 36 + "1"}] == [answer[name] for name in "abc"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("zero BETWEEN :low AND :high", True),  # moto takes 0 for an attribute that is not there
        ("absent = gone", False),  # moto finds two attributes that are not there equal
        ("absent = :null", False),  # moto takes an attribute that is not there for NULL
        ("yes = :high", False),  # moto takes true for 1
        ("big = :other", False),  # moto compares floats
        ("yes < :high", False),  # moto compares true with 1
        ("big > :text", False),  # moto fails
    ],
)
def test_conditions_hold_as_on_aws_where_moto_differs(
    side: Side, table: str, condition: str, *, expected: bool
) -> None:
    """Comparisons are by type and exact, and with what is not there they do not hold."""
    item = {**KEY, "zero": {"N": "0"}, "yes": {"BOOL": True}, "big": {"N": "1.00000000000000000001"}}
    values = {
        ":low": {"N": "-1"},
        ":high": {"N": "1"},
        ":null": {"NULL": True},
        ":other": {"N": "1.00000000000000000002"},
        ":text": {"S": "a"},
    }
    side.put_item(TableName=table, Item=item)
    used = {name: value for name, value in values.items() if name in condition}
    request: dict[str, Any] = {"TableName": table, "Key": KEY, "ConditionExpression": condition}
    if used:
        request["ExpressionAttributeValues"] = used
    try:
        side.delete_item(**request)
        held = True
    except ClientError as error:
        assert "ConditionalCheckFailedException" == error.response["Error"]["Code"]  # noqa: PT017  (refused or not: both may be)
        held = False

    assert expected == held
    assert 0 == side.by_moto


def test_whoever_watches_is_told_the_key_that_a_call_is_about(
    side: Side, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an item its key alone; of one that is refused nothing, so that the request itself tells."""
    monkeypatch.setattr(taps, "watch", object())
    with_range = make_table(side, **TWO_KEYS)
    said = []
    for name, item in ((table, {**KEY, "secret": {"S": "x"}}), (with_range, {"a": {"S": "1"}, "b": {"S": "2"}})):
        side.put_item(TableName=name, Item=item)
        said.append(taps.said[1:])
    taps.said = None, None, None, None
    with pytest.raises(ClientError):
        side.put_item(TableName=table, Item={"n": {"N": "1"}})

    assert [(table, KEY, None), (with_range, {"a": {"S": "1"}, "b": {"S": "2"}}, None)] == said
    assert (None, None, None, None) == taps.said
