"""Alarms of stacks are updated, and keep their state and history.

LocalStack has no update of an alarm, and reports one as done. PutMetricAlarm replaces an alarm of the same name.
"""

from collections.abc import Callable
from typing import Any

from localstack.services.cloudwatch.resource_providers.aws_cloudwatch_alarm import CloudWatchAlarmProvider


def patch() -> None:
    CloudWatchAlarmProvider.update = _updating(CloudWatchAlarmProvider.create)


def _updating(create: Callable[..., Any]) -> Callable[..., Any]:
    def update(self: Any, request: Any) -> Any:
        request.desired_state["AlarmName"] = request.previous_state["AlarmName"]
        return create(self, request)

    return update
