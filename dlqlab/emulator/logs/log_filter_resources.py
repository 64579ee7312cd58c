"""Stacks make metric filters, and each of their subscription filters by its own name.

LocalStack reports AWS::Logs::MetricFilter as created and makes none, and names every subscription filter of a log group
alike, so that the second takes the place of the first.
"""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from localstack.services.cloudformation.provider_utils import generate_default_name
from localstack.services.cloudformation.resource_provider import (
    PHYSICAL_RESOURCE_ID_SPECIAL_CASES,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceProviderExecutor,
)
from localstack.services.logs.resource_providers.aws_logs_subscriptionfilter import LogsSubscriptionFilterProvider

_NAMED = ("/properties/LogGroupName", "/properties/FilterName")
_TEXT = {"type": "string"}


class LogFilterProvider(ResourceProvider):  # type: ignore[misc]
    """What both kinds of filter have in common: put again is changed."""

    def put(self, logs: Any, model: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def drop(self, logs: Any, group: str, name: str) -> None:
        raise NotImplementedError

    def create(self, request: Any) -> Any:
        model = request.desired_state
        if not model.get("FilterName"):
            model["FilterName"] = generate_default_name(request.stack_name, request.logical_resource_id)
        return self._put(request, model)

    def update(self, request: Any) -> Any:
        model, before = request.desired_state, request.previous_state
        name = model.get("FilterName") or before["FilterName"]
        model["FilterName"] = name
        if (name, model["LogGroupName"]) != (before["FilterName"], before["LogGroupName"]):
            self.drop(request.aws_client_factory.logs, before["LogGroupName"], before["FilterName"])
        return self._put(request, model)

    def delete(self, request: Any) -> Any:
        model, logs = request.desired_state, request.aws_client_factory.logs
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):  # gone with its log group
            self.drop(logs, model["LogGroupName"], model["FilterName"])
        return _done(model, request)

    def _put(self, request: Any, model: Mapping[str, Any]) -> Any:
        self.put(request.aws_client_factory.logs, model)
        return _done(model, request)


def _done(model: Mapping[str, Any], request: Any) -> Any:
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model, custom_context=request.custom_context)


class MetricFilterProvider(LogFilterProvider):
    """AWS::Logs::MetricFilter."""

    TYPE = "AWS::Logs::MetricFilter"
    SCHEMA: Mapping[str, Any] = {
        "typeName": TYPE,
        "properties": {
            "FilterName": _TEXT,
            "FilterPattern": _TEXT,
            "LogGroupName": _TEXT,
            "MetricTransformations": {"type": "array"},
            "ApplyOnTransformedLogs": {"type": "boolean"},
        },
        "required": ["FilterPattern", "LogGroupName", "MetricTransformations"],
        "createOnlyProperties": list(_NAMED),
        "primaryIdentifier": list(_NAMED),
    }

    def put(self, logs: Any, model: Mapping[str, Any]) -> None:
        logs.put_metric_filter(
            logGroupName=model["LogGroupName"],
            filterName=model["FilterName"],
            filterPattern=model["FilterPattern"],
            metricTransformations=[_transformation(one) for one in model["MetricTransformations"]],
        )

    def drop(self, logs: Any, group: str, name: str) -> None:
        logs.delete_metric_filter(logGroupName=group, filterName=name)


def _transformation(given: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "metricName": given["MetricName"],
        "metricNamespace": given["MetricNamespace"],
        "metricValue": str(given["MetricValue"]),
    }
    if given.get("DefaultValue") is not None:
        made["defaultValue"] = float(given["DefaultValue"])
    if given.get("Dimensions"):
        made["dimensions"] = {one["Key"]: one["Value"] for one in given["Dimensions"]}
    if given.get("Unit"):
        made["unit"] = given["Unit"]
    return made


class SubscriptionFilterProvider(LogFilterProvider):
    """AWS::Logs::SubscriptionFilter."""

    TYPE = LogsSubscriptionFilterProvider.TYPE
    SCHEMA = LogsSubscriptionFilterProvider.SCHEMA

    def put(self, logs: Any, model: Mapping[str, Any]) -> None:
        optional = {"roleArn": model.get("RoleArn"), "distribution": model.get("Distribution")}
        logs.put_subscription_filter(
            logGroupName=model["LogGroupName"],
            filterName=model["FilterName"],
            filterPattern=model["FilterPattern"],
            destinationArn=model["DestinationArn"],
            **{name: value for name, value in optional.items() if value},
        )

    def drop(self, logs: Any, group: str, name: str) -> None:
        logs.delete_subscription_filter(logGroupName=group, filterName=name)


def patch() -> None:
    original: Callable[[str], Any] = ResourceProviderExecutor.try_load_resource_provider
    ours = {provider.TYPE: provider for provider in (MetricFilterProvider, SubscriptionFilterProvider)}

    def try_load_resource_provider(resource_type: str) -> Any:
        return ours[resource_type]() if resource_type in ours else original(resource_type)

    ResourceProviderExecutor.try_load_resource_provider = staticmethod(try_load_resource_provider)
    for resource_type in ours:  # what a reference to one gives
        PHYSICAL_RESOURCE_ID_SPECIAL_CASES[resource_type] = "/properties/FilterName"
