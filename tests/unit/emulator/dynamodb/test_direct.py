"""Which DynamoDB requests go past LocalStack's chain, and that they are answered as through it."""

import io
import json
import threading
import uuid
from typing import Any

import pytest

from dlqlab.emulator.dynamodb.provider import FastPath
from dlqlab.emulator.patches.direct_dynamodb import reply
from tests.unit.emulator.dynamodb.side import REGION, TASK_TABLE, Side

KEY = {"taskId": {"S": "t1"}}
SIGNED = (
    f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/dynamodb/aws4_request, SignedHeaders=host, Signature=0123abcd"
)


@pytest.fixture
def table() -> str:
    """A table with one item."""
    name = f"direct-{uuid.uuid4().hex}"
    side = Side(fast=True)
    side.call("CreateTable", TableName=name, **TASK_TABLE)
    side.put_item(TableName=name, Item=KEY | {"n": {"N": "1"}})
    return name


def _environ(operation: str, members: dict[str, Any], **changes: Any) -> dict[str, Any]:
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "HTTP_X_AMZ_TARGET": f"DynamoDB_20120810.{operation}",
        "HTTP_AUTHORIZATION": SIGNED,
        "wsgi.input": io.BytesIO(json.dumps(members).encode()),
    } | changes
    return {name: value for name, value in environ.items() if value is not None}


def _reply(environ: dict[str, Any]) -> Any:
    return reply(environ, FastPath(threading.Lock()))


def test_item_is_answered_as_dynamodb_does(table: str) -> None:
    """Status, type, length, checksum and request id are there, and the item."""
    status, headers, body = _reply(_environ("GetItem", {"TableName": table, "Key": KEY}))
    names = {name.lower(): value for name, value in headers}

    assert "200 OK" == status
    assert {"Item": KEY | {"n": {"N": "1"}}} == json.loads(body)
    assert {"content-type", "content-length", "x-amzn-requestid", "x-amz-crc32"} == set(names)
    assert str(len(body)) == names["content-length"]


def test_failed_condition_is_an_error_of_dynamodbs(table: str) -> None:
    """A refused write has status 400 and names the exception."""
    put = {"TableName": table, "Item": KEY, "ConditionExpression": "attribute_not_exists(taskId)"}
    status, headers, body = _reply(_environ("PutItem", put))

    assert "400 Bad Request" == status
    assert ("X-Amzn-ErrorType", "ConditionalCheckFailedException") in headers
    assert "The conditional request failed" == json.loads(body)["message"]


CHANGES: list[dict[str, Any]] = [
    {"HTTP_AUTHORIZATION": None},
    {"HTTP_AUTHORIZATION": SIGNED.replace("dynamodb", "sqs")},
    {"HTTP_AUTHORIZATION": SIGNED.replace(REGION, "eu-north-1")},
    {"HTTP_AUTHORIZATION": SIGNED.replace("=test/", "=111111111111/")},
    {"HTTP_ORIGIN": "https://example.com"},
    {"HTTP_CONTENT_ENCODING": "gzip"},
    {"HTTP_X_AMZ_TARGET": "DynamoDB_20120810.ListTables"},
    {"HTTP_X_AMZ_TARGET": "AmazonSQS.SendMessage"},
    {"HTTP_X_AMZ_TARGET": None},
    {"REQUEST_METHOD": "GET"},
    {"PATH_INFO": "/other"},
    {"wsgi.input": object()},
]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_other_requests_go_through_the_chain(table: str, changes: dict[str, Any]) -> None:
    """What is not a plain signed call, or not of a table here, is left alone."""
    assert _reply(_environ("GetItem", {"TableName": table, "Key": KEY}, **changes)) is None


def test_what_the_fast_path_declines_goes_through_the_chain(table: str) -> None:
    """A call that moto must serve is not answered here."""
    assert _reply(_environ("GetItem", {"TableName": table, "Key": KEY, "AttributesToGet": ["n"]})) is None
