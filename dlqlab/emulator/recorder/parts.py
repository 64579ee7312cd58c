"""A record's files to parts of tables: rows as they were written, a bounded number in memory at a time.

The columns are those of ``rows``, with their types, and the trace's id in the place of its header.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dlqlab.contracts.recording import TABLES
from dlqlab.emulator.recorder.chunks import SUFFIX, Row, TornError, decode
from dlqlab.emulator.recorder.completing import completed
from dlqlab.emulator.recorder.finish import BODIES_FULL
from dlqlab.emulator.recorder.journal import BACKLOG, DISK, VALUE
from dlqlab.emulator.recorder.rows import (
    BODY,
    BODY_FIELDS,
    CALL,
    CALL_FIELDS,
    CLOSED,
    ENDED,
    ENDED_FIELDS,
    FAULT,
    FAULT_FIELDS,
    LOST,
    MESSAGE,
    MESSAGE_FIELDS,
    STARTED,
    STARTED_FIELDS,
)
from dlqlab.emulator.recorder.witness import FAILED
from dlqlab.errors import EvidenceError

PART_ROWS = 8_192
PART_BYTES = 16 * 1024 * 1024
"""Of bodies."""
_REASONS = {
    BACKLOG: "{:,} rows are missing: the recorder could not follow",
    DISK: "{:,} rows are missing: the disk did not take them",
    VALUE: "{:,} rows are missing: they could not be written",
    FAILED: "{:,} rows are missing: the recorder failed, as the emulator's log tells",
    BODIES_FULL: "{:,} bodies are missing: those that are kept take all the room that they may",
}
_HEADER, _TRACE_ID = "trace_header", "trace_id"


@dataclass(frozen=True, slots=True)
class _Kind:
    """Rows of one tag: the table of parts that they go to, and the table of the record with their columns."""

    name: str
    table: str
    fields: tuple[str, ...]
    later: int = 0
    """So many fields at their end emulators of earlier versions do not write."""

    def schema(self) -> pa.Schema:
        columns = TABLES[self.table]
        names = [_TRACE_ID if name == _HEADER else name for name in self.fields]
        return pa.schema([(name, columns[name].dtype if name in columns else pa.int64()) for name in names])


_KINDS = {
    MESSAGE: _Kind("messages", "messages", MESSAGE_FIELDS),
    STARTED: _Kind("started", "invocations", STARTED_FIELDS),
    ENDED: _Kind("ended", "invocations", ENDED_FIELDS),
    CALL: _Kind("calls", "calls", CALL_FIELDS),
    BODY: _Kind("bodies", "bodies", BODY_FIELDS),
    FAULT: _Kind("faults", "faults", FAULT_FIELDS, later=2),
}
PARTS: Mapping[str, pa.Schema] = {kind.name: kind.schema() for kind in _KINDS.values()}
"""The tables that parts are of. ``seq`` is a row's place in the order of all; an invocation is ``started``, and
``ended`` under the ``seq`` of that."""


@dataclass(slots=True)
class Said:
    """What a record says of itself; complete once all parts have been read."""

    is_ended: bool = False
    torn: list[str] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)

    def gaps(self) -> tuple[str, ...]:
        """Why the record does not have everything, in sentences."""
        ends = (f"{name} ends in the middle of a chunk: what happened just before is missing" for name in self.torn)
        return (*ends, *(_REASONS[reason].format(count) for reason, count in self.lost.items()))


def read_parts(folder: Path, said: Said) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Parts of the tables of ``PARTS``, by their names. ``said`` is filled on the way.

    Raises:
        EvidenceError: there is no record.
    """
    segments = sorted(folder.glob(f"*{SUFFIX}"))
    if not segments:
        raise EvidenceError(
            f"{folder}: holds no record: the emulator was started without its recorder, or has just begun"
        )
    waiting: dict[str, list[Row]] = {tag: [] for tag in _KINDS}
    known: set[bytes] = set()
    body_bytes = 0
    for row in _rows(segments, said):
        tag = row[0]
        if tag == BODY:
            if (body := bytes.fromhex(row[1])) in known:  # the emulator remembers only the latest
                continue
            known.add(body)
            body_bytes += len(row[2])
        waiting[tag].append(row)
        if len(waiting[tag]) >= PART_ROWS or body_bytes >= PART_BYTES:
            full, body_bytes = (BODY, 0) if body_bytes >= PART_BYTES else (tag, body_bytes)
            yield _KINDS[full].name, _part(_KINDS[full], waiting.pop(full))
            waiting[full] = []
    for tag, rows in waiting.items():
        if rows:
            yield _KINDS[tag].name, _part(_KINDS[tag], rows)


def trace_id(header: str | None) -> str | None:
    """The root of an X-Ray trace header (``Root=1-...;Parent=...``)."""
    for part in (header or "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "Root":
            return value
    return None


def _rows(segments: list[Path], said: Said) -> Iterator[Row]:
    """Rows that become rows of tables; what the others say goes to ``said``."""
    for segment in segments:
        try:
            with segment.open("rb") as file:
                for rows in decode(file):
                    for row in completed(rows):
                        if row[0] == LOST:
                            said.lost[row[1]] = row[2]
                        elif row[0] == CLOSED:
                            said.is_ended = True
                        else:
                            yield row
        except TornError:
            said.torn.append(segment.name)


def _part(kind: _Kind, rows: list[Row]) -> pa.RecordBatch:
    _, *columns = map(list, zip(*rows, strict=True))
    missing = len(kind.fields) - len(columns)
    columns += [[None] * len(rows)] * (missing if missing == kind.later else 0)
    values: dict[str, list[Any]] = dict(zip(kind.fields, columns, strict=True))
    if _HEADER in values:
        values[_TRACE_ID] = [trace_id(header) for header in values.pop(_HEADER)]
    return pa.RecordBatch.from_pydict(values, schema=kind.schema())
