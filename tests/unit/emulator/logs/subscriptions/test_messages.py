"""What CloudWatch Logs sends to the subscriber of a log group."""

import base64
import gzip
import json
import random
import string
from typing import Any

from dlqlab.emulator.logs.patterns import compile_pattern
from dlqlab.emulator.logs.subscriptions.messages import Event, Source, messages

SOURCE = Source(account_id="000000000000", group="/aws/lambda/f", stream="s", filter="errors")
INVOKE_BYTES_MAX = 1_048_576
"""Payload of an asynchronous invocation."""


def _opened(payload: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        gzip.decompress(base64.b64decode(json.loads(payload)["awslogs"]["data"], validate=True))
    )
    return document


def test_the_payload_is_the_documented_one() -> None:
    """The events that match, as they were logged, with whose they are and by which filter."""
    events = [Event("1", 5, "ERROR ü\n"), Event("2", 6, "calm"), Event("3", 7, "ERROR \ud83d")]
    (message,) = messages(events, compile_pattern("ERROR"))

    assert {
        "messageType": "DATA_MESSAGE",
        "owner": "000000000000",
        "logGroup": "/aws/lambda/f",
        "logStream": "s",
        "subscriptionFilters": ["errors"],
        "logEvents": [
            {"id": "1", "timestamp": 5, "message": "ERROR ü\n"},
            {"id": "3", "timestamp": 7, "message": "ERROR \ud83d"},
        ],
    } == _opened(message.payload(SOURCE))


def test_columns_of_a_space_delimited_pattern_are_sent_along() -> None:
    """By the names in the pattern."""
    (message,) = messages([Event("1", 5, "GET 404")], compile_pattern("[method, status=4*]"))

    assert {"method": "GET", "status": "404"} == _opened(message.payload(SOURCE))["logEvents"][0]["extractedFields"]


def test_nothing_is_sent_where_nothing_matches() -> None:
    """No empty message."""
    assert [] == list(messages([Event("1", 5, "calm")], compile_pattern("ERROR")))


def test_many_lines_are_several_messages_that_lambda_takes() -> None:
    """Even if they cannot be compressed; no event is lost or sent twice."""
    letters = random.Random(7)
    texts = ["".join(letters.choices(string.printable, k=50_000)) for _ in range(60)]
    sent = [
        message.payload(SOURCE)
        for message in messages([Event(str(n), n, text) for n, text in enumerate(texts)], compile_pattern(""))
    ]

    assert len(sent) > 1
    assert max(len(payload) for payload in sent) < INVOKE_BYTES_MAX
    assert texts == [event["message"] for payload in sent for event in _opened(payload)["logEvents"]]
