"""A record's files to its tables."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from dlqlab.contracts.recording import TABLES, Recording, schema
from dlqlab.emulator.recorder.chunks import SUFFIX, Row, TornError, decode
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
    LOST,
    MESSAGE,
    MESSAGE_FIELDS,
    STARTED,
    STARTED_FIELDS,
)
from dlqlab.emulator.recorder.witness import FAILED
from dlqlab.errors import EvidenceError

_REASONS = {
    BACKLOG: "{:,} rows are missing: the recorder could not follow",
    DISK: "{:,} rows are missing: the disk did not take them",
    VALUE: "{:,} rows are missing: they could not be written",
    FAILED: "{:,} rows are missing: the recorder failed, as the emulator's log tells",
    BODIES_FULL: "{:,} bodies are missing: those that are kept take all the room that they may",
}

Columns = dict[str, list[Any]]


def read(folder: Path, *, cell: int | None = None) -> Recording:
    """The tables of a record, of an emulator that runs, has ended or was killed.

    Args:
        folder: ``recording`` in the state directory of the emulator.
        cell: number of the emulator, where a run has several.

    Raises:
        EvidenceError: there is no record.
    """
    segments = sorted(folder.glob(f"*{SUFFIX}"))
    if not segments:
        raise EvidenceError(
            f"{folder}: holds no record: the emulator was started without its recorder, or has just begun"
        )
    rows: dict[str, list[Row]] = defaultdict(list)
    gaps = []
    for segment in segments:
        try:
            for row in _rows(segment):
                rows[row[0]].append(row)
        except TornError:
            gaps.append(f"{segment.name} ends in the middle of a chunk: what happened just before is missing")
    lost = {row[1]: row[2] for row in rows[LOST]}
    gaps += [_REASONS[reason].format(count) for reason, count in lost.items()]
    invocations = _invocations(rows[STARTED], rows[ENDED])
    return Recording(
        messages=_table("messages", _messages(rows[MESSAGE], invocations), cell),
        invocations=_table("invocations", invocations, cell),
        calls=_table("calls", _calls(rows[CALL]), cell),
        bodies=_table("bodies", _bodies(rows[BODY]), None),
        gaps=tuple(gaps),
        is_ended=bool(rows[CLOSED]),
    )


def trace_id(header: str | None) -> str | None:
    """The root of an X-Ray trace header (``Root=1-...;Parent=...``)."""
    for part in (header or "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "Root":
            return value
    return None


def _rows(segment: Path) -> Iterator[Row]:
    with segment.open("rb") as file:
        for rows in decode(file):
            yield from rows


def _columns(rows: list[Row], fields: Sequence[str]) -> Columns:
    values = zip(*rows, strict=True) if rows else ((),) * (len(fields) + 1)
    _, *columns = map(list, values)
    return dict(zip(fields, columns, strict=True))


def _in_order(rows: list[Row]) -> list[Row]:
    """By time; what follows in order never precedes in time."""
    return sorted(rows, key=lambda row: (row[2], row[1]))


def _with_trace_ids(columns: Columns) -> Columns:
    columns["trace_id"] = [trace_id(header) for header in columns.pop("trace_header")]
    return columns


def _messages(rows: list[Row], invocations: Columns) -> Columns:
    columns = _with_trace_ids(_columns(_in_order(rows), MESSAGE_FIELDS))
    given = {
        request_id: ids
        for request_id, ids in zip(invocations["request_id"], invocations["message_ids"], strict=True)
        if ids
    }
    columns["parent_ids"] = [
        given.get(request_id) if parents is None and kind == "sent" and actor == "invocation" else parents
        for parents, kind, actor, request_id in zip(
            columns["parent_ids"], columns["kind"], columns["actor_kind"], columns["request_id"], strict=True
        )
    ]
    return columns


def _invocations(started: list[Row], ended: list[Row]) -> Columns:
    columns = _columns(_in_order(started), STARTED_FIELDS)
    ends = {row[1]: row[1:] for row in ended}
    nothing = (None,) * len(ENDED_FIELDS)
    found = [ends.get(seq, nothing) for seq in columns["seq"]]
    columns |= {name: [end[at] for end in found] for at, name in enumerate(ENDED_FIELDS)}
    return _with_trace_ids(columns)


def _calls(rows: list[Row]) -> Columns:
    return _with_trace_ids(_columns(_in_order(rows), CALL_FIELDS))


def _bodies(rows: list[Row]) -> Columns:
    return _columns(list({row[1]: row for row in rows}.values()), BODY_FIELDS)


def _table(name: str, columns: Mapping[str, list[Any]], cell: int | None) -> pa.Table:
    length = len(next(iter(columns.values())))
    made = {
        column: [cell] * length if column == "cell" else columns.get(column, [None] * length) for column in TABLES[name]
    }
    return pa.table(made, schema=schema(name))
