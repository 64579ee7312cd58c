"""Which DynamoDB requests go past LocalStack's chain, and that they are answered as through it."""

import json
import threading
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dlqlab.emulator import settings
from dlqlab.emulator.dynamodb import dynamodb_shortcut
from dlqlab.emulator.dynamodb.provider import FastPath
from dlqlab.emulator.gateway import shortcut
from tests.support.dynamodb import TASK_TABLE
from tests.unit.emulator.dynamodb.side import ACCOUNT_ID, REGION, Side

KEY = {"taskId": {"S": "t1"}}
SIGNED = (
    f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/dynamodb/aws4_request, SignedHeaders=host, Signature=0123abcd"
).encode()


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the server hands over of a request."""

    method: bytes = b"POST"
    path: bytes = b"/"
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""

    def reply(self) -> shortcut.Reply | None:
        return shortcut.reply(self.method, self.path, self.headers, self.body)

    def with_header(self, name: bytes, value: bytes | None) -> "Request":
        """With another header, or without it."""
        changed = self.headers | {name: value}
        return replace(self, headers={name: value for name, value in changed.items() if value is not None})


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB's calls are served by a fast path."""
    fast_path = FastPath(threading.Lock())

    def answer(call: shortcut.Call) -> shortcut.Reply | None:
        return dynamodb_shortcut.answer(call, fast_path)

    monkeypatch.setattr(shortcut, "_SERVED", {dynamodb_shortcut.TARGET.encode(): (b"dynamodb", answer)})


@pytest.fixture
def table() -> str:
    """A table with one item."""
    name = f"direct-{uuid.uuid4().hex}"
    side = Side(fast=True)
    side.call("CreateTable", TableName=name, **TASK_TABLE)
    side.put_item(TableName=name, Item=KEY | {"n": {"N": "1"}})
    return name


def _request(operation: str, members: dict[str, Any]) -> Request:
    headers = {b"x-amz-target": f"DynamoDB_20120810.{operation}".encode(), b"authorization": SIGNED}
    return Request(headers=headers, body=json.dumps(members).encode())


def _answer(request: Request) -> shortcut.Reply:
    reply = request.reply()
    assert reply is not None
    return reply


def test_item_is_answered_as_dynamodb_does(table: str) -> None:
    """Status, type, length, checksum and request id are there, and the item."""
    status, headers, body = _answer(_request("GetItem", {"TableName": table, "Key": KEY}))
    names = {name.lower(): value for name, value in headers}

    assert "200 OK" == status
    assert {"Item": KEY | {"n": {"N": "1"}}} == json.loads(body)
    assert {"content-type", "content-length", "x-amzn-requestid", "x-amz-crc32"} == set(names)
    assert str(len(body)) == names["content-length"]


def test_failed_condition_is_an_error_of_dynamodbs(table: str) -> None:
    """A refused write has status 400 and names the exception."""
    put = {"TableName": table, "Item": KEY, "ConditionExpression": "attribute_not_exists(taskId)"}
    status, headers, body = _answer(_request("PutItem", put))

    assert "400 Bad Request" == status
    assert ("X-Amzn-ErrorType", "ConditionalCheckFailedException") in headers
    assert "The conditional request failed" == json.loads(body)["message"]


HEADERS: list[tuple[bytes, bytes | None]] = [
    (b"authorization", None),
    (b"authorization", SIGNED.replace(b"dynamodb", b"sqs")),
    (b"authorization", SIGNED.replace(REGION.encode(), b"eu-north-1")),
    (b"authorization", SIGNED.replace(b"=test/", b"=111111111111/")),
    (b"authorization", SIGNED.replace(b"AWS4-HMAC-SHA256", b"Bearer")),
    (b"authorization", SIGNED.replace(REGION.encode(), b"xx-nowhere-1")),
    (b"origin", b"https://example.com"),
    (b"referer", b"https://example.com/page"),
    (b"content-encoding", b"gzip"),
    (b"transfer-encoding", b"chunked"),
    (b"x-amz-target", b"DynamoDB_20120810.ListTables"),
    (b"x-amz-target", b"DynamoDB_20120810"),
    (b"x-amz-target", b"AmazonSQS.SendMessage"),
    (b"x-amz-target", None),
]


@pytest.mark.parametrize(("name", "value"), HEADERS, ids=str)
def test_other_requests_go_through_the_chain(table: str, name: bytes, value: bytes | None) -> None:
    """What is not a plain signed call, or not of a table here, is left alone."""
    request = _request("GetItem", {"TableName": table, "Key": KEY})

    assert request.reply() is not None
    assert request.with_header(name, value).reply() is None


@pytest.mark.parametrize(
    "changes",
    [{"method": b"GET"}, {"path": b"/other"}, {"path": b"/?a=b"}, {"body": b""}, {"body": b"[1]"}, {"body": b"{"}],
    ids=str,
)
def test_what_is_no_call_goes_through_the_chain(table: str, changes: dict[str, bytes]) -> None:
    """Calls are posted to the root, and are a JSON object."""
    assert replace(_request("GetItem", {"TableName": table, "Key": KEY}), **changes).reply() is None  # type: ignore[arg-type]


def test_missing_table_goes_through_the_chain() -> None:
    """That there is no such table is for the chain to say."""
    assert _request("GetItem", {"TableName": "missing", "Key": KEY}).reply() is None


def test_what_the_fast_path_declines_goes_through_the_chain(table: str) -> None:
    """A call that moto must serve is not answered here."""
    assert _request("GetItem", {"TableName": table, "Key": KEY, "AttributesToGet": ["n"]}).reply() is None


def test_call_is_of_the_signatures_account_and_region() -> None:
    """Account and region are those of the signature: an access key of twelve digits is an account."""
    own = shortcut.call_of(b"GetItem", {b"authorization": SIGNED}, b"{}", service=b"dynamodb")
    other = SIGNED.replace(b"=test/", b"=111111111111/").replace(REGION.encode(), b"eu-north-1")
    others = shortcut.call_of(b"GetItem", {b"authorization": other}, b"{}", service=b"dynamodb")

    assert own is not None
    assert others is not None
    assert (ACCOUNT_ID, REGION) == (own.account_id, own.region)
    assert ("111111111111", "eu-north-1") == (others.account_id, others.region)


def test_call_of_a_region_that_there_is_not_is_none_to_serve_here() -> None:
    """The chain takes another region in the place of one that it does not know."""
    signed = SIGNED.replace(REGION.encode(), b"xx-nowhere-1")

    assert shortcut.call_of(b"GetItem", {b"authorization": signed}, b"{}", service=b"dynamodb") is None


@pytest.mark.parametrize(("record", "expected"), [("", "200 OK"), ("/calls.json", None)])
def test_calls_that_are_recorded_go_through_the_chain(
    monkeypatch: pytest.MonkeyPatch, record: str, expected: str | None
) -> None:
    """A service's calls are served from here once it is registered, except where the chain records them."""
    monkeypatch.setenv(settings.CALL_RECORD, record)
    shortcut.serve(target="Other", service="dynamodb", answer=lambda _: ("200 OK", [], b""))
    reply = _request("Get", {}).with_header(b"x-amz-target", b"Other.Get").reply()

    assert expected == (reply and reply[0])
