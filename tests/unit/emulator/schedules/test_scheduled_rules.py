"""Scheduled rules: once each time, and only while they are there."""

import queue
import types
from typing import Any

import pytest

from dlqlab.emulator.schedules import scheduled_rules
from dlqlab.emulator.schedules.scheduled_rules import Job


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The rules that EventBridge has."""
    found: dict[str, Any] = {}
    events = types.SimpleNamespace(_rule_services_store=found)
    monkeypatch.setattr(scheduled_rules, "provider", lambda _service: events)
    monkeypatch.setattr(scheduled_rules, "_wait", lambda _job: None)
    return found


def _job(rules: dict[str, Any], sent: "queue.SimpleQueue[str]", state: str = "ENABLED") -> Job:
    rule = types.SimpleNamespace(schedule_expression="rate(5 minutes)", state=state)
    service = types.SimpleNamespace(arn="arn:r", rule=rule)
    rules["arn:r"] = service
    job = service.scheduled = Job(service, lambda: sent.put("event"))
    return job


def test_rule_fires_and_is_due_again_one_interval_later(rules: dict[str, Any]) -> None:
    """A rate counts from the rule's beginning, not from full hours."""
    sent: queue.SimpleQueue[str] = queue.SimpleQueue()
    job = _job(rules, sent)
    assert job.due is not None
    first = job.due

    scheduled_rules._fire(job)

    assert "event" == sent.get(timeout=5)
    assert job.due is not None
    assert 300 == (job.due - first).total_seconds() == (first - job.start).total_seconds()


@pytest.mark.parametrize("how", ["disabled", "deleted", "replaced"])
def test_rule_that_is_gone_or_off_does_not_fire(rules: dict[str, Any], how: str) -> None:
    """Nor one whose targets were put again, which has a job of its own."""
    sent: queue.SimpleQueue[str] = queue.SimpleQueue()
    job = _job(rules, sent, "DISABLED" if how == "disabled" else "ENABLED")
    if how == "deleted":
        rules.clear()
    if how == "replaced":
        job.service.scheduled = None

    scheduled_rules._fire(job)

    assert sent.empty()
