"""The log lines of a run, as far as its directory keeps them, for queries.

An event is the line that the function wrote: its fields in the order of the schema, so that a query finds in it what it
finds in the log group. Of an invocation's REPORT line there is what the table of invocations keeps. Prints and
tracebacks are in files of their own. START and END lines are not kept, nor when a line was taken in.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dlqlab.collect.lines import AS_JSON, COLUMNS
from dlqlab.contracts.evidence import BAD_LINES, OTHER_LINES
from dlqlab.contracts.names import log_group
from dlqlab.contracts.rundir import RunDir
from dlqlab.errors import EvidenceError
from dlqlab.insights import LogLine
from taskrules.events import COMMON_FIELDS, OWN_FIELDS, SCHEMA, to_line

ACCOUNT_ID = "000000000000"
"""The emulator's; a run directory does not say in whose account a run was."""
_BATCH_ROWS = 4096
_FIELDS = {
    str(name): [(field, COLUMNS.get(field)) for field in dict.fromkeys((*COMMON_FIELDS, *own))]
    for name, own in OWN_FIELDS.items()
}
"""Fields of an event in the order of the schema, and their columns; the one without a column is its version."""
_NEEDED = ("stored_ts", "function", "log_stream")

type Row = Mapping[str, Any]


def stored_lines(run: RunDir, request_ids: Collection[str] | None = None) -> Iterator[LogLine]:
    """Every line that is kept, file by file; the lines of a function in the order of their time.

    Args:
        run: the run directory.
        request_ids: of events and invocations only those of these invocations, and those that name none; a run of a
            pipeline that writes no events has its prints and tracebacks alone.

    Raises:
        EvidenceError: a file is missing or cannot be read, or the run kept no lines because it never had any.
    """
    place = count()
    for table, message in (("events", event_message), ("invocations", report_message)):
        if request_ids is not None and not run.has(table):
            continue
        for row in _rows(run.table_path(table), request_ids):
            yield _line(row, message(row), next(place))
    for name in (BAD_LINES, OTHER_LINES):
        for row in _texts(run.path / name):
            yield _line(row, row["line"], next(place))


def event_message(row: Row) -> str:
    """The line that wrote the event. Fields that the app has and the schema has not are not kept.

    Raises:
        EvidenceError: the schema does not know the event.
    """
    fields = _FIELDS.get(row["event"])
    if fields is None:
        raise EvidenceError(f"event {row['event']!r} is not in the schema: this run is of another version")
    event: dict[str, Any] = {field: row.get(column) if column else SCHEMA for field, column in fields}
    for field in AS_JSON & event.keys():
        if event[field] is not None:
            event[field] = json.loads(event[field])
    return to_line(event)


def report_message(row: Row) -> str:
    """What is kept of a REPORT line; without a duration, of the line that said how the invocation ended badly."""
    parts = [f"REPORT RequestId: {row['request_id']}"]
    for name, column, unit in (
        ("Duration", "duration_ms", "ms"),
        ("Max Memory Used", "memory_mb", "MB"),
        ("Init Duration", "init_duration_ms", "ms"),
    ):
        if row.get(column) is not None:
            parts.append(f"{name}: {row[column]:g} {unit}" if unit == "MB" else f"{name}: {row[column]:.2f} {unit}")
    if row.get("status") not in {None, "ok"}:
        parts.append(f"Status: {row['status']}")
    return "\t".join(parts)


def _line(row: Row, message: str, place: int) -> LogLine:
    stored_ts = row["stored_ts"] if row["stored_ts"] is not None else row["ts"]  # simulated: nothing is stored
    log = f"{ACCOUNT_ID}:{log_group(row['function'] or 'unknown')}"
    return LogLine(round(stored_ts * 1000), message, log, row["log_stream"] or "", place)


def _rows(path: Path, request_ids: Collection[str] | None = None) -> Iterator[Row]:
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise EvidenceError(f"{path}: cannot be read: {error}") from error
    missing = [name for name in _NEEDED if name not in file.schema_arrow.names]
    if missing:
        raise EvidenceError(f"{path}: has no column {missing[0]}")
    wanted = None if request_ids is None else pa.array(sorted(request_ids), pa.string())
    with file:
        for batch in file.iter_batches(_BATCH_ROWS):
            names = batch.schema.names
            if wanted is not None:
                named = pc.cast(batch.column("request_id"), pa.string())
                is_wanted = pc.or_(pc.is_in(named, wanted), pc.is_null(named))
                batch = batch.filter(is_wanted)  # noqa: PLW2901  (the same batch, without what nobody asks for)
            for values in zip(*(_values(batch.column(name)) for name in names), strict=True):
                yield dict(zip(names, values, strict=True))


def _values(column: pa.Array) -> list[Any]:
    """As Python has them; what is not a number is nothing."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    values: list[Any] = column.to_pylist()
    return values


def _texts(path: Path) -> Iterator[Row]:
    """Kept lines; a run that had none may lack the file."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            try:
                row = json.loads(text)
                found = {name: row[name] for name in (*_NEEDED, "line")}
            except (ValueError, KeyError, TypeError) as error:
                raise EvidenceError(f"{path}, line {number}: is not a kept log line: {error}") from error
            yield found
