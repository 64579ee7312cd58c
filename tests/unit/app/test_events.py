"""The log events, and the writer of them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from chalicelib.services import write_line

from taskrules.events import (
    COMMON_FIELDS,
    OWN_FIELDS,
    Context,
    EventName,
    EventSchemaError,
    build_event,
    parse_line,
    to_line,
)
from taskrules.telemetry import Telemetry, trace_root

ROOT = Path(__file__).parents[3]
CONTEXT = Context(run_id="r", function="f", request_id="q", task_id="t", cold_start=False)


def own(name: EventName) -> dict[str, Any]:
    return dict.fromkeys(OWN_FIELDS[name], "x")


@pytest.mark.parametrize("name", EventName)
def test_event_reads_back(name: EventName) -> None:
    """What is written as a line is read as the same event, with all fields in schema order."""
    event = build_event(name, CONTEXT, 1.23456789, **own(name))

    assert event == parse_line(to_line(event))
    assert [*COMMON_FIELDS, *OWN_FIELDS[name]] == list(event)
    assert 1.234568 == event["ts"]


@pytest.mark.parametrize("fields", [{}, {"status": "x", "more": 1}], ids=["one is missing", "one is not of this event"])
def test_event_with_other_fields_is_refused(fields: dict[str, Any]) -> None:
    """An event has exactly the fields of its schema."""
    with pytest.raises(EventSchemaError, match="takes the fields"):
        build_event(EventName.TASK_REPLAYED, CONTEXT, 0, **fields)


def test_value_with_newlines_stays_on_its_line() -> None:
    """A line is one event, whatever is in it."""
    event = build_event(EventName.TASK_REPLAYED, CONTEXT, 0, status="a\nb\r\nc\u2028")

    assert 1 == len(to_line(event).split("\n"))


@pytest.mark.parametrize("line", ["", "START RequestId: 1 Version: $LATEST", "[1]", "{not json", '{"a": 1}', "null"])
def test_other_lines_are_no_events(line: str) -> None:
    """What the platform or a library prints is passed over."""
    assert parse_line(line) is None


@pytest.mark.parametrize("change", [{"event": "task.invented"}, {"schema": 2}, {"taskId": ...}, {"status": ...}])
def test_event_against_the_schema_is_an_error(change: dict[str, Any]) -> None:
    """A line that claims to be an event and is not must not be passed over."""
    event = build_event(EventName.TASK_REPLAYED, CONTEXT, 0, status="QUEUED") | change
    line = json.dumps({name: value for name, value in event.items() if value is not ...})

    with pytest.raises(EventSchemaError):
        parse_line(line)


def test_writer_narrows_its_subject() -> None:
    """A narrower writer adds to the context and leaves the wider one as it was."""
    lines: list[str] = []
    wide = Telemetry(context=CONTEXT, clock=lambda: 5.0, write=lines.append)
    wide.about(task_id="u", attempt=2).emit(EventName.TASK_ACCEPTED)
    wide.emit(EventName.TASK_ACCEPTED, at_ts=4.0)
    first, second = (json.loads(line) for line in lines)

    assert ("u", 2, 5.0) == (first["taskId"], first["attempt"], first["ts"])
    assert ("t", None, 4.0) == (second["taskId"], second["attempt"], second["ts"])


def test_line_is_written_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """A line with any text, half a surrogate pair too, comes out as one line that JSON can read."""
    write_line(json.dumps({"a": "é\ud800"}, ensure_ascii=False))
    out = capsys.readouterr().out

    assert {"a": "é\ud800"} == json.loads(out)
    assert (True, 1) == (out.endswith("\n"), out.count("\n"))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Root=1-a;Parent=b;Sampled=1", "1-a"),
        ("Sampled=1; Root=1-a", "1-a"),
        ("Root=", None),
        ("nonsense", None),
        ("", None),
        (None, None),
    ],
)
def test_trace_root_is_found(header: str | None, expected: str | None) -> None:
    """The trace id is the root of X-Ray's header."""
    assert expected == trace_root(header)


def test_document_has_the_schema_of_the_code() -> None:
    """docs/log-events.md lists every event with its own fields, and the common fields, as the code has them."""
    text = (ROOT / "docs" / "log-events.md").read_text()
    table = dict(re.findall(r"^\| `([a-z_.]+)` \| ([^|]*?) \|", text, re.MULTILINE))
    expected = {str(name): ", ".join(f"`{field}`" for field in OWN_FIELDS[name]) or "none" for name in EventName}
    common = re.search(r"<!-- common -->(.*?)<!-- /common -->", text, re.DOTALL)

    assert expected == table
    assert list(COMMON_FIELDS) == re.findall(r"^- `(\w+)`", common.group(1) if common else "", re.MULTILINE)
