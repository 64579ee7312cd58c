"""Pages of FilterLogEvents are the sorted lines of all streams, cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.logs.models import LogEvent

from dlqlab.emulator.core.spill_file import SpillFile
from dlqlab.emulator.logs.lines import Lines
from dlqlab.emulator.logs.patterns import compile_pattern
from dlqlab.emulator.logs.search import InvalidTokenError, Listed, Numbered, Search, search

STREAMS = st.dictionaries(st.sampled_from("abcd"), st.lists(st.integers(1, 12), max_size=12), max_size=4)
LIMIT = st.one_of(st.none(), st.integers(0, 14))


def _streams(times: dict[str, list[int]], *, filed: bool) -> dict[str, Numbered]:
    streams: dict[str, Numbered] = {}
    for name, stream in times.items():
        events = [LogEvent(7, {"timestamp": t, "message": f"{name}{n} t{t % 2}"}) for n, t in enumerate(stream)]
        lines = Lines(SpillFile())
        lines += events
        streams[name] = lines if filed else Listed(events)
    return streams


def _pages(streams: dict[str, Numbered], asked: Search) -> list[list[str]]:
    pages: list[list[str]] = []
    token = None
    while True:
        found, token = search(
            streams,
            Search(
                group=asked.group,
                start_ms=asked.start_ms,
                end_ms=asked.end_ms,
                pattern=asked.pattern,
                limit=asked.limit,
                token=token,
            ),
        )
        pages.append([event["message"] for event in found])
        if token is None:
            return pages


@given(times=STREAMS, start=LIMIT, end=LIMIT, limit=st.integers(1, 5), filed=st.booleans(), pattern=st.booleans())
def test_pages_are_all_lines_by_time(
    times: dict[str, list[int]], start: int | None, end: int | None, limit: int, *, filed: bool, pattern: bool
) -> None:
    """Each line that matches once, by time across streams and then as it came, whatever the size of a page."""
    lines = sorted(
        (t, name, n)
        for name, stream in times.items()
        for n, t in enumerate(stream)
        if (not start or t >= start) and (not end or t <= end) and (not pattern or t % 2)
    )
    asked = Search(
        group="g", start_ms=start, end_ms=end, limit=limit, pattern=compile_pattern("t1") if pattern else None
    )
    pages = _pages(_streams(times, filed=filed), asked)

    assert [f"{name}{n} t{t % 2}" for t, name, n in lines] == [message for page in pages for message in page]
    assert all(len(page) <= limit for page in pages)


def test_lines_that_come_meanwhile_do_not_move_pages() -> None:
    """A later line is on a later page; nothing is shown twice."""
    streams = _streams({"a": [1, 2, 3], "b": [2]}, filed=True)
    first, token = search(streams, Search(group="g", limit=2))
    lines = streams["a"]
    assert isinstance(lines, Lines)
    lines += [LogEvent(7, {"timestamp": 1, "message": "too late"}), LogEvent(7, {"timestamp": 9, "message": "new"})]
    second, end = search(streams, Search(group="g", token=token))

    assert ["a0 t1", "a1 t0"] == [event["message"] for event in first]
    assert ["b0 t0", "a2 t1", "new"] == [event["message"] for event in second]
    assert end is None


@pytest.mark.parametrize("token", ["x", "", "bm8=", "WzFd"])
def test_a_token_that_was_never_given_is_refused(token: str) -> None:
    """Nor does one of another group do."""
    streams = _streams({"a": [1, 2]}, filed=True)
    _, given_token = search(streams, Search(group="other", limit=1))

    for wrong in (token or given_token, given_token):
        with pytest.raises(InvalidTokenError):
            search(streams, Search(group="g", token=wrong))
