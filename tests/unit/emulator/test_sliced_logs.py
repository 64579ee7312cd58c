"""A window found by bisection holds the lines that a search of all of them would find."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.logs.models import LogEvent, LogGroup, LogStream

from dlqlab.emulator.patches.sliced_logs import Order, window

TIMES = st.lists(st.integers(1, 20), max_size=30)


@pytest.fixture(scope="module")
def group() -> LogGroup:
    """A log group of moto's."""
    return LogGroup("000000000000", "us-east-1", "g")


def _events(times: list[int]) -> list[LogEvent]:
    return [LogEvent(0, {"timestamp": time, "message": str(time)}) for time in times]


@given(times=TIMES, start=st.integers(0, 22), end=st.integers(0, 22))
def test_window_is_what_a_search_finds(times: list[int], start: int, end: int) -> None:
    """Both ends are included, and 0 means no limit, as in moto."""
    events = _events(sorted(times))
    expected = [time for time in sorted(times) if (not start or time >= start) and (not end or time <= end)]

    assert expected == [event.timestamp for event in window(events, start, end)]


@given(parts=st.lists(TIMES, max_size=5))
def test_disorder_is_noticed_whenever_it_comes(parts: list[list[int]]) -> None:
    """Lines that arrive in parts are in order exactly as long as all of them together are."""
    order, stream = Order(), LogStream(LogGroup("000000000000", "us-east-1", "g"), "s")
    arrived: list[int] = []
    for part in parts:
        arrived += part
        stream.events = _events(arrived)

        ordered = arrived == sorted(arrived)
        assert ordered == order.holds(stream, stream.events)
        if not ordered:
            break


def test_streams_do_not_share_their_record(group: LogGroup) -> None:
    """A disordered stream does not spoil another one."""
    order, streams = Order(), [LogStream(group, name) for name in ("a", "b")]

    assert [False, True] == [
        order.holds(stream, _events(times)) for stream, times in zip(streams, ([2, 1], [1, 2]), strict=True)
    ]
