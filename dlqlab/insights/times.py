"""Times of log lines: milliseconds since the epoch, and the periods that bins are made of. Always UTC."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIXED_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_MONTHS = {"mo": 1, "q": 3, "y": 12}
_NAMES = {
    "ms": ("millisecond", "msec", "ms"),
    "s": ("second", "sec", "s"),
    "m": ("minute", "min", "m"),
    "h": ("hour", "hr", "h"),
    "d": ("day", "d"),
    "w": ("week", "w"),
    "mo": ("month", "mon", "mo"),
    "q": ("quarter", "qtr", "q"),
    "y": ("year", "yr", "y"),
}
_UNITS = {
    name + s: unit for unit, names in _NAMES.items() for name in names for s in ("", "s" if len(name) > 1 else "")
}
UNIT_PATTERN = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_PERIOD = re.compile(rf"(\d+)({UNIT_PATTERN})")
_MONDAY_MS = 4 * 86_400_000
"""The first Monday after the epoch: weeks begin on Mondays."""


class Timestamp(int):
    """Milliseconds since the epoch that are shown as a time. What is calculated with them is a plain number."""

    __slots__ = ()

    def __str__(self) -> str:
        try:
            return (_EPOCH + timedelta(milliseconds=int(self))).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        except OverflowError:
            return int.__repr__(self)


@dataclass(frozen=True, slots=True)
class Period:
    """A number of one unit. Units (AWS, page "stats"): ms, s, m, h, d, w, mo, q, y and their longer names."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> "Period":
        """A period such as ``5m``.

        Raises:
            ValueError: it is none, or has no length.
        """
        found = _PERIOD.fullmatch(text)
        if not found or not 0 < int(found[1]) <= 1_000_000:  # noqa: PLR2004  (longer than the calendar)
            raise ValueError(f"{text} is not a period: give a number and a unit such as 5m")
        return cls(int(found[1]), _UNITS[found[2]])


def floor_of(period: Period) -> Callable[[int], Timestamp]:
    """The function that finds the start of the period in which a time lies."""
    months = _MONTHS.get(period.unit)
    if months:
        return lambda time_ms: Timestamp(
            _month_start_ms(_month(time_ms) // (months * period.count) * months * period.count)
        )
    width_ms = _FIXED_MS[period.unit] * period.count
    offset_ms = _MONDAY_MS if period.unit == "w" else 0
    return lambda time_ms: Timestamp((time_ms - offset_ms) // width_ms * width_ms + offset_ms)


def ceiling_of(period: Period) -> Callable[[int], Timestamp]:
    """The function that finds the end of the period in which a time lies; a period's start is its own ceiling."""
    floor = floor_of(period)
    months = _MONTHS.get(period.unit, 0) * period.count

    def ceiling(time_ms: int) -> Timestamp:
        start_ms = floor(time_ms)
        if start_ms == time_ms:
            return start_ms
        if months:
            return Timestamp(_month_start_ms(_month(start_ms) + months))
        return Timestamp(start_ms + _FIXED_MS[period.unit] * period.count)

    return ceiling


def _month(time_ms: int) -> int:
    """Months since the epoch."""
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return (moment.year - 1970) * 12 + moment.month - 1


def _month_start_ms(month: int) -> int:
    start = datetime(1970 + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return (start - _EPOCH) // timedelta(milliseconds=1)
