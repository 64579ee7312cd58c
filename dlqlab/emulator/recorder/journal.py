"""Takes rows from any thread and appends them to files, a little later, on a thread of its own.

Whoever gives a row waits for nothing, and never fails. What waits is bounded.
Whatever the disk does is warned about once and counted: the record then says what it lacks, and nothing else changes.
"""

import contextlib
import errno
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from marshal import dumps
from pathlib import Path

from dlqlab.emulator.core.isolation import warn_once
from dlqlab.emulator.recorder.chunks import MARSHAL_VERSION, SUFFIX, Row, encode, encode_row
from dlqlab.emulator.recorder.rows import CLOSED, LOST

PART = "the flight recorder"
WAITING_MAX_BYTES = 64 * 1024 * 1024
"""Rows that wait, as they are in memory: some 20 s of a flood."""
ROW_BYTES = 400
"""What a row takes in memory besides the texts in it that may be long."""
EVERY_S = 0.3
BACKLOG, DISK, VALUE = "backlog", "disk", "value"
"""Why rows are lost: the writer could not follow, the disk took nothing, or a value was none that can be written."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

Finish = Callable[[Row], Iterable[Row]]
"""What has to be done to a row before it is written, off the path of whoever gave it."""
_AS_IT_IS: Mapping[str, Finish] = {}


class Journal:
    """One record in one folder."""

    def __init__(self, folder: Path, finishers: Mapping[str, Finish] = _AS_IT_IS) -> None:
        """Args:
        finishers: by tags; rows with others are written as they are.
        """
        self.folder = folder
        self._finishers = finishers
        self._lock = threading.Lock()
        self._rows: list[Row | bytes] = []
        """In the order in which they were given; bytes are encoded rows."""
        self._room_rows = WAITING_MAX_BYTES // ROW_BYTES
        """How many rows may wait, less for texts that wait; none once the record has ended."""
        self._lost: Counter[str] = Counter()
        self._told: dict[str, int] = {}
        self._writing = threading.Lock()
        self._segment = _Segment(folder)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def start(self) -> None:
        """Write on a thread of its own from now on."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="dlqlab-recorder")
        self._thread.start()

    def give(self, row: Row, text_bytes: int = 0) -> None:
        """Have the row finished and written.

        No lock: appending is one step, and the sum of the texts is only near enough.

        Args:
            text_bytes: size of what it holds of unbounded size.
        """
        if text_bytes:
            self._room_rows -= 1 + text_bytes // ROW_BYTES  # two threads at once may count one; each flush begins anew
        rows = self._rows
        if len(rows) < self._room_rows:
            rows.append(row)
        else:
            self._refuse(text_bytes)

    def give_finished(self, row: Row) -> None:
        """Have a row written that is as it shall be.

        It is encoded at once: what waits as it is costs more, since until its turn comes all of it has left the
        processor's caches.
        """
        try:
            encoded = dumps(row, MARSHAL_VERSION)  # type: ignore[arg-type]  # ``encode_row``, without a call of Python's
        except ValueError as error:
            self._cannot_write(error)
            return
        rows = self._rows
        if len(rows) < self._room_rows:
            rows.append(encoded)
        else:
            self._refuse(0)

    def _cannot_write(self, error: Exception) -> None:
        self.lose(VALUE, 1, f"a row cannot be written: {type(error).__name__}: {error}", error)

    def _refuse(self, text_bytes: int) -> None:
        if not self._is_closed:  # when the emulator ends, whatever still happens has no record
            self._room_rows += 1 + text_bytes // ROW_BYTES if text_bytes else 0
            self.lose(BACKLOG, 1, f"rows are lost, because {WAITING_MAX_BYTES >> 20} MiB of them wait already")

    def lose(self, reason: str, rows: int, text: str, error: Exception | None = None) -> None:
        """Count rows that will not be in the record, and warn where it is the first time."""
        with self._lock:
            self._lost[reason] += rows
        warn_once(PART, reason, text, error)

    def lost(self) -> dict[str, int]:
        """Rows lost so far, by reason."""
        with self._lock:
            return dict(self._lost)

    def take(self) -> list[Row | bytes]:
        """The rows that wait, which are then not written."""
        if not self._is_closed:
            self._room_rows = WAITING_MAX_BYTES // ROW_BYTES
        rows = self._rows
        taken = rows[:]
        del rows[: len(taken)]  # others have appended since
        return taken

    def flush(self) -> bool:
        """Write everything that was given before now; whether all that is not lost is on disk."""
        with self._writing:
            return self._write(self.take())

    def close(self) -> None:
        """Write what waits and end the record; what comes later is lost."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
            self._room_rows = 0
        if not was_closed:
            self.flush()
            with self._writing:
                self._append([encode_row((CLOSED,))])
                self._segment.close()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self.flush()

    def _write(self, given: list[Row | bytes]) -> bool:
        rows: list[bytes] = []
        for row in given:
            if isinstance(row, bytes):
                rows.append(row)
            else:
                rows += self._finished(row)
        lost = self.lost()
        news = [encode_row((LOST, reason, count)) for reason, count in lost.items() if self._told.get(reason) != count]
        if not rows and not news:
            return True
        is_written = self._append(news + rows)
        if is_written:
            self._told = lost
        else:
            self.lose(DISK, len(rows), "rows are lost, because the disk does not take them")
        return is_written

    def _finished(self, row: Row) -> list[bytes]:
        finish = self._finishers.get(row[0])
        try:
            return [encode_row(row)] if finish is None else [encode_row(one) for one in finish(row)]
        except Exception as error:  # noqa: BLE001  (whatever it is about this row, the others are written)
            self._cannot_write(error)
            return []

    def _append(self, rows: list[bytes]) -> bool:
        try:
            self._segment.append(encode(rows))
        except OSError as error:
            warn_once(PART, f"{DISK} {error.errno}", f"cannot write to {self.folder}: {error}", error)
            return False
        return True


class _Segment:
    """The file that is appended to; another one follows where it no longer can be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._fd: int | None = None
        self._size = 0

    def append(self, chunk: bytearray) -> None:
        """The whole chunk or, as far as the system lets us, nothing of it.

        Raises:
            OSError: neither this file nor a new one takes it.
        """
        if self._fd is not None:
            try:
                self._write(self._fd, chunk)
            except OSError as error:
                if error.errno in _FULL:
                    raise
                self.close()
            else:
                return
        path, fd = self._open()
        try:
            self._write(fd, chunk)
        except OSError:
            self.close()
            with contextlib.suppress(OSError):  # an empty segment is none the worse
                path.unlink()
            raise

    def close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            with contextlib.suppress(OSError):  # it is closed, which is what is wanted
                os.close(fd)

    def _open(self) -> tuple[Path, int]:
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            path = self._folder / f"{self._number + 1:06}{SUFFIX}"
            try:
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            except FileExistsError:
                self._number += 1
            else:
                break
        self._number += 1
        self._fd, self._size = fd, 0
        return path, fd

    def _write(self, fd: int, chunk: bytearray) -> None:
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[os.write(fd, rest) :]
        except OSError:
            with contextlib.suppress(OSError):  # then the reader finds a torn chunk, and knows it
                os.ftruncate(fd, self._size)
            raise
        self._size += len(chunk)
