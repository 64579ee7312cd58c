"""Records in the order in which they were written, kept for a time, read from any number on by any thread."""

import time
from collections import deque
from collections.abc import Callable
from threading import Condition
from typing import Protocol

KEPT_BYTES_MAX = 128 * 1024 * 1024
"""Ours: what is beyond it is trimmed before its time is over, as if it were."""


class TrimmedError(Exception):
    """The place is before the oldest record that is kept."""


class Numbered(Protocol):
    """What a log holds."""

    @property
    def number(self) -> int:
        """Its sequence number."""

    @property
    def written_ts(self) -> float:
        """When it was written, as Unix time."""

    @property
    def keys(self) -> str:
        """What it is about, as text: records of the same follow each other."""

    @property
    def size_bytes(self) -> int:
        """What it takes of the log's memory."""


class RecordLog[R: Numbered]:
    """Records whose numbers follow each other without a gap."""

    def __init__(self, name: str, first: int, *, kept_s: float, now: Callable[[], float]) -> None:
        """Args:
        name: for errors.
        first: the number of the first record.
        kept_s: how long a record can be read.
        """
        self.first = first
        self.kept_s = kept_s
        self.closed_ts: float | None = None
        self._name, self._now = name, now
        self._changed = Condition()
        self._records: deque[R] = deque()
        self._next = first
        self._bytes = 0

    def append(self, make: Callable[[int, float], R]) -> R | None:
        """Write down the record that ``make`` makes of its number and of the time; None where the log is closed."""
        with self._changed:
            if self.closed_ts is not None:
                return None
            made = make(self._next, self._now())
            self._next += 1
            self._records.append(made)
            self._bytes += made.size_bytes
            self._trim()
            self._changed.notify_all()
            return made

    def close(self) -> None:
        """No more records; those that are there can be read until they are trimmed."""
        with self._changed:
            self.closed_ts = self._now()
            self._changed.notify_all()

    def _trim(self) -> None:
        before_ts = self._now() - self.kept_s
        while self._records and (self._records[0].written_ts < before_ts or self._bytes > KEPT_BYTES_MAX):
            self._bytes -= self._records.popleft().size_bytes

    @property
    def oldest(self) -> int:
        """The number of the oldest record that is kept, or of the next one."""
        with self._changed:
            self._trim()
            return self._records[0].number if self._records else self._next

    @property
    def next(self) -> int:
        """The number of the next record."""
        return self._next

    @property
    def last_ts(self) -> float | None:
        """When the newest record that is kept was written."""
        with self._changed:
            return self._records[-1].written_ts if self._records else None

    def since(self, ts: float) -> int:
        """The number of the first record that was written then or later, or of the next one."""
        with self._changed:
            self._trim()
            return next((one.number for one in self._records if one.written_ts >= ts), self._next)

    def read(self, number: int, count: int) -> list[R]:
        """Up to ``count`` records from that number on.

        Raises:
            TrimmedError: it has been trimmed.
        """
        with self._changed:
            self._trim()
            oldest = self._records[0].number if self._records else self._next
            if number < oldest:
                raise TrimmedError(self._name)
            start = number - oldest
            return [self._records[place] for place in range(start, min(start + count, len(self._records)))]

    def is_at_end(self, number: int) -> bool:
        """Whether the log is closed and has nothing from that number on."""
        return self.closed_ts is not None and number >= self._next

    def wait(self, number: int, timeout_s: float, is_unwanted: Callable[[], bool]) -> bool:
        """Wait for a record of that number; whether there is one. ``wake`` ends the waiting, as the log's end does."""
        due = time.monotonic() + timeout_s
        with self._changed:
            while (
                self._next <= number
                and self.closed_ts is None
                and not is_unwanted()
                and (left_s := due - time.monotonic()) > 0
            ):
                self._changed.wait(left_s)
            return self._next > number

    def wake(self) -> None:
        """Have those who wait look again whether they are wanted."""
        with self._changed:
            self._changed.notify_all()
