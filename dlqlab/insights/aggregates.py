"""What ``stats`` counts up over the records of a group (AWS, page "stats", "Functions to use with stats")."""

import math
from array import array
from collections.abc import Callable, Mapping
from typing import Protocol

from dlqlab.insights.errors import MalformedQueryError
from dlqlab.insights.expressions import Compiler, refuse
from dlqlab.insights.functions import plain
from dlqlab.insights.lines import Getter, Record
from dlqlab.insights.syntax import Call, Literal
from dlqlab.insights.times import Timestamp
from dlqlab.insights.values import Number, Value, number, sort_key, text

_LAST = frozenset({"pct", "percentile"})
"""Those that take a percentage after the field."""


class Aggregate(Protocol):
    """One figure of one group."""

    def add(self, record: Record) -> None:
        """Take a record in."""

    def result(self) -> Value:
        """The figure; None where no record had a value for it."""


class _Count:
    def __init__(self, get: Getter | None) -> None:
        self._get = get
        self._count = 0

    def add(self, record: Record) -> None:
        if self._get is None or self._get(record) is not None:
            self._count += 1

    def result(self) -> Value:
        return self._count


class _Distinct:
    def __init__(self, get: Getter) -> None:
        self._get = get
        self._seen: set[str] = set()

    def add(self, record: Record) -> None:
        said = text(self._get(record))
        if said is not None:
            self._seen.add(said)

    def result(self) -> Value:
        return len(self._seen)


class _Sum:
    def __init__(self, get: Getter, *, mean: bool) -> None:
        self._get, self._mean = get, mean
        self._total: Number = 0
        self._count = 0

    def add(self, record: Record) -> None:
        found = number(self._get(record))
        if found is not None:
            self._total += found
            self._count += 1

    def result(self) -> Value:
        if not self._count:
            return None
        return plain(self._total / self._count if self._mean else self._total)


class _Spread:
    """The sample's standard deviation, by Welford's recurrence; 0 for a single value."""

    def __init__(self, get: Getter) -> None:
        self._get = get
        self._count, self._mean, self._squares = 0, 0.0, 0.0

    def add(self, record: Record) -> None:
        found = number(self._get(record))
        if found is None:
            return
        self._count += 1
        step = found - self._mean
        self._mean += step / self._count
        self._squares += step * (found - self._mean)

    def result(self) -> Value:
        if not self._count:
            return None
        return plain(math.sqrt(self._squares / (self._count - 1))) if self._count > 1 else 0


class _Percentile:
    """Between the two values that are nearest to it, in proportion."""

    def __init__(self, get: Getter, percent: float) -> None:
        self._get, self._percent = get, percent
        self._values = array("d")

    def add(self, record: Record) -> None:
        found = number(self._get(record))
        if found is not None:
            self._values.append(found)

    def result(self) -> Value:
        if not self._values:
            return None
        values = sorted(self._values)
        place = (len(values) - 1) * self._percent / 100
        below = int(place)
        above = min(below + 1, len(values) - 1)
        return plain(values[below] + (values[above] - values[below]) * (place - below))


class _Extreme:
    """The first or the last value in ascending order; numbers come after words."""

    def __init__(self, get: Getter, *, last: bool) -> None:
        self._get, self._last = get, last
        self._value: Value = None
        self._rank: tuple[object, ...] | None = None

    def add(self, record: Record) -> None:
        value = self._get(record)
        if value is None:
            return
        rank = sort_key(value)
        if self._rank is None or (rank > self._rank if self._last else rank < self._rank):
            self._value, self._rank = value, rank

    def result(self) -> Value:
        return _untimed(self._value)


class _InTime:
    """The value of the record that is the earliest, or the latest, of those that have one."""

    def __init__(self, get: Getter, *, latest: bool) -> None:
        self._get, self._latest = get, latest
        self._value: Value = None
        self._at_ms: int | None = None

    def add(self, record: Record) -> None:
        value = self._get(record)
        if value is None:
            return
        assert record.line is not None
        at_ms = record.line.timestamp_ms
        if self._at_ms is None or (at_ms >= self._at_ms if self._latest else at_ms < self._at_ms):
            self._value, self._at_ms = value, at_ms

    def result(self) -> Value:
        return _untimed(self._value)


def _untimed(value: Value) -> Value:
    """Times come out of ``stats`` as milliseconds; ``fromMillis`` makes times of them again."""
    return int(value) if isinstance(value, Timestamp) else value


type Maker = Callable[[], Aggregate]

_OF_ONE: Mapping[str, Callable[[Getter], Aggregate]] = {
    "count_distinct": _Distinct,
    "sum": lambda get: _Sum(get, mean=False),
    "avg": lambda get: _Sum(get, mean=True),
    "min": lambda get: _Extreme(get, last=False),
    "max": lambda get: _Extreme(get, last=True),
    "median": lambda get: _Percentile(get, 50),
    "stddev": _Spread,
    "earliest": lambda get: _InTime(get, latest=False),
    "latest": lambda get: _InTime(get, latest=True),
    "sortsfirst": lambda get: _Extreme(get, last=False),
    "sortslast": lambda get: _Extreme(get, last=True),
}
NAMES = frozenset({*_OF_ONE, "count", *_LAST})
"""In lower case."""


def aggregate(node: Call, compiler: Compiler) -> Maker:
    """The function that makes the figure for a new group.

    Raises:
        MalformedQueryError: its arguments make no sense.
    """
    name = node.name.lower()
    if name == "count":
        return _count(node, compiler)
    wanted = 2 if name in _LAST else 1
    if node.star or len(node.arguments) != wanted:
        refuse(node, f"{node.name} takes {wanted} argument{'s' if wanted > 1 else ''}")
    if name in {"earliest", "latest"} and not compiler.scope.lines:
        raise MalformedQueryError("Unknown symbols found in or after stats: @timestamp", node.start, node.end)
    get = compiler.value(node.arguments[0])
    if name in _LAST:
        percent = _percent(node)
        return lambda: _Percentile(get, percent)
    make = _OF_ONE[name]
    return lambda: make(get)


def _count(node: Call, compiler: Compiler) -> Maker:
    if len(node.arguments) > 1:
        refuse(node, "count takes a field, or *")
    get = compiler.value(node.arguments[0]) if node.arguments else None
    return lambda: _Count(get)


def _percent(node: Call) -> float:
    last = node.arguments[1]
    percent = number(last.value) if isinstance(last, Literal) and isinstance(last.value, int | float) else None
    if percent is None or not 0 <= percent <= 100:  # noqa: PLR2004  (per cent)
        refuse(node, f"{node.name} takes a field and a percentage from 0 to 100")
    return percent
