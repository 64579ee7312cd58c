"""When a schedule is due: rate, cron and at expressions. Pure.

Source: "Schedule types on EventBridge Scheduler"; "Creating a rule that runs on a schedule" for rules, whose rates
begin one interval after the rule and whose time zone is UTC.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from dlqlab.emulator.schedules.cron import Cron, CronError

_RATE = re.compile(r"rate\(\s*(\d+)\s+(minute|hour|day)(s?)\s*\)")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_CRON = re.compile(r"cron\(([^()]*)\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}


class ExpressionError(ValueError):
    """It is no schedule expression."""


class Expression(Protocol):
    """When something is due."""

    def next_after(self, moment: datetime, *, start: datetime) -> datetime | None:
        """The first time later than ``moment``, both aware; None where there is none.

        Args:
            start: when the schedule began, from which rates count; itself a due time of a rate.
        """


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so many seconds."""

    every_s: int

    def next_after(self, moment: datetime, *, start: datetime) -> datetime | None:
        if moment < start:
            return start
        passed = (moment - start).total_seconds() // self.every_s
        return start + timedelta(seconds=(passed + 1) * self.every_s)


@dataclass(frozen=True, slots=True)
class At:
    """Once."""

    due: datetime

    def next_after(self, moment: datetime, *, start: datetime) -> datetime | None:  # noqa: ARG002  (of the protocol)
        return self.due if moment < self.due else None


@dataclass(frozen=True, slots=True)
class Calendar:
    """By the clock on the wall: a time that the time zone skips is skipped, one that it repeats comes once."""

    cron: Cron
    zone: tzinfo

    def next_after(self, moment: datetime, *, start: datetime) -> datetime | None:
        after = max(moment, start - timedelta(seconds=1))
        for wall in self.cron.times_from(after.astimezone(self.zone).date()):
            due = wall.replace(tzinfo=self.zone).astimezone(UTC)
            exists = due.astimezone(self.zone).replace(tzinfo=None) == wall
            if exists and due > after:
                return due
        return None


def parse(text: str, zone: tzinfo = UTC) -> Expression:
    """An expression as it is given.

    Raises:
        ExpressionError: it is none.
    """
    if found := _RATE.fullmatch(text):
        value = int(found[1])
        if value < 1 or (value == 1) == bool(found[3]):
            raise ExpressionError(f"{text}: give 1 minute, hour or day, or more of minutes, hours or days")
        return Rate(value * _SECONDS[found[2]])
    try:
        if found := _AT.fullmatch(text):
            return At(datetime.fromisoformat(found[1]).replace(tzinfo=zone).astimezone(UTC))
        if found := _CRON.fullmatch(text):
            return Calendar(Cron.parse(found[1]), zone)
    except (CronError, ValueError) as error:
        raise ExpressionError(f"{text}: {error}") from error
    raise ExpressionError(f"{text}: give rate(...), cron(...) or at(...)")
