"""Whose a segment is that nobody's credentials came with."""

import json
from typing import Any

import pytest

from dlqlab.emulator.xray.senders import sender
from dlqlab.emulator.xray.sent import Sent
from dlqlab.traces.model import About, Kind, Place, Span


def ran(name: str, start_ts: float, end_ts: float, *, is_ended: bool = True) -> Span:
    return Span(
        at=Place("t", name),
        about=About.INVOCATION,
        name="f",
        kind=Kind.SERVER,
        service="f",
        start_ts=start_ts,
        end_ts=end_ts,
        parent_id=None,
        attributes={"faas.invocation_id": f"request-{name}"},
        is_ended=is_ended,
    )


def sent(ts: float, request_id: str | None = None, kind: str | None = "subsegment") -> Sent:
    document: dict[str, Any] = {"start_time": ts, "type": kind}
    return Sent(document, request_id, len(json.dumps(document)))


RAN = [ran("a", 1, 3), ran("b", 2, 5), ran("c", 8, 8, is_ended=False)]


@pytest.mark.parametrize(
    ("one", "above"),
    [
        (sent(99, "request-b"), "b"),
        (sent(1.5, "request-of-none"), None),
        (sent(1.5), "a"),
        (sent(4), "b"),
        (sent(9), "c"),
        (sent(2.5), None),
        (sent(7), None),
        (sent(1.5, kind=None), None),
    ],
    ids=["by credentials", "unknown", "first", "second", "still running", "two ran", "none ran", "a client's segment"],
)
def test_sender_of_a_document(one: Sent, above: str | None) -> None:
    """By credentials, else the only invocation that ran then; where two did, nobody guesses."""
    assert sender(one, RAN) == above
