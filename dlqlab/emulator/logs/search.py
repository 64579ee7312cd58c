"""FilterLogEvents: the lines of a log group that match, by time across its streams, page after page.

A page starts where the one before ended, and only its own lines are read. What AWS documents is followed, but for the
bound of 1 MB on a page.
"""

import base64
import heapq
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dlqlab.emulator.logs.patterns import Pattern

LIMIT_DEFAULT = 10_000

Position = tuple[int, str, int]
"""Time in milliseconds, stream, number of the line in the stream: lines come in this order."""


class InvalidTokenError(ValueError):
    """A page is asked for that was never offered."""


class Numbered(Protocol):
    """The lines of a stream, by their numbers; see ``dlqlab.emulator.logs.lines.Lines``."""

    def within(self, start_ms: int | None, end_ms: int | None) -> Sequence[int]: ...
    def time_ms(self, number: int) -> int: ...
    def message(self, number: int) -> str: ...
    def filtered(self, number: int) -> dict[str, Any]: ...


class Listed:
    """The lines of a stream that keeps them in moto's list."""

    def __init__(self, events: Iterable[Any]) -> None:
        self._events = list(events)

    def within(self, start_ms: int | None, end_ms: int | None) -> Sequence[int]:
        numbers = (
            number
            for number, event in enumerate(self._events)
            if (not start_ms or event.timestamp >= start_ms) and (not end_ms or event.timestamp <= end_ms)
        )
        return sorted(numbers, key=self.time_ms)

    def time_ms(self, number: int) -> int:
        return int(self._events[number].timestamp)

    def message(self, number: int) -> str:
        return str(self._events[number].message)

    def filtered(self, number: int) -> dict[str, Any]:
        return dict(self._events[number].to_filter_dict())


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for; both ends of the time are included, 0 or None for no end."""

    group: str
    start_ms: int | None = None
    end_ms: int | None = None
    pattern: Pattern | None = None
    limit: int = LIMIT_DEFAULT
    token: str | None = None


def search(streams: Mapping[str, Numbered], asked: Search) -> tuple[list[dict[str, Any]], str | None]:
    """The lines of a page as the API gives them, and the token of the next page unless this is the last.

    Raises:
        InvalidTokenError: the token is none of this group's.
    """
    after = _read_token(asked.token, asked.group) if asked.token else None
    positions = heapq.merge(*(_positions(name, lines, asked, after) for name, lines in streams.items()))
    page: list[dict[str, Any]] = []
    last: Position | None = None
    for position in positions:
        if len(page) == asked.limit:
            return page, _token(last, asked.group) if last else None
        last = position
        _, name, number = position
        lines = streams[name]
        if asked.pattern is None or asked.pattern.match(lines.message(number)):
            found = lines.filtered(number)
            found["logStreamName"] = name
            page.append(found)
    return page, None


def _positions(name: str, lines: Numbered, asked: Search, after: Position | None) -> Iterator[Position]:
    start_ms = max(asked.start_ms or 0, after[0]) if after else asked.start_ms
    numbers, time_ms = lines.within(start_ms, asked.end_ms), lines.time_ms
    positions = ((time_ms(number), name, number) for number in numbers)
    return positions if after is None else (position for position in positions if position > after)


def _token(position: Position, group: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([group, *position]).encode()).decode()


def _read_token(token: str, group: str) -> Position:
    try:
        found_group, time_ms, name, number = json.loads(base64.urlsafe_b64decode(token))
        position = (int(time_ms), str(name), int(number))
    except (ValueError, TypeError) as error:
        raise InvalidTokenError(token) from error
    if found_group != group:
        raise InvalidTokenError(token)
    return position
