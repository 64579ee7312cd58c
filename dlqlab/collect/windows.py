"""Finished windows on disk: pulled log lines as small files, so that an interrupted pull goes on where it stopped.

One folder per function and start; per window ``<from>-<to>.events.parquet``, ``.invocations.parquet``,
``.bad_lines.jsonl``, ``.other_lines.jsonl`` (each only where there is something) and last ``.done.json``: without it
the window counts as not pulled. Times in names are milliseconds since the epoch, the end is exclusive.
"""

import dataclasses
import functools
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from dlqlab.collect.lines import BadLine, EventRow, InvocationRow, OtherLine, Parsed, Source
from dlqlab.contracts.rundir import read_json, write_json
from dlqlab.contracts.tables import frame

CHUNK_ROWS = 20_000
OTHER_LINES_MAX = 200
"""Prints and tracebacks kept for people to read, per window; all are counted."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a pull found."""

    lines: int = 0
    events: int = 0
    foreign_events: int = 0
    """Events of other runs, left out."""
    bad_lines: int = 0
    other_lines: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """The sum, field by field."""
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Counts(*(mine + theirs for mine, theirs in pairs))


class WindowStore:
    """The windows of one function from ``start_ms`` on, in order and without gaps."""

    def __init__(self, folder: Path, function: str, *, start_ms: int) -> None:
        self._folder = folder / function / str(start_ms)
        for other in self._folder.parent.glob("*"):
            if other != self._folder:  # an earlier pull of other windows, which would overlap
                shutil.rmtree(other)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._stops = self._finished(start_ms)
        self.next_ms = self._stops[-1][1] if self._stops else start_ms

    def write(
        self, stop_ms: int, rows: Iterable[tuple[Source, Parsed]], is_of_run: Callable[[EventRow], bool]
    ) -> Counts:
        """Write the window from ``next_ms`` to ``stop_ms``; it is finished when this returns."""
        stem = self._folder / f"{self.next_ms}-{stop_ms}"
        with ExitStack() as stack:
            sink = _Sink(stem, stack)
            for source, parsed in rows:
                sink.take(source, parsed, is_of_run)
            sink.flush()
        counts = sink.counts()
        write_json(_with(stem, ".done.json"), dataclasses.asdict(counts))
        self._stops.append((self.next_ms, stop_ms))
        self.next_ms = stop_ms
        return counts

    def counts(self) -> Counts:
        """The sum over all finished windows."""
        total = Counts()
        for start_ms, stop_ms in self._stops:
            done = _with(self._folder / f"{start_ms}-{stop_ms}", ".done.json")
            total = total.plus(Counts(**read_json(done)))
        return total

    def _finished(self, start_ms: int) -> list[tuple[int, int]]:
        done: dict[int, int] = {}
        for path in self._folder.glob("*.done.json"):
            first, _, last = path.name.removesuffix(".done.json").partition("-")
            done[int(first)] = int(last)
        chain: list[tuple[int, int]] = []
        next_ms = start_ms
        while next_ms in done:
            chain.append((next_ms, done[next_ms]))
            next_ms = done[next_ms]
        return chain


class _Sink:
    """Writes the rows of one window, a chunk at a time; files left by a pull that broke off are overwritten."""

    def __init__(self, stem: Path, stack: ExitStack) -> None:
        self._stem = stem
        self._stack = stack
        self._chunks: dict[str, list[dict[str, Any]]] = {"events": [], "invocations": []}
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._texts: dict[str, IO[str]] = {}
        self._n = dict.fromkeys((field.name for field in dataclasses.fields(Counts)), 0)
        for suffix in (".events.parquet", ".invocations.parquet", ".bad_lines.jsonl", ".other_lines.jsonl"):
            _with(stem, suffix).unlink(missing_ok=True)

    def take(self, source: Source, parsed: Parsed, is_of_run: Callable[[EventRow], bool]) -> None:
        self._n["lines"] += 1
        match parsed:
            case None:
                pass
            case EventRow() if not is_of_run(parsed):
                self._n["foreign_events"] += 1
            case EventRow(row):
                self._n["events"] += 1
                self._row("events", row)
            case InvocationRow(row):
                self._row("invocations", row)
            case BadLine(line, error):
                self._n["bad_lines"] += 1
                self._text("bad_lines", source, line=line, error=error)
            case OtherLine(line):
                self._n["other_lines"] += 1
                if self._n["other_lines"] <= OTHER_LINES_MAX:
                    self._text("other_lines", source, line=line)

    def flush(self) -> None:
        for table, rows in self._chunks.items():
            if not rows:
                continue
            schema = schema_of(table)
            if table not in self._writers:
                path = _with(self._stem, f".{table}.parquet")
                self._writers[table] = self._stack.enter_context(pq.ParquetWriter(path, schema))
            # By way of a data frame it would take seven times as long.
            self._writers[table].write_table(pa.Table.from_pylist(rows, schema=schema))
            rows.clear()

    def counts(self) -> Counts:
        return Counts(**self._n)

    def _row(self, table: str, row: dict[str, Any]) -> None:
        self._chunks[table].append(row)
        if len(self._chunks[table]) >= CHUNK_ROWS:
            self.flush()

    def _text(self, name: str, source: Source, **fields: str) -> None:
        if name not in self._texts:
            self._texts[name] = self._stack.enter_context(_with(self._stem, f".{name}.jsonl").open("w"))
        self._texts[name].write(json.dumps(source._asdict() | fields) + "\n")


@functools.cache
def schema_of(table: str) -> pa.Schema:
    """What a data frame of the table is stored as."""
    return pa.Schema.from_pandas(frame(table, []), preserve_index=False)


def finished_files(folder: Path, kind: str) -> Iterator[Path]:
    """Files of one kind of the finished windows of all functions, in order of function and time."""
    done = sorted(folder.glob("*/*/*.done.json"), key=lambda path: (path.parent, int(path.name.partition("-")[0])))
    for path in done:
        wanted = path.with_name(path.name.removesuffix("done.json") + kind)
        if wanted.exists():
            yield wanted


def _with(stem: Path, suffix: str) -> Path:
    """``Path.with_suffix`` would cut at a dot in the stem; ours has none, but a suffix of two parts."""
    return stem.parent / (stem.name + suffix)
