"""EventBridge refuses patterns that it does not understand, and targets that cannot be, when they are put.

LocalStack takes such a pattern: the rule matches nothing, and with the error that it raises for each event, rules after
it do not get the event either.
"""

import functools
from collections.abc import Callable
from typing import Any

from localstack.services.events.event_rule_engine import EventPatternCompiler
from localstack.services.events.models import ValidationException
from localstack.services.events.provider import EventsProvider

from dlqlab.emulator.events import checks


def patch() -> None:
    EventsProvider.put_rule = _with_pattern(EventsProvider.put_rule)
    EventsProvider.put_targets = _with_targets(EventsProvider.put_targets)


def _with_pattern(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def put_rule(self: EventsProvider, context: Any, name: str, **members: Any) -> Any:
        _refuse(checks.rule_problem(name))
        if members.get("event_pattern"):
            EventPatternCompiler().compile_event_pattern(members["event_pattern"])
        return original(self, context, name, **members)

    return put_rule


def _with_targets(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def put_targets(self: EventsProvider, context: Any, rule: str, targets: Any, **members: Any) -> Any:
        _refuse(checks.target_problem(targets))
        return original(self, context, rule, targets, **members)

    return put_targets


def _refuse(problem: str | None) -> None:
    if problem:
        raise ValidationException(problem)
