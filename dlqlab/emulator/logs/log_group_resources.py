"""Log groups of stacks have the retention that their template gives, also after an update.

LocalStack ignores RetentionInDays, and reports an update as done without doing anything.
"""

import functools
from collections.abc import Callable
from typing import Any

from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
from localstack.services.logs.resource_providers.aws_logs_loggroup import LogsLogGroupProvider


def patch() -> None:
    LogsLogGroupProvider.create = _retaining(LogsLogGroupProvider.create)
    LogsLogGroupProvider.update = _update


def _retaining(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def create(self: Any, request: Any) -> Any:
        made = original(self, request)
        if request.desired_state.get("RetentionInDays"):
            _retain(request)
        return made

    return create


def _update(_self: Any, request: Any) -> Any:
    model, before = request.desired_state, request.previous_state
    model["LogGroupName"], model["Arn"] = before["LogGroupName"], before["Arn"]
    if model.get("RetentionInDays"):
        _retain(request)
    else:
        request.aws_client_factory.logs.delete_retention_policy(logGroupName=model["LogGroupName"])
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model, custom_context=request.custom_context)


def _retain(request: Any) -> None:
    model = request.desired_state
    request.aws_client_factory.logs.put_retention_policy(
        logGroupName=model["LogGroupName"], retentionInDays=int(model["RetentionInDays"])
    )
