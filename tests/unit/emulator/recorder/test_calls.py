"""Calls that their server has parsed are told as those whose bodies are parsed for it, and hold no more on disk."""

import base64
import json
from io import BytesIO
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from dlqlab.emulator.recorder.calls import completed, described, finished, note_members
from dlqlab.emulator.recorder.chunks import Row, decode, encode
from dlqlab.emulator.recorder.rows import (
    CALL,
    CALL_FIELDS,
    SERVED_CALL,
    UNFINISHED_CALL,
    UNFINISHED_CALL_FIELDS,
)

HANDLE = base64.b64encode(b"random arn:aws:sqs:r:1:q message-1 123.4").decode()
SECRET = "AKIAABCDEFGHIJKLMNOP"
ERROR = b'{"__type": "com.amazonaws#ConditionalCheckFailedException"}'
_TEXTS = st.one_of(st.text(max_size=6), st.sampled_from(["Key", "TableName", "id", "\ud83d"]))
_VALUES = st.recursive(
    st.one_of(_TEXTS.map(lambda text: {"S": text}), st.booleans().map(lambda flag: {"BOOL": flag}), st.none()),
    lambda inner: st.dictionaries(_TEXTS, inner, max_size=2).map(lambda values: {"M": values}),
    max_leaves=4,
)
_ANY = st.one_of(_TEXTS, st.integers(), st.none(), st.lists(st.integers(), max_size=2))
_DYNAMODB = st.fixed_dictionaries(
    {},
    optional={
        "TableName": st.one_of(st.sampled_from(["one", "two", "unknown"]), _ANY),
        "Key": st.one_of(st.dictionaries(st.sampled_from(["id", "sort"]), _VALUES, max_size=2), _ANY),
        "Item": st.one_of(st.dictionaries(st.sampled_from(["id", "sort", "more"]), _VALUES, max_size=3), _ANY),
        "UpdateExpression": st.one_of(st.sampled_from(["SET a = :a", "x" * 5_000]), _ANY),
        "ReturnValues": _TEXTS,
    },
)
_SQS = st.fixed_dictionaries(
    {},
    optional={
        "QueueUrl": st.one_of(st.just("http://q"), _ANY),
        "ReceiptHandle": st.one_of(st.sampled_from([HANDLE, "none"]), _ANY),
        "MessageBody": _TEXTS,
    },
)


def keys_of(table: str) -> tuple[str, ...] | None:
    return {"one": ("id",), "two": ("id", "sort")}.get(table)


def unfinished(service: str, operation: str, members: Any, error: bytes | None = None) -> list[Any]:
    values = dict.fromkeys(UNFINISHED_CALL_FIELDS) | {
        "seq": 1,
        "ts": 10.0,
        "ended_ts": 10.5,
        "actor_kind": "invocation",
        "actor": "worker",
        "request_id": "r",
        "service": service,
        "operation": f"Api.{operation}".encode(),
        "trace_header": b"Root=1-a;Parent=b",
        "status": "400 Bad Request" if error else "200 OK",
        "method": b"POST",
        "url": b"/",
        "body": json.dumps(members).encode(),
        "error_body": error,
        "size": 100,
    }
    return [UNFINISHED_CALL, *values.values()]


def parsed(row: list[Any]) -> list[Any]:
    """The row once its server has parsed its body."""
    body = row[1 + UNFINISHED_CALL_FIELDS.index("body")]
    note_members(row, body, json.loads(body))
    return row


def read(row: list[Any]) -> list[Row]:
    """What a reader finds of it."""
    (rows,) = decode(BytesIO(encode(list(finished(row, keys_of)))))
    return list(completed(rows))


@given(
    call=st.one_of(
        st.tuples(st.just("dynamodb"), st.sampled_from(["GetItem", "PutItem", "UpdateItem", "Query"]), _DYNAMODB),
        st.tuples(st.just("sqs"), st.sampled_from(["SendMessage", "DeleteMessage"]), _SQS),
        st.tuples(st.just("logs"), st.just("FilterLogEvents"), st.just({"logGroupName": "g"})),
    ),
    error=st.sampled_from([None, ERROR]),
)
@example(call=("dynamodb", "PutItem", {"TableName": "two", "Item": {"id": {"S": "a"}, "sort": {"N": "1"}}}), error=None)
@example(call=("dynamodb", "PutItem", {"TableName": "one", "Item": {"id": {"S": "a"}}}), error=ERROR)
@example(call=("sqs", "DeleteMessage", {"QueueUrl": "http://q", "ReceiptHandle": HANDLE}), error=None)
def test_parsed_call_is_told_as_its_body_tells_it(call: tuple[str, str, Any], error: bytes | None) -> None:
    """Whoever has parsed it, served or refused."""
    told = list(described(unfinished(*call, error), keys_of))

    assert told == read(parsed(unfinished(*call, error)))
    assert told == read(unfinished(*call, error))


def test_served_call_is_described_by_its_reader() -> None:
    """The emulator does not, which is what makes it cheap."""
    members = {"TableName": "one", "Key": {"id": {"S": "t"}}, "UpdateExpression": "ADD n :one"}
    (written,) = finished(parsed(unfinished("dynamodb", "UpdateItem", members)), keys_of)
    ((tag, *values),) = completed([written])

    assert SERVED_CALL == written[0]
    found = dict(zip(CALL_FIELDS, values, strict=True))
    assert CALL == tag
    assert ("UpdateItem", "one", '{"id":{"S":"t"}}', "ADD n :one") == tuple(
        found[name] for name in ("operation", "resource", "item_key", "update")
    )
    assert ("worker", 0.5, 200, None) == tuple(
        found[name] for name in ("function", "duration_s", "status", "error_code")
    )


def test_nothing_of_a_body_reaches_the_disk_but_what_is_told() -> None:
    """Neither the attributes of an item nor a message, of a call that is served or refused."""
    for error in (None, ERROR):
        for service, operation, members in (
            ("dynamodb", "PutItem", {"TableName": "one", "Item": {"id": {"S": "t"}, "key": {"S": SECRET}}}),
            ("dynamodb", "UpdateItem", {"TableName": "one", "ExpressionAttributeValues": {":key": {"S": SECRET}}}),
            ("sqs", "SendMessage", {"QueueUrl": "http://q", "MessageBody": SECRET}),
        ):
            for row in (unfinished(service, operation, members, error), None):
                written = row or parsed(unfinished(service, operation, members, error))
                assert SECRET.encode() not in encode(list(finished(written, keys_of)))


def test_members_of_another_body_are_left_alone() -> None:
    """As when a service calls another while it serves its own request."""
    row = unfinished("dynamodb", "GetItem", {"TableName": "one", "Key": {"id": {"S": "mine"}}})
    note_members(row, b'{"TableName": "two"}', {"TableName": "two"})

    assert "one" == read(row)[0][1 + CALL_FIELDS.index("resource")]
