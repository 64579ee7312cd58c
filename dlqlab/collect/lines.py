r"""Log lines to rows: the app's events, Lambda's own lines, and everything else. Pure.

Lambda writes ``START``, ``END`` and ``REPORT RequestId: <id>\tDuration: 1.23 ms\t...`` around an invocation, and
before the REPORT line ``... Task timed out after 10.00 seconds`` or ``... Error: Runtime exited ...``; newer REPORT
lines carry ``Status: timeout`` or ``Status: error`` themselves.
"""

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from dlqlab.contracts.tables import EVENTS, FLAG, REAL, TEXT, WHOLE
from taskrules.events import COMMON_FIELDS, OWN_FIELDS, EventSchemaError, parse_line

_REPORT = re.compile(r"^REPORT RequestId: (?P<request_id>\S+)")
_FIELD = re.compile(r"\t(?P<name>[A-Za-z ]+): (?P<value>[^\t]+)")
_TIMED_OUT = re.compile(r"(?P<request_id>[0-9a-f]{8}-[0-9a-f-]{27}) Task timed out after [0-9.]+ seconds")
_ENDED_BADLY = re.compile(r"^RequestId: (?P<request_id>\S+) (?:Error: )?(?:Runtime exited|Process exited)")
_QUIET = ("START RequestId: ", "END RequestId: ", "INIT_START ", "EXTENSION\t")
AS_JSON = frozenset({"payload", "errors"})
_TYPES: Mapping[str, tuple[type, ...]] = {TEXT: (str,), REAL: (int, float), WHOLE: (int,), FLAG: (bool,)}
COLUMNS: Mapping[str, str] = {
    field: re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field).lower()
    for field in itertools.chain(COMMON_FIELDS, *OWN_FIELDS.values())
    if field != "schema"
}
_FIELDS = {field: (column, _TYPES[EVENTS[column].dtype]) for field, column in COLUMNS.items()}
"""Column of a field, and the types that it takes."""


class Source(NamedTuple):
    """Where a line lies in the log store. ``line_id`` is the same however often the line is pulled."""

    function: str
    log_stream: str
    stored_ts: float
    line_id: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One row of the EVENTS table."""

    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InvocationRow:
    """One row of the INVOCATIONS table; without a duration it is only a mark that the invocation ended badly."""

    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that says that it is an event but does not keep to the schema."""

    line: str
    error: str


@dataclass(frozen=True, slots=True)
class OtherLine:
    """A print, a traceback, a metric: nothing that the tables hold."""

    line: str


type Parsed = EventRow | InvocationRow | BadLine | OtherLine | None
"""None: a line that says nothing beyond what the REPORT line says."""


def parse(line: str, source: Source) -> Parsed:
    """What one log line is."""
    if line.startswith(_QUIET):
        return None
    try:
        event = parse_line(line)
        if event is not None:
            return EventRow(_event_row(event, source))
    except EventSchemaError as error:
        return BadLine(line, str(error))
    if not line.strip():
        return None
    invocation = _invocation(line, source)
    return OtherLine(line) if invocation is None else InvocationRow(invocation)


def _event_row(event: Mapping[str, Any], source: Source) -> dict[str, Any]:
    row: dict[str, Any] = {
        "stored_ts": source.stored_ts,
        "log_stream": source.log_stream,
        "line_id": source.line_id,
    }
    for field, value in event.items():
        if field not in _FIELDS:
            continue  # the schema's own version, or a field that the app added
        column, expected = _FIELDS[field]
        if value is None:
            row[column] = None
        elif column in AS_JSON:
            row[column] = _storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
        # Not isinstance: a bool is an int in Python.
        elif type(value) not in expected:
            raise EventSchemaError(f"{event['event']} has {field} {value!r}, not a {expected[0].__name__}")
        else:
            row[column] = _storable(value) if isinstance(value, str) else value
    return row


def _storable(text: str) -> str:
    """Half a surrogate pair, which JSON can express, is not a character and no column can hold it: escape it again."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _invocation(line: str, source: Source) -> dict[str, Any] | None:
    base = {"function": source.function, "log_stream": source.log_stream, "stored_ts": source.stored_ts}
    report = _REPORT.match(line)
    if report:
        fields = {match["name"]: match["value"].strip() for match in _FIELD.finditer(line)}
        return base | {
            "request_id": report["request_id"],
            "duration_ms": _number(fields.get("Duration")),
            "init_duration_ms": _number(fields.get("Init Duration")),
            "memory_mb": _number(fields.get("Max Memory Used")),
            "status": fields.get("Status", "ok"),
        }
    for pattern, status in ((_TIMED_OUT, "timeout"), (_ENDED_BADLY, "error")):
        mark = pattern.search(line)
        if mark:
            return base | {"request_id": mark["request_id"], "status": status}
    return None


def _number(text: str | None) -> float | None:
    """The number before the unit, as in ``1.23 ms``."""
    return None if text is None else float(text.split()[0])
