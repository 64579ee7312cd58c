"""Cron expressions of EventBridge: six fields, with L, W and #. Pure.

Source: "Schedule types on EventBridge Scheduler" (cron-based schedules: fields, values, wildcards).
"""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_FIELDS = 6
_YEAR_MAX = 2199
_SEARCHED_YEARS = 29
"""After so many years all weekdays of 29 February have come."""
_SATURDAY, _SUNDAY = 6, 7
_MONTHS = {name.upper(): index for index, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: index for index, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_NTH = re.compile(r"(\w+)#([1-5])")
_LAST_WEEKDAY = re.compile(r"([1-7]|[A-Z]{3})L")
_NEAREST = re.compile(r"(\d{1,2})W")


class CronError(ValueError):
    """It is no cron expression."""


type DayTest = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Cron:
    """When it is due, by the clock on the wall."""

    minutes: Sequence[int]
    hours: Sequence[int]
    is_day: DayTest
    months: frozenset[int]
    years: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> "Cron":
        """The inner part of ``cron(...)``.

        Raises:
            CronError: a field is missing or makes no sense; it is named.
        """
        fields = text.upper().split()
        if len(fields) != _FIELDS:
            raise CronError(f"{len(fields)} fields, expected minutes, hours, day-of-month, month, day-of-week, year")
        minutes, hours, day, month, weekday, year = fields
        if (day == "?") == (weekday == "?"):
            raise CronError("exactly one of day-of-month and day-of-week must be ?")
        return cls(
            sorted(_values("minutes", minutes, 0, 59)),
            sorted(_values("hours", hours, 0, 23)),
            _weekdays(weekday) if day == "?" else _days(day),
            _values("month", month, 1, 12, _MONTHS),
            _values("year", year, 1970, _YEAR_MAX),
        )

    def times_from(self, day: date) -> Iterator[datetime]:
        """All due times from the beginning of a day on, without a time zone."""
        first = min((year for year in self.years if year >= day.year), default=None)
        if first is None:
            return
        day = max(day, date(first, 1, 1))
        end = date(min(first + _SEARCHED_YEARS, _YEAR_MAX), 12, 31)
        while day <= end:
            if day.year in self.years and day.month in self.months and self.is_day(day):
                yield from (
                    datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001  (by the clock on the wall)
                    for hour in self.hours
                    for minute in self.minutes
                )
            day += timedelta(days=1)


def _values(field: str, text: str, low: int, high: int, names: Mapping[str, int] | None = None) -> frozenset[int]:
    """The numbers that lists, ranges and steps mean."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, is_range, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = _number(field, first, low, high, names)
            end = _number(field, last, low, high, names) if is_range else high if step else begin
        if end < begin or ("/" in part and not (step.isdecimal() and int(step) > 0)):
            raise CronError(f"{field} is {text}: {part} means nothing")
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(found)


def _number(field: str, text: str, low: int, high: int, names: Mapping[str, int] | None = None) -> int:
    if names and text in names:
        return names[text]
    if not text.isdecimal() or not low <= int(text) <= high:
        raise CronError(f"{field} is {text}: give values from {low} to {high}")
    return int(text)


def _days(text: str) -> DayTest:
    """Of the month."""
    if text == "L":
        return lambda day: day.day == _last(day)
    if text == "LW":
        return lambda day: day == _nearest_workday(day.replace(day=_last(day)))
    if found := _NEAREST.fullmatch(text):
        wanted = _number("day-of-month", found[1], 1, 31)
        return lambda day: wanted <= _last(day) and day == _nearest_workday(day.replace(day=wanted))
    days = _values("day-of-month", text, 1, 31)
    return lambda day: day.day in days


def _weekdays(text: str) -> DayTest:
    """Of the week, from 1, which is Sunday."""
    if text == "L":
        text = "SAT"
    if found := _NTH.fullmatch(text):
        wanted, nth = _number("day-of-week", found[1], 1, 7, _DAYS), int(found[2])
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == nth
    if found := _LAST_WEEKDAY.fullmatch(text):
        wanted = _number("day-of-week", found[1], 1, 7, _DAYS)
        return lambda day: _weekday(day) == wanted and day.day + 7 > _last(day)
    days = _values("day-of-week", text, 1, 7, _DAYS)
    return lambda day: _weekday(day) in days


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_workday(day: date) -> date:
    """Monday to Friday, in the same month."""
    if day.isoweekday() == _SATURDAY:
        return day - timedelta(days=1) if day.day > 1 else day + timedelta(days=2)
    if day.isoweekday() == _SUNDAY:
        return day + timedelta(days=1) if day.day < _last(day) else day - timedelta(days=2)
    return day
