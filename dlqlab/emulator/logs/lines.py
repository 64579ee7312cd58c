"""The lines of a log stream: their times in memory, all else in the spill file."""

import struct
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self, overload

from moto.logs.models import LogEvent

from dlqlab.emulator.core.spill_file import SpillFile

_HEAD = struct.Struct("<qq")
"""Event id and ingestion time, before the message."""
_ERRORS = "surrogatepass"
"""What a function prints need not be valid text."""


class Lines(Sequence[LogEvent]):
    """What moto keeps as a list of LogEvent in the order of their arrival. Made anew whenever it is looked at."""

    def __init__(self, spill_file: SpillFile, settle: Callable[[], object] = lambda: None) -> None:
        """Args:
        spill_file: where the lines lie.
        settle: called before each look, to wait for lines that are on their way.
        """
        self._spill_file = spill_file
        self._settle = settle
        self._adding = threading.Lock()
        self._times_ms = array("q")
        self._places = array("q")
        self._sizes = array("L")
        self._is_in_order = True

    def __iadd__(self, events: Iterable[LogEvent]) -> Self:
        with self._adding:
            for event in events:
                message = event.message.encode(errors=_ERRORS)
                piece = _HEAD.pack(event.event_id, event.ingestion_time) + message
                if self._times_ms and event.timestamp < self._times_ms[-1]:
                    self._is_in_order = False
                self._places.append(self._spill_file.put(piece))
                self._sizes.append(len(piece))
                self._times_ms.append(event.timestamp)  # last: its length is that of the whole
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Lines":
        """The same lines, to which others can be added; LocalStack copies log groups to describe them."""
        self._settle()
        copied = Lines(self._spill_file)
        with self._adding:
            copied._times_ms, copied._places, copied._sizes = self._times_ms[:], self._places[:], self._sizes[:]
            copied._is_in_order = self._is_in_order
        return copied

    def __len__(self) -> int:
        self._settle()
        return len(self._times_ms)

    @overload
    def __getitem__(self, index: int) -> LogEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[LogEvent]: ...
    def __getitem__(self, index: int | slice) -> LogEvent | list[LogEvent]:
        if isinstance(index, slice):
            return [self._event(number) for number in range(*index.indices(len(self)))]
        return self._event(range(len(self))[index])

    def __iter__(self) -> Iterator[LogEvent]:
        return map(self._event, range(len(self)))

    def bounds_ms(self) -> tuple[int, int] | None:
        """The least and the greatest time; None where there is no line."""
        self._settle()
        return (min(self._times_ms), max(self._times_ms)) if self._times_ms else None

    def window(self, start_ms: int | None, end_ms: int | None) -> list[dict[str, Any]]:
        """The lines of a window as FilterLogEvents gives them, by time; both ends included, 0 or None for no end."""
        return [self.filtered(number) for number in self.within(start_ms, end_ms)]

    def within(self, start_ms: int | None, end_ms: int | None) -> Sequence[int]:
        """Numbers of the lines of a window, by time and then in the order of their arrival.

        Times go back where the clock was set back, or a caller gave them.
        """
        self._settle()
        times_ms = self._times_ms
        if self._is_in_order:
            first = bisect_left(times_ms, start_ms) if start_ms else 0
            return range(first, bisect_right(times_ms, end_ms) if end_ms else len(times_ms))
        numbers = (
            number
            for number, time_ms in enumerate(times_ms)
            if (not start_ms or time_ms >= start_ms) and (not end_ms or time_ms <= end_ms)
        )
        return sorted(numbers, key=times_ms.__getitem__)

    def _event(self, number: int) -> LogEvent:
        event = object.__new__(LogEvent)  # its constructor counts up the ids of new events
        event.event_id, event.ingestion_time, event.message = self._piece(number)
        event.timestamp = self._times_ms[number]
        return event

    def time_ms(self, number: int) -> int:
        """The time of a line."""
        return self._times_ms[number]

    def message(self, number: int) -> str:
        """The text of a line."""
        return self._piece(number)[2]

    def filtered(self, number: int) -> dict[str, Any]:
        """A line as FilterLogEvents gives it, but for the name of its stream."""
        event_id, ingestion_time, message = self._piece(number)
        return {
            "eventId": str(event_id),
            "ingestionTime": ingestion_time,
            "message": message,
            "timestamp": self._times_ms[number],
        }

    def _piece(self, number: int) -> tuple[int, int, str]:
        piece = self._spill_file.get(self._places[number], self._sizes[number])
        return *_HEAD.unpack_from(piece), piece[_HEAD.size :].decode(errors=_ERRORS)
