"""Segments that are sent: which are taken, and how long they are kept."""

import json
from typing import Any

import pytest

from dlqlab.emulator.xray.sent import DOCUMENT_MAX_BYTES, RefusedError, Store, checked

TRACE = "1-6b0b29af-392687750b9865922f2016bf"
GOOD: dict[str, Any] = {"id": "0123456789abcdef", "trace_id": TRACE, "name": "n", "start_time": 1.5, "end_time": 2}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize("good", [GOOD, without("end_time") | {"in_progress": True}, GOOD | {"type": "subsegment"}])
def test_a_whole_segment_is_taken(good: dict[str, Any]) -> None:
    assert good == checked(json.dumps(good))


@pytest.mark.parametrize(
    ("bad", "segment_id", "code", "told"),
    [
        (json.dumps(without("id")), None, "MissingParameter", "id"),
        (json.dumps(GOOD | {"id": "xyz"}), "xyz", "InvalidParameter", "id"),
        (json.dumps(GOOD | {"trace_id": "1-2-3"}), GOOD["id"], "InvalidParameter", "trace_id"),
        (json.dumps(GOOD | {"name": ""}), GOOD["id"], "InvalidParameter", "name"),
        (json.dumps(GOOD | {"start_time": True}), GOOD["id"], "InvalidParameter", "start_time"),
        (json.dumps(without("end_time")), GOOD["id"], "MissingParameter", "end_time"),
        ("[]", None, "ParseError", "a list, not an object"),
        ("{", None, "ParseError", "ParseError"),
        (json.dumps(GOOD | {"name": "n" * DOCUMENT_MAX_BYTES}), None, "SegmentTooLarge", "larger than 65536 bytes"),
    ],
    ids=["no id", "id", "trace", "name", "time", "no end", "list", "no JSON", "large"],
)
def test_what_is_no_segment_is_refused(bad: str, segment_id: str | None, code: str, told: str) -> None:
    """With its id where it has one, and what is wrong."""
    with pytest.raises(RefusedError, match=told) as refused:
        checked(bad)
    assert (segment_id, code) == (refused.value.segment_id, refused.value.code)


def test_the_oldest_trace_makes_room() -> None:
    """And the newest stays, even if it needs all of it."""
    one = len(json.dumps(GOOD))
    store = Store(room_bytes=2 * one)
    traces = [TRACE[:-1] + digit for digit in "012"]
    for trace in traces:
        store.add(json.dumps(GOOD | {"trace_id": trace}), "request")

    assert [0, 1, 1] == [len(store.of(trace)) for trace in traces]
    assert dict.fromkeys(traces[1:], 1.5) == store.starts()
    assert "request" == store.of(traces[2])[0].request_id
