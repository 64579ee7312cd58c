"""Which messages have been kept for longer than their queue keeps them, without looking at every message."""

import heapq
import itertools
import weakref
from collections.abc import Iterator
from typing import Protocol

_COMPACT_FROM = 1024


class Kept(Protocol):
    """A message of a queue."""

    deleted: bool


class Expiries[M: Kept]:
    """Messages in the order in which they expire; each call costs the logarithm of their number.

    Deleted messages are forgotten when their turn comes, or when they are the half of all. Calls must not overlap, but
    for ``has_expired``.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, weakref.ref[M]]] = []
        self._order = itertools.count()  # equal times must not compare messages
        self._compact_at = _COMPACT_FROM

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, kept_from_ts: float, message: M) -> None:
        """Args:
        kept_from_ts: seconds since the epoch, from which the retention period counts.
        """
        heapq.heappush(self._heap, (kept_from_ts, next(self._order), weakref.ref(message)))
        if len(self._heap) >= self._compact_at:
            self._heap = [entry for entry in self._heap if _is_there(entry[2]())]
            heapq.heapify(self._heap)
            self._compact_at = max(_COMPACT_FROM, 2 * len(self._heap))

    def has_expired(self, before_ts: float) -> bool:
        """Whether a message may be older than that; no message is looked at. May overlap with other calls."""
        first = self._heap[:1]
        return bool(first) and first[0][0] <= before_ts

    def take_expired(self, before_ts: float) -> Iterator[M]:
        """The messages that are kept from then or before, each once."""
        while self.has_expired(before_ts):
            message = heapq.heappop(self._heap)[2]()
            if message is not None and not message.deleted:
                yield message


def _is_there(message: Kept | None) -> bool:
    return message is not None and not message.deleted
