"""Scheduled rules of EventBridge fire when they are due, once each time, and as long as they are there.

LocalStack looks once a minute, up to a minute early, makes of a rate a cron that starts anew each hour, day or month,
and fires once more for each time that targets were put, and after a rule was disabled or deleted.
"""

import functools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localstack.services.events.provider import EventsProvider
from localstack.services.events.rule import RuleService

from dlqlab.emulator.core.deadlines import Deadlines
from dlqlab.emulator.core.services import provider
from dlqlab.emulator.schedules import expressions


class Job:
    """The schedule of a rule."""

    def __init__(self, service: Any, send: Callable[[], object]) -> None:
        self.service = service
        self.send = send
        self.expression = expressions.parse(service.rule.schedule_expression)
        self.start = datetime.now(UTC)
        self.due = self.expression.next_after(self.start, start=self.start)

    def is_current(self) -> bool:
        """Whether the rule is there and as it was when its targets were put."""
        rules = provider("events")._rule_services_store
        is_there = rules.get(self.service.arn) is self.service
        return is_there and getattr(self.service, "scheduled", None) is self


def _wait(job: Job) -> None:
    if job.due is not None:
        _deadlines.add(time.monotonic() + max(0.0, (job.due - datetime.now(UTC)).total_seconds()), job)


def _fire(job: Job) -> None:
    if job.due is None or not job.is_current():
        return
    job.due = job.expression.next_after(job.due, start=job.start)
    _wait(job)
    if job.service.rule.state != "DISABLED":
        threading.Thread(target=job.send, daemon=True, name="dlqlab-scheduled-rule").start()


_deadlines: Deadlines[Job] = Deadlines(_fire, name="dlqlab-scheduled-rules")


def patch() -> None:
    def create_schedule_job(self: Any, send: Callable[[], object]) -> None:
        before = getattr(self, "scheduled", None)
        self.scheduled = Job(self, send)
        if before is not None and before.due is not None:  # more targets do not begin the rate anew
            self.scheduled.start, self.scheduled.due = before.start, before.due
        _wait(self.scheduled)

    RuleService.create_schedule_job = create_schedule_job
    EventsProvider.create_rule_service = _scheduled(EventsProvider.create_rule_service)


def _scheduled(original: Callable[..., Any]) -> Callable[..., Any]:
    """A rule that is put again keeps its targets, and so has to be scheduled anew."""

    @functools.wraps(original)
    def create_rule_service(self: Any, name: str, region: str, account_id: str, *more: Any) -> Any:
        service = original(self, name, region, account_id, *more)
        if service.schedule_cron and service.rule.targets:
            service.create_schedule_job(self._get_scheduled_rule_job_function(account_id, region, service.rule))
        return service

    return create_rule_service
