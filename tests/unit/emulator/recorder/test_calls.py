"""Calls that their server has parsed are told as those whose bodies are parsed for it, and hold no more on disk."""

import base64
import json
from io import BytesIO
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from dlqlab.emulator.recorder.calls import Told, finished
from dlqlab.emulator.recorder.chunks import Row, decode, encode, encode_row
from dlqlab.emulator.recorder.completing import completed
from dlqlab.emulator.recorder.rows import CALL, CALL_FIELDS, SERVED_CALL, UNFINISHED_CALL

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


def unfinished(
    service: str, operation: str, members: Any, error: bytes | None = None, told: Told | None = None
) -> tuple[Any, ...]:
    target, header = f"Api.{operation}".encode(), b"Root=1-a;Parent=b"
    began = SERVED_CALL, 1, 10.0, "invocation", "worker", "r", service, target, header
    request = b"POST", b"/", json.dumps(members).encode()
    return UNFINISHED_CALL, began, request, 10.5, "400 Bad Request" if error else "200 OK", error, told


def read(row: Row) -> list[Row]:
    """What a reader finds of it."""
    (rows,) = decode(BytesIO(encode([encode_row(one) for one in finished(row, keys_of)])))
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
def test_call_that_is_left_to_readers_is_told_as_one_that_is_not(
    call: tuple[str, str, Any], error: bytes | None
) -> None:
    """Served or refused."""
    told = list(finished(unfinished(*call, error, Told()), keys_of))

    assert CALL == told[0][0]
    assert told == read(unfinished(*call, error))


def test_served_call_is_described_by_its_reader() -> None:
    """The emulator does not, which is what makes it cheap."""
    members = {"TableName": "one", "Key": {"id": {"S": "t"}}, "UpdateExpression": "ADD n :one"}
    (written,) = finished(unfinished("dynamodb", "UpdateItem", members), keys_of)
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
            written = finished(unfinished(service, operation, members, error), keys_of)
            assert SECRET.encode() not in b"".join(map(encode_row, written))


def test_what_the_chain_has_found_out_comes_first() -> None:
    """The operation of a protocol whose requests do not name it, and what it is about."""
    (row,) = read(unfinished("s3", "unknown", {}, told=Told("PutObject", "bucket")))
    (stage,) = read(unfinished("execute-api", "unknown", {}, told=Told(url=b"/_aws/execute-api/a/$default/orders?n=1")))
    operation, resource = (1 + CALL_FIELDS.index(name) for name in ("operation", "resource"))

    assert ("PutObject", "bucket") == (row[operation], row[resource])
    assert ("POST", "/_aws/execute-api/a/$default/orders") == (stage[operation], stage[resource])


def test_call_about_several_items_has_a_row_for_each() -> None:
    keys = [{"Delete": {"TableName": "one", "Key": {"id": {"S": name}}}} for name in "ab"]
    rows = read(unfinished("dynamodb", "TransactWriteItems", {"TransactItems": keys}))

    assert ['{"id":{"S":"a"}}', '{"id":{"S":"b"}}'] == [row[1 + CALL_FIELDS.index("item_key")] for row in rows]
