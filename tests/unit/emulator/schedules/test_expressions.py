"""When schedules are due."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.schedules import expressions
from dlqlab.emulator.schedules.expressions import ExpressionError

START = datetime(2026, 1, 30, 12, 34, 56, tzinfo=UTC)


def _times(text: str, count: int, start: datetime = START, zone: str = "UTC") -> list[str]:
    """The next due times after a start, in UTC."""
    expression, found, moment = expressions.parse(text, ZoneInfo(zone)), [], start
    for _ in range(count):
        due = expression.next_after(moment, start=start)
        if due is None:
            break
        found.append(f"{due:%Y-%m-%dT%H:%M}")
        moment = due
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cron(0/30 12 * * ? *)", ["2026-01-31T12:00", "2026-01-31T12:30"]),
        ("cron(15 10 ? * 6L 2026-2028)", ["2026-02-27T10:15", "2026-03-27T10:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-30T18:00", "2026-02-02T18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-02-01T08:00", "2026-03-01T08:00"]),
        ("cron(0 9 ? * 2#1 *)", ["2026-02-02T09:00", "2026-03-02T09:00"]),
        ("cron(0 0 L * ? *)", ["2026-01-31T00:00", "2026-02-28T00:00"]),
        ("cron(0 0 LW * ? *)", ["2026-02-27T00:00", "2026-03-31T00:00"]),
        ("cron(0 0 1W * ? *)", ["2026-02-02T00:00", "2026-03-02T00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("cron(5,10 0 1 JAN,JUL ? *)", ["2026-07-01T00:05", "2026-07-01T00:10"]),
        ("cron(0 0 1 1 ? 2040)", ["2040-01-01T00:00"]),
        ("cron(0 0 1 1 ? 2020)", []),
        ("at(2026-02-01T00:00:00)", ["2026-02-01T00:00"]),
        ("at(2026-01-01T00:00:00)", []),
        ("rate(90 minutes)", ["2026-01-30T14:04", "2026-01-30T15:34"]),
        ("rate(1 day)", ["2026-01-31T12:34", "2026-02-01T12:34"]),
    ],
)
def test_next_due_times(text: str, expected: list[str]) -> None:
    """As AWS describes each form."""
    assert expected == _times(text, 2)


def test_time_zone_with_summer_time() -> None:
    """Half past two does not exist on the day on which the clock goes forward, and comes once when it goes back."""
    forward = _times("cron(30 2 * * ? *)", 2, datetime(2026, 3, 28, 0, 0, tzinfo=UTC), "Europe/Berlin")
    back = _times("cron(30 2 * * ? *)", 2, datetime(2026, 10, 24, 12, 0, tzinfo=UTC), "Europe/Berlin")

    assert ["2026-03-28T01:30", "2026-03-30T00:30"] == forward
    assert ["2026-10-25T00:30", "2026-10-26T01:30"] == back


def test_one_time_schedule_is_of_its_time_zone() -> None:
    """Noon in Berlin is eleven o'clock in winter."""
    assert ["2026-02-01T11:00"] == _times("at(2026-02-01T12:00:00)", 2, zone="Europe/Berlin")


def test_rate_is_due_at_its_start() -> None:
    """A schedule begins with its start; a rule asks for what comes after it."""
    rate = expressions.parse("rate(1 hour)")

    assert START == rate.next_after(START - timedelta(seconds=1), start=START)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(5 seconds)",
        "cron(* * * * *)",
        "cron(* * * * * *)",
        "cron(* * ? * ? *)",
        "cron(60 * * * ? *)",
        "cron(* 24 * * ? *)",
        "cron(5-1 * * * ? *)",
        "cron(*/0 * * * ? *)",
        "cron(* * * FOO ? *)",
        "cron(* * 40W * ? *)",
        "at(2026-13-01T00:00:00)",
        "at(tomorrow)",
    ],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    """Instead of never being due."""
    with pytest.raises(ExpressionError):
        expressions.parse(text)


@given(minute=st.integers(0, 59), hour=st.integers(0, 23), offset=st.integers(0, 400 * 86_400))
def test_daily_cron_is_due_within_a_day_and_at_its_minute(minute: int, hour: int, offset: int) -> None:
    """Whatever the time of asking."""
    now = START + timedelta(seconds=offset)

    due = expressions.parse(f"cron({minute} {hour} * * ? *)").next_after(now, start=START)

    assert due is not None
    assert timedelta(0) < due - now <= timedelta(days=1)
    assert (hour, minute) == (due.hour, due.minute)
