"""A look into a log stream finds its time window by bisection instead of reading every line for every page.

moto keeps the lines of a stream in the order of their arrival, which is the order of their times unless the clock was
set back. Where it is, the window is one slice; where it is not, moto's own search runs. The answers are the same.
"""

import threading
from bisect import bisect_left, bisect_right
from weakref import WeakKeyDictionary

from localstack.utils.patch import patch as replace
from moto.logs.models import LogEvent, LogStream
from moto.logs.utils import EventMessageFilter

from dlqlab.emulator.patches import expect

NAME = "sliced_logs"


class Order:
    """Knows how far the lines of each stream are in the order of their times; looks at each line once."""

    def __init__(self) -> None:
        self._checked: WeakKeyDictionary[LogStream, int] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def holds(self, stream: LogStream, events: list[LogEvent]) -> bool:
        """Whether all these lines are in order; -1 in the record means that a stream never will be."""
        with self._lock:
            checked = self._checked.get(stream, 0)
            if checked < 0:
                return False
            later = zip(events[max(checked - 1, 0) :], events[max(checked, 1) :], strict=False)
            ordered = all(first.timestamp <= second.timestamp for first, second in later)
            self._checked[stream] = len(events) if ordered else -1
            return ordered


def window(events: list[LogEvent], start_ms: int | None, end_ms: int | None) -> list[LogEvent]:
    """The lines of a window, both ends included, of lines in order."""
    first = bisect_left(events, start_ms, key=_time) if start_ms else 0
    last = bisect_right(events, end_ms, key=_time) if end_ms else len(events)
    return events[first:last]


def _time(event: LogEvent) -> int:
    return int(event.timestamp)


def patch() -> None:
    expect(NAME, LogStream.filter_log_events, "26285fdf86c3")
    order = Order()

    @replace(LogStream.filter_log_events)
    def filter_log_events(original, self, start_time, end_time, filter_pattern):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        events = self.events
        if not order.holds(self, events):
            return original(self, start_time, end_time, filter_pattern)
        matches = EventMessageFilter(filter_pattern).matches
        return [
            event.to_filter_dict() | {"logStreamName": self.log_stream_name}
            for event in window(events, start_time, end_time)
            if matches(event.message)
        ]
