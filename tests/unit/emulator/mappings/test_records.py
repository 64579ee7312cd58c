"""Records of a function's event, against AWS's documented form, for whatever a message can hold."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlqlab.emulator.mappings.records import MAX_EVENT_BYTES, encode, event, fitting, record, trace_header

ARN = "arn:aws:sqs:eu-north-1:111111111111:q"
SYSTEM = {
    "ApproximateReceiveCount": "1",
    "SentTimestamp": "1545082649183",
    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
    "ApproximateFirstReceiveTimestamp": "1545082649185",
}
OF_FIFO = {"SequenceNumber": "18849496460467696128", "MessageGroupId": "1", "MessageDeduplicationId": "1"}
KEYS = {"messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfBody"} | {
    "eventSource",
    "eventSourceARN",
    "awsRegion",
}

any_text = st.text(st.characters(codec=None, categories=None))
"""All of Unicode, halves of surrogate pairs as well."""
labels = st.one_of(st.just(""), st.text("abcXYZ09", min_size=1, max_size=8).map(lambda label: f".{label}"))
strings = st.builds(
    lambda kind, label, value: {"DataType": kind + label, "StringValue": value},
    st.sampled_from(["String", "Number"]),
    labels,
    any_text,
)
binaries = st.builds(
    lambda label, value, kind: {"DataType": f"Binary{label}", "BinaryValue": kind(value)},
    labels,
    st.binary(),
    st.sampled_from([bytes, bytearray]),
)
system_attributes = st.builds(
    lambda fifo, trace: SYSTEM | (OF_FIFO if fifo else {}) | ({"AWSTraceHeader": trace} if trace else {}),
    st.booleans(),
    any_text,
)


def _message(body: str, attributes: dict[str, Any], system: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "MessageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "ReceiptHandle": "AQEB",
        "Body": body,
        "MD5OfBody": hashlib.md5(body.encode("utf-8", "surrogatepass")).hexdigest(),
        "Attributes": system,
    }
    return made | ({"MessageAttributes": attributes, "MD5OfMessageAttributes": "ab"} if attributes else {})


def _read(message: dict[str, Any]) -> dict[str, Any]:
    """What the function is given for the message."""
    found: dict[str, Any] = json.loads(event([encode(record(message, queue_arn=ARN, region="eu-north-1"))]))
    assert ["Records"] == [*found]
    return dict(found["Records"][0])


messages = st.builds(_message, any_text, st.dictionaries(any_text, st.one_of(strings, binaries)), system_attributes)


@settings(deadline=None)
@given(messages)
def test_record_has_the_documented_form(message: dict[str, Any]) -> None:
    """Body and system attributes are as they were; each attribute has its value, its type and two empty lists."""
    found = _read(message)
    attributes = message.get("MessageAttributes", {})

    assert KEYS | ({"md5OfMessageAttributes"} if attributes else set()) == found.keys()
    assert (message["Body"], message["MD5OfBody"], message["Attributes"]) == (
        found["body"],
        found["md5OfBody"],
        found["attributes"],
    )
    assert ("aws:sqs", ARN, "eu-north-1") == (found["eventSource"], found["eventSourceARN"], found["awsRegion"])
    assert {name: _documented(value) for name, value in attributes.items()} == found["messageAttributes"]


def _documented(value: dict[str, Any]) -> dict[str, Any]:
    lists: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "BinaryValue" in value:
        return lists | {"binaryValue": base64.b64encode(value["BinaryValue"]).decode("ascii")}
    return lists | {"stringValue": value["StringValue"]}


@settings(deadline=None)
@given(messages)
def test_building_a_record_leaves_the_message_as_it_is(message: dict[str, Any]) -> None:
    """The same message can be made into a record again."""
    assert _read(message) == _read(message)


@pytest.mark.parametrize("text", ["x", "ü", "\U0001f600", '"', "\n", "\ud83d"])
def test_body_of_a_mebibyte_reaches_the_event(text: str) -> None:
    """The largest body that SQS takes fits, whatever JSON makes of its characters."""
    body = text * (1_048_576 // len(text.encode("utf-8", "surrogatepass")))
    encoded = encode(record(_message(body, {}, SYSTEM), queue_arn=ARN, region="eu-north-1"))

    assert body == json.loads(encoded)["body"]
    assert 1 == fitting([encoded])


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20)), st.integers(14, 200))
def test_batch_is_as_much_as_fits(encoded: list[bytes], limit: int) -> None:
    """The event with so many records is within the limit, and with one more it is not."""
    count = fitting(encoded, limit)

    assert not count or len(event(encoded[:count])) <= limit
    assert count == len(encoded) or len(event(encoded[: count + 1])) > limit


def test_event_is_at_most_six_megabytes() -> None:
    """Lambda's quota of a synchronous invocation."""
    assert 6_291_456 == MAX_EVENT_BYTES


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([None, "Root=1-5759e988-bd862e3f;Sampled=1"], "Root=1-5759e988-bd862e3f;Sampled=1"),
        (["Root=1-5759e988\r\nX: y"], None),
        (["Root=ü"], None),
        ([""], None),
        ([7], None),
    ],
    ids=str,
)
def test_trace_header_is_one_that_http_can_carry(headers: list[Any], expected: str | None) -> None:
    """The first header of a batch is the invocation's; one with a line break in it must not reach the runtime."""
    found = [{"Attributes": {} if header is None else {"AWSTraceHeader": header}} for header in headers]

    assert expected == trace_header(found)


def test_message_without_attributes_has_no_trace_header() -> None:
    """ReceiveMessage leaves the member out where there are none."""
    assert trace_header([{}]) is None
