"""SQS messages as the records of the event that a function is given.

Source: the example events of "Using Lambda with Amazon SQS" (AWS Lambda developer guide), and for the size of an event
"Lambda quotas": a synchronous invocation takes 6 MB.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MAX_EVENT_BYTES = 6 * 1024 * 1024
_HEAD, _TAIL, _BETWEEN = b'{"Records":[', b"]}", b","
MAX_RECORD_BYTES = MAX_EVENT_BYTES - len(_HEAD) - len(_TAIL)
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Message = Mapping[str, Any]
"""A message as ReceiveMessage gives it."""


def record(message: Message, *, queue_arn: str, region: str) -> dict[str, Any]:
    """The record of a message: its body as it was sent, every attribute, binary values in base64.

    Raises:
        KeyError, TypeError: the message is not one that SQS gives.
    """
    made = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes") or {},
        "messageAttributes": {
            name: _attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }
    if md5 := message.get("MD5OfMessageAttributes"):
        made["md5OfMessageAttributes"] = md5
    return made


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    """An attribute in the event's form; SQS keeps no lists of values, and Lambda gives them as empty."""
    made: dict[str, Any] = {}
    if value.get("StringValue") is not None:
        made["stringValue"] = value["StringValue"]
    if value.get("BinaryValue") is not None:
        made["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return made | {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def encode(made: Mapping[str, Any]) -> bytes:
    """The record in JSON.

    Raises:
        TypeError, ValueError: it holds what JSON cannot say.
    """
    try:
        return _ENCODE(made).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can say and UTF-8 cannot
        return json.dumps(made).encode()


def event(encoded: Iterable[bytes]) -> bytes:
    """The event with these records."""
    return _HEAD + _BETWEEN.join(encoded) + _TAIL


def fitting(encoded: Sequence[bytes], limit: int = MAX_EVENT_BYTES) -> int:
    """How many of the first records an event of ``limit`` bytes can hold."""
    size = sum(map(len, encoded)) + len(_BETWEEN) * (len(encoded) - 1) + len(_HEAD) + len(_TAIL)
    if size <= limit:
        return len(encoded)
    size = len(_HEAD) + len(_TAIL) - len(_BETWEEN)
    for count, one in enumerate(encoded):
        size += len(one) + len(_BETWEEN)
        if size > limit:
            return count
    return len(encoded)


def trace_header(messages: Iterable[Message]) -> str | None:
    """The X-Ray header of the first message that has one; None where it could not stand in an HTTP header."""
    found = next(filter(None, ((message.get("Attributes") or {}).get("AWSTraceHeader") for message in messages)), None)
    return found if isinstance(found, str) and found.isascii() and found.isprintable() else None
