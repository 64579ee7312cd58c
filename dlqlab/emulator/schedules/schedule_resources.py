"""Schedules of stacks are made with all that their template says, and updated.

LocalStack drops ActionAfterCompletion, and reports an update as done without doing anything.
"""

from collections.abc import Mapping
from typing import Any

from localstack.services.cloudformation.provider_utils import generate_default_name
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
from localstack.services.scheduler.resource_providers.aws_scheduler_schedule import SchedulerScheduleProvider

_TAKEN = (
    "ActionAfterCompletion",
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "Name",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
    "Target",
)


def patch() -> None:
    SchedulerScheduleProvider.create = _create
    SchedulerScheduleProvider.update = _update


def _create(_self: Any, request: Any) -> Any:
    model = request.desired_state
    if not model.get("Name"):
        model["Name"] = generate_default_name(request.stack_name, request.logical_resource_id)
    made = request.aws_client_factory.scheduler.create_schedule(**_given(model))
    return _done(model, made)


def _update(_self: Any, request: Any) -> Any:
    model = request.desired_state
    model["Name"] = model.get("Name") or request.previous_state["Name"]
    return _done(model, request.aws_client_factory.scheduler.update_schedule(**_given(model)))


def _given(model: Mapping[str, Any]) -> dict[str, Any]:
    return {name: model[name] for name in _TAKEN if model.get(name) is not None}


def _done(model: dict[str, Any], made: Mapping[str, Any]) -> Any:
    model["Arn"] = made["ScheduleArn"]
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)
