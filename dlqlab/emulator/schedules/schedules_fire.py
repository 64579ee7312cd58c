"""Schedules of EventBridge Scheduler call their targets, by rate, cron or once, with retries and dead letters.

LocalStack only keeps them. A schedule is due by the time zone and the dates that it names, and within its flexible
window; what its target does not take is tried again as its retry policy says, and then goes to its dead-letter queue.
"""

import functools
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend

from dlqlab.emulator import settings
from dlqlab.emulator.core.deadlines import Deadlines
from dlqlab.emulator.events import failures
from dlqlab.emulator.schedules import calls, expressions, payloads
from dlqlab.emulator.schedules.expressions import Expression, ExpressionError
from dlqlab.emulator.schedules.payloads import Attempt

_LOG = logging.getLogger(__name__)
_RETRIED = frozenset({"THROTTLING", "CONNECTION_FAILURE", "ERROR_FROM_TARGET"})


class Armed:
    """A schedule as it was last put, and when it is due; another version of it is armed anew."""

    def __init__(self, backend: Any, schedule: Any) -> None:
        self.backend = backend
        self.schedule = schedule
        self.expression: Expression = _parse(schedule.schedule_expression, schedule.schedule_expression_timezone)
        now = datetime.now(UTC)
        self.start = max(_moment(schedule.start_date) or now, now)
        self.end = _moment(schedule.end_date)
        self.due: datetime | None = self.next_after(self.start - timedelta(seconds=1))

    def next_after(self, moment: datetime) -> datetime | None:
        due = self.expression.next_after(moment, start=self.start)
        return due if due is not None and (self.end is None or due <= self.end) else None

    def is_current(self) -> bool:
        """Whether it was neither changed nor deleted since."""
        group = self.backend.schedule_groups.get(self.schedule.group_name)
        is_there = group is not None and group.schedules.get(self.schedule.name) is self.schedule
        return is_there and getattr(self.schedule, "armed", None) is self

    def window_s(self) -> float:
        """How much later than due, drawn from its flexible window."""
        window = self.schedule.flexible_time_window or {}
        if window.get("Mode") != "FLEXIBLE":
            return 0
        return random.uniform(0, 60 * float(window.get("MaximumWindowInMinutes", 0)))  # noqa: S311  (no secret)


def _parse(text: str, zone: str) -> Expression:
    try:
        return expressions.parse(text, ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError) as error:
        is_zone = not isinstance(error, ExpressionError)
        what = f"ScheduleExpressionTimezone {zone} is not valid" if is_zone else f"Invalid Schedule Expression {text}"
        raise ValidationException(f"{what}.") from error


def _moment(given: Any) -> datetime | None:
    """A date of a request, in seconds since 1970 or as text."""
    if given is None:
        return None
    if isinstance(given, int | float):
        return datetime.fromtimestamp(given, UTC)
    return datetime.fromisoformat(str(given)).astimezone(UTC)


def _arm(armed: Armed) -> None:
    if armed.due is None:
        _complete(armed)
        return
    delay_s = (armed.due - datetime.now(UTC)).total_seconds() + armed.window_s()
    _deadlines.add(time.monotonic() + max(0.0, delay_s), armed)


def _fire(armed: Armed) -> None:
    """Call the target in a thread of its own, and wait for the next time."""
    due = armed.due
    if due is None or not armed.is_current() or armed.schedule.state != "ENABLED":
        return
    armed.due = armed.next_after(max(due, datetime.now(UTC) - timedelta(seconds=60)))
    is_last = armed.due is None
    target = dict(armed.schedule.target)
    threading.Thread(target=_deliver, args=(armed, target, due, is_last), daemon=True, name="dlqlab-schedule").start()
    if not is_last:
        _arm(armed)


def _complete(armed: Armed) -> None:
    """Delete a schedule that is over, where it asks for that."""
    if armed.schedule.action_after_completion == "DELETE" and armed.is_current():
        armed.backend.delete_schedule(armed.schedule.group_name, armed.schedule.name)


def _deliver(armed: Armed, target: dict[str, Any], due: datetime, is_last: bool) -> None:
    try:
        _try(armed.schedule, target, due)
    except Exception:  # noqa: BLE001  (as on AWS: a dead letter that is lost is told, and the schedule goes on)
        _LOG.exception("schedule %s: an invocation and its dead letter are lost", armed.schedule.arn)
    if is_last:
        _complete(armed)


def _try(schedule: Any, target: dict[str, Any], due: datetime) -> None:
    policy = target.get("RetryPolicy") or {}
    retries_max = int(policy.get("MaximumRetryAttempts", 185))
    ends = time.monotonic() + int(policy.get("MaximumEventAgeInSeconds", 86_400))
    retry = 0
    while True:
        attempt = Attempt(schedule.arn, due, uuid.uuid4().hex[:16], retry + 1)
        parts = schedule.arn.split(":")
        given = target.get("Input") or payloads.event_of(schedule.arn, parts[4], parts[3], attempt)
        text = attempt.fill(given)
        try:
            calls.call(schedule, target, text)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is tried again or becomes a dead letter)
            exhausted = _exhausted(error, retry, retries_max, ends)
            if exhausted is not None:
                _bury(schedule, target, text, attempt, error, exhausted)
                return
        else:
            return
        retry += 1
        time.sleep(payloads.backoff_s(retry))


def _exhausted(error: Exception, retry: int, retries_max: int, ends: float) -> str | None:
    """The limit that was reached, empty where no retry could help; None where it is tried again."""
    if failures.error_code(error) not in _RETRIED:
        return ""
    if retry >= retries_max:
        return "MaximumRetryAttempts"
    return "MaximumEventAgeInSeconds" if time.monotonic() + payloads.backoff_s(retry + 1) > ends else None


def _bury(schedule: Any, target: dict[str, Any], text: str, attempt: Attempt, error: Exception, limit: str) -> None:
    _LOG.warning("schedule %s could not call %s: %s", schedule.arn, target["Arn"], error)
    queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue_arn:
        return
    code = getattr(error, "response", {}).get("Error", {}).get("Code") or failures.error_code(error)
    message = failures.error_message(error)
    attributes = payloads.dead_letter(attempt, target_arn=target["Arn"], code=code, message=message, is_exhausted=limit)
    calls.bury(schedule, queue_arn, text, attributes)


_deadlines: Deadlines[Armed] = Deadlines(_fire, name="dlqlab-schedules")


def patch() -> None:
    EventBridgeSchedulerBackend.create_schedule = _armed(EventBridgeSchedulerBackend.create_schedule)
    EventBridgeSchedulerBackend.update_schedule = _armed(EventBridgeSchedulerBackend.update_schedule)


def _armed(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def put(self: Any, **given: Any) -> Any:
        arn = (given.get("target") or {}).get("Arn", "")
        if reason := payloads.why_not(arn, settings.SERVICES):
            raise ValidationException(f"Target {arn} cannot be called: {reason}.")
        _parse(given["schedule_expression"], given.get("schedule_expression_timezone") or "UTC")
        schedule = original(self, **given)
        schedule.state = schedule.state or "ENABLED"
        schedule.armed = Armed(self, schedule)
        _arm(schedule.armed)
        return schedule

    return put
