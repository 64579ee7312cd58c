"""Lines in the spill file are those that moto would have kept in a list."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.logs.models import LogEvent

from dlqlab.emulator.core.spill_file import SpillFile
from dlqlab.emulator.logs.lines import Lines

TIMES = st.lists(st.integers(1, 20), max_size=30)
LIMIT = st.one_of(st.none(), st.integers(0, 22))


def _events(times: list[int]) -> list[LogEvent]:
    return [LogEvent(7, {"timestamp": time, "message": f"line {number} ü"}) for number, time in enumerate(times)]


def _seen(events: list[LogEvent]) -> list[dict[str, Any]]:
    return [vars(event) for event in events]


@given(parts=st.lists(TIMES, max_size=4))
def test_lines_are_a_list_of_events(parts: list[list[int]]) -> None:
    """However many come at a time."""
    lines, expected = Lines(SpillFile()), []
    for part in parts:
        events = _events(part)
        lines += events
        expected += events

    assert _seen(expected) == _seen(list(lines)) == _seen(lines[:])
    assert _seen(expected[1:-1]) == _seen(lines[1:-1])
    assert [vars(event) for event in expected[-1:]] == ([vars(lines[-1])] if expected else [])
    times = [event.timestamp for event in expected]
    assert lines.bounds_ms() == ((min(times), max(times)) if times else None)


@given(times=TIMES, start=LIMIT, end=LIMIT)
def test_window_is_what_a_search_finds(times: list[int], start: int | None, end: int | None) -> None:
    """Both ends are included, 0 and None mean no limit, and equal times stay in order: moto's own search."""
    events = _events(times)
    found = [e for e in events if (not start or e.timestamp >= start) and (not end or e.timestamp <= end)]
    expected = [event.to_filter_dict() for event in sorted(found, key=lambda event: int(event.timestamp))]
    lines = Lines(SpillFile())
    lines += events

    assert expected == lines.window(start, end)


def test_any_text_is_kept() -> None:
    """Half a surrogate pair, which a function may print, is not valid text."""
    lines = Lines(SpillFile())
    lines += [LogEvent(1, {"timestamp": 1, "message": text}) for text in ("", "\ud83d", "a\x00b\n")]

    assert [event.message for event in lines] == ["", "\ud83d", "a\x00b\n"]
    with pytest.raises(IndexError):
        lines[3]


def test_a_copy_goes_its_own_way() -> None:
    """LocalStack copies whole log groups in order to describe them."""
    lines = Lines(SpillFile())
    lines += _events([2, 1])
    copied = copy.deepcopy(lines)
    copied += _events([3])

    assert [2, 1] == [event.timestamp for event in lines]
    assert [2, 1, 3] == [event.timestamp for event in copied]
    assert [1, 2, 3] == [line["timestamp"] for line in copied.window(None, None)]
