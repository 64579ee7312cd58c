"""Trace headers that a function can be given, and the recorder of calls, which only looks on."""

from pathlib import Path
from typing import Any

import pytest
from localstack.utils.xray.trace_header import TraceHeader

from dlqlab.emulator.core.isolated_observers import GuardedTimer, is_sendable
from dlqlab.emulator.core.isolation import failures
from dlqlab.emulator.gateway.call_recorder import CallRecorder
from dlqlab.emulator.gateway.calls import Call
from dlqlab.waiting import wait_for


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", True),
        ("Root=1-ü;Sampled=1", False),
        ("Root=1-5759e988;x=1\r\nEvil: 1", False),
    ],
)
def test_a_trace_header_must_fit_into_a_header_of_http(text: str, *, expected: bool) -> None:
    """Else the invocation would fail before the function sees it, and the message with it."""
    assert expected == is_sendable(TraceHeader.from_header_str(text))


def test_what_is_no_trace_header_is_not_sent() -> None:
    """Whatever LocalStack has there."""
    assert not is_sendable("Root=1")


def test_a_recorder_that_cannot_record_lets_the_call_through(tmp_path: Path) -> None:
    """Neither a request that it does not understand nor a file that it cannot write is the caller's trouble."""
    recorder = CallRecorder(tmp_path / "missing" / "calls.jsonl")
    before = failures("recorded calls of functions")
    odd: Any = object()
    recorder(None, odd, None)
    recorder.note(Call("role", "sqs:SendMessage", "queue"))

    def probe() -> tuple[bool, int]:
        found = failures("recorded calls of functions") - before
        return found == 2, found

    assert 2 == wait_for("both failures", probe, deadline_s=10, interval_s=0.01)


def test_a_timer_that_cannot_be_had_ends_no_invocation() -> None:
    """Neither when it is made, nor started, nor cancelled."""

    def make(_interval_s: float, _function: Any) -> None:
        raise RuntimeError("can't start new thread")

    timer = GuardedTimer(make, 1.0, list)
    timer.start()
    timer.cancel()

    assert failures("timers of execution environments") >= 1
