"""Log lines to rows."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.collect.lines import BadLine, EventRow, InvocationRow, OtherLine, Source, parse
from dlqlab.contracts.tables import EVENTS, frame
from taskrules.events import OWN_FIELDS, Context, EventName, build_event, to_line
from tests.support.collect.fakes import started_line

SOURCE = Source(function="p", log_stream="s", stored_ts=2.0, line_id="i")
REQUEST = "0d3f1a0c-8a3e-4c57-9d0f-2d2f2b1b5a11"
BASE = {"function": "p", "log_stream": "s", "stored_ts": 2.0, "request_id": REQUEST}


def invocation(line: str) -> dict[str, Any]:
    parsed = parse(line, SOURCE)
    assert isinstance(parsed, InvocationRow)
    return parsed.row


def event(line: str) -> dict[str, Any]:
    parsed = parse(line, SOURCE)
    assert isinstance(parsed, EventRow)
    return parsed.row


def test_every_field_of_every_event_has_a_column() -> None:
    """No event of the schema loses a field on its way into the table, except the schema's version."""
    for name, fields in OWN_FIELDS.items():
        row = event(to_line(build_event(name, Context(), 1.0, **dict.fromkeys(fields))))
        given_fields = set(build_event(name, Context(), 1.0, **dict.fromkeys(fields))) - {"schema"}
        assert len(given_fields) + 3 == len(row)
        assert set(row) <= set(EVENTS)


def test_an_event_becomes_a_row_of_the_table() -> None:
    """Fields become columns, the payload JSON, and where the line lies goes with it."""
    context = Context(run_id="r", task_id="t-1", attempt=3, generation=1, cold_start=True)
    own = {"payload": {"city": "Köln"}, "errorType": "E", "errorMessage": "m", "attempts": 3}
    own |= {"reason": "retries exhausted", "firstTs": 1, "lastTs": 1.25, "archived": True}
    line = to_line(build_event(EventName.TASK_DEAD_LETTERED, context, 1.5, **own))

    row = frame("events", [event(line)]).iloc[0].dropna().to_dict()

    expected = {
        "event": "task.dead_lettered",
        "ts": 1.5,
        "run_id": "r",
        "task_id": "t-1",
        "attempt": 3,
        "generation": 1,
        "cold_start": True,
        "error_type": "E",
        "error_message": "m",
        "reason": "retries exhausted",
        "payload": '{"city":"Köln"}',
        "attempts": 3,
        "first_ts": 1.0,
        "last_ts": 1.25,
        "archived": True,
        "stored_ts": 2.0,
        "log_stream": "s",
        "line_id": "i",
    }
    assert expected == row


def test_a_text_payload_is_kept_apart_from_an_object() -> None:
    """A payload that is a text is JSON, too: with quotes."""
    fields = dict.fromkeys(OWN_FIELDS[EventName.TASK_DEAD_LETTERED]) | {"payload": "ERROR"}

    row = event(to_line(build_event(EventName.TASK_DEAD_LETTERED, Context(), 1.0, **fields)))

    assert row["payload"] == '"ERROR"'


@pytest.mark.parametrize(
    ("field", "value"), [("attempt", "1"), ("attempt", True), ("attempt", 1.5), ("ts", "now"), ("coldStart", 1)]
)
def test_a_field_of_a_wrong_type_is_a_bad_line(field: str, value: object) -> None:
    """A value that its column cannot hold makes the line bad, not the table unreadable."""
    line = json.dumps(json.loads(started_line("t", 1.0)) | {field: value})

    parsed = parse(line, SOURCE)

    assert isinstance(parsed, BadLine)
    assert field in parsed.error


@pytest.mark.parametrize("line", ['{"event": "nonsense", "schema": 1}', '{"event": "attempt.started", "schema": 2}'])
def test_an_event_that_breaks_the_schema_is_a_bad_line(line: str) -> None:
    """Lines that say that they are events are never dropped silently."""
    assert isinstance(parse(line, SOURCE), BadLine)


def test_half_a_surrogate_pair_can_be_stored() -> None:
    """A character that no file can hold is escaped, and the row survives."""
    line = json.dumps(json.loads(started_line("t", 1.0)) | {"taskId": "x\ud800"})

    assert frame("events", [event(line)]).loc[0, "task_id"] == "x\\ud800"


def test_report_lines_become_invocations() -> None:
    """Duration, cold start and memory come from the REPORT line."""
    line = (
        f"REPORT RequestId: {REQUEST}\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 256 MB\t"
        "Max Memory Used: 40 MB\tInit Duration: 120.11 ms\t\n"
    )

    numbers = {"duration_ms": 1.23, "init_duration_ms": 120.11, "memory_mb": 40.0, "status": "ok"}
    assert BASE | numbers == invocation(line)


def test_a_report_line_may_carry_the_status() -> None:
    """Newer REPORT lines say themselves how the invocation ended."""
    line = f"REPORT RequestId: {REQUEST}\tDuration: 3.00 ms\tMax Memory Used: 40 MB\tStatus: timeout"

    numbers = {"duration_ms": 3.0, "init_duration_ms": None, "memory_mb": 40.0, "status": "timeout"}
    assert BASE | numbers == invocation(line)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (f"2026-01-01T00:00:00.000Z {REQUEST} Task timed out after 10.00 seconds", "timeout"),
        (f"RequestId: {REQUEST} Error: Runtime exited with error: exit status 1 Runtime.ExitError", "error"),
        (f"RequestId: {REQUEST} Process exited before completing request", "error"),
    ],
)
def test_marks_say_how_an_invocation_ended(line: str, status: str) -> None:
    """Time-outs and crashes are marks of their invocation."""
    assert BASE | {"status": status} == invocation(line)


@pytest.mark.parametrize(
    "line", ["", "  \n", f"START RequestId: {REQUEST} Version: $LATEST", f"END RequestId: {REQUEST}"]
)
def test_lines_without_news_are_quiet(line: str) -> None:
    """START and END say nothing beyond the REPORT line."""
    assert parse(line, SOURCE) is None


@given(st.text())
def test_any_text_is_some_line(text: str) -> None:
    """No line that a function can print breaks the parser or becomes an event."""
    parsed = parse(text, SOURCE)

    assert parsed is None or isinstance(parsed, OtherLine | InvocationRow)
