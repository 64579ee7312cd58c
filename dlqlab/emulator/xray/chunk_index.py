"""Where in the recorder's files rows about something stand: a chunk is read once, and again when it is asked for.

Of a chunk the index keeps eight bytes for each name in it: trace, message, request, invocation. Over its bound it
forgets the names of the oldest chunks, and these are then read for every question: slower, and never wrong.
"""

import threading
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlqlab.emulator.recorder.chunks import SUFFIX, Row, TornError, decode
from dlqlab.emulator.recorder.completing import completed
from dlqlab.emulator.recorder.rows import (
    CALL,
    CALL_FIELDS,
    ENDED,
    MESSAGE,
    MESSAGE_FIELDS,
    STARTED,
    STARTED_FIELDS,
)

KEPT_MAX = 4 * 1024 * 1024
"""Names of all chunks: 32 MiB."""
TRACES_MAX = 200_000
"""Traces whose beginnings are kept; with more of them the files are read."""

type RootOf = Callable[[str | None], str | None]


@dataclass(slots=True)
class Chunk:
    """A chunk in a file. ``names`` are hashes in order; None where they are forgotten, and anything may be in it."""

    path: Path
    offset: int
    names: "array[int] | None"

    def may_have(self, names: Collection[int]) -> bool:
        own = self.names
        if own is None:
            return True
        return any((at := bisect_left(own, name)) < len(own) and own[at] == name for name in names)

    def rows(self) -> list[Row]:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return list(completed(next(decode(file))))


class ChunkIndex:
    """Of one record, brought up to date by each question; to be used by any thread."""

    def __init__(self, folder: Path, root_of: RootOf, kept_max: int = KEPT_MAX, traces_max: int = TRACES_MAX) -> None:
        """Args:
        root_of: the trace of a trace header.
        """
        self.chunks_read = 0
        """How many chunks have been read to be indexed."""
        self._folder, self._root_of = folder, root_of
        self._kept_max, self._traces_max = kept_max, traces_max
        self._chunks: list[Chunk] = []
        self._with_names: deque[Chunk] = deque()
        self._kept = 0
        self._ends: dict[Path, int] = {}
        self._began: dict[str, float] | None = {}
        self._started: dict[int, float] = {}
        self._lock = threading.Lock()

    def rows(self, names: Collection[object]) -> Iterator[Row]:
        """The rows of all chunks that have one of these names, with whatever else is in them, in the files' order."""
        wanted = {_hash(name) for name in names}
        with self._lock:
            self._refresh()
            chunks = [chunk for chunk in self._chunks if chunk.may_have(wanted)]
        for chunk in chunks:
            yield from chunk.rows()

    def starts(self) -> dict[str, float]:
        """When each trace began that has a trace header, by its id."""
        with self._lock:
            self._refresh()
            if self._began is not None:
                return dict(self._began)
            chunks = list(self._chunks)
        began: dict[str, float] = {}
        started: dict[int, float] = {}
        for chunk in chunks:
            self._note_starts(chunk.rows(), began, started)
        return began

    def _refresh(self) -> None:
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            with path.open("rb") as file:
                offset = self._ends.get(path, 0)
                file.seek(offset)
                try:
                    for written in decode(file):
                        rows = list(completed(written))
                        self._add(Chunk(path, offset, self._names(rows)))
                        if self._began is not None:
                            self._note_starts(rows, self._began, self._started)
                        self._ends[path] = offset = file.tell()
                except TornError:
                    continue  # it is being written
        if self._began is not None and len(self._began) > self._traces_max:
            self._began = None
            self._started.clear()

    def _add(self, chunk: Chunk) -> None:
        self.chunks_read += 1
        self._chunks.append(chunk)
        self._with_names.append(chunk)
        self._kept += len(chunk.names or ())
        while self._kept > self._kept_max and self._with_names:
            oldest = self._with_names.popleft()
            self._kept -= len(oldest.names or ())
            oldest.names = None

    def _names(self, rows: list[Row]) -> "array[int]":
        found = {_hash(name) for row in rows for name in names_of(row, self._root_of)}
        return array("Q", sorted(found))

    def _note_starts(self, rows: list[Row], began: dict[str, float], started: dict[int, float]) -> None:
        for row in rows:
            if row[0] == STARTED:
                started[row[1]] = row[2]
                continue
            if row[0] not in {ENDED, MESSAGE}:
                continue
            ts = started.pop(row[1], row[2]) if row[0] == ENDED else row[2]
            root = self._root_of(row[-1])
            if root is not None:
                began[root] = min(ts, began.get(root, ts))


def names_of(row: Row, root_of: RootOf) -> Iterator[object]:
    """By what a row may be asked for: text names things, a number the place of an invocation's start."""
    tag = row[0]
    if tag == MESSAGE:
        yield row[_MESSAGE_ID]
        yield from row[_PARENT_IDS] or ()
        yield from _known(row[_SENDER_ID], root_of(row[-1]))
    elif tag == STARTED:
        yield row[1]
        yield from row[_GIVEN_IDS] or ()
        yield from _known(row[_REQUEST_ID], row[_CLIENT_ID])
    elif tag == ENDED:
        yield row[1]
        yield from _known(root_of(row[-1]))
    elif tag == CALL:
        yield from _known(row[_CALLER_ID], root_of(row[-1]))


_MESSAGE_ID, _PARENT_IDS, _SENDER_ID = (
    1 + MESSAGE_FIELDS.index(name) for name in ("message_id", "parent_ids", "request_id")
)
_REQUEST_ID, _GIVEN_IDS, _CLIENT_ID = (
    1 + STARTED_FIELDS.index(name) for name in ("request_id", "message_ids", "client_request_id")
)
_CALLER_ID = 1 + CALL_FIELDS.index("request_id")


def _known(*values: Any) -> Iterator[object]:
    return (value for value in values if value is not None)


def _hash(name: object) -> int:
    return hash(name) & 0xFFFF_FFFF_FFFF_FFFF
