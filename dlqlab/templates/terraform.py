"""Plans of Terraform (``terraform show -json``): planned resources under CloudFormation's names. Pure.

Source: "JSON Output Format" of Terraform's documentation. What is known after the apply only is taken from the
expressions of the configuration where they refer to another resource.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dlqlab.templates.resources import UNKNOWN, Reference, Resource, Template

_TYPES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "aws_sqs_queue": (
        "AWS::SQS::Queue",
        {
            "name": "QueueName",
            "fifo_queue": "FifoQueue",
            "visibility_timeout_seconds": "VisibilityTimeout",
            "message_retention_seconds": "MessageRetentionPeriod",
            "delay_seconds": "DelaySeconds",
            "max_message_size": "MaximumMessageSize",
            "redrive_policy": "RedrivePolicy",
            "redrive_allow_policy": "RedriveAllowPolicy",
        },
    ),
    "aws_lambda_function": (
        "AWS::Lambda::Function",
        {
            "function_name": "FunctionName",
            "runtime": "Runtime",
            "timeout": "Timeout",
            "package_type": "PackageType",
            "architectures": "Architectures",
            "layers": "Layers",
            "reserved_concurrent_executions": "ReservedConcurrentExecutions",
            "vpc_config": "VpcConfig",
            "file_system_config": "FileSystemConfigs",
            "snap_start": "SnapStart",
            "code_signing_config_arn": "CodeSigningConfigArn",
        },
    ),
    "aws_lambda_event_source_mapping": (
        "AWS::Lambda::EventSourceMapping",
        {
            "event_source_arn": "EventSourceArn",
            "function_name": "FunctionName",
            "batch_size": "BatchSize",
            "maximum_batching_window_in_seconds": "MaximumBatchingWindowInSeconds",
            "function_response_types": "FunctionResponseTypes",
            "enabled": "Enabled",
        },
    ),
    "aws_cloudwatch_metric_alarm": (
        "AWS::CloudWatch::Alarm",
        {
            "alarm_name": "AlarmName",
            "metric_name": "MetricName",
            "alarm_actions": "AlarmActions",
            "actions_enabled": "ActionsEnabled",
        },
    ),
    "aws_sns_topic": ("AWS::SNS::Topic", {"name": "TopicName"}),
    "aws_dynamodb_table": ("AWS::DynamoDB::Table", {"name": "TableName"}),
}
_JSON = ("RedrivePolicy", "RedriveAllowPolicy")
_LISTS = ("Layers", "AlarmActions")
_NOT_RESERVED = -1


def is_plan(body: Any) -> bool:
    """Whether it is a plan's JSON."""
    return isinstance(body, Mapping) and "planned_values" in body


def of_plan(body: Mapping[str, Any], file: Path) -> Template:
    """The resources that a plan would make or keep; data sources are left out."""
    planned = (body.get("planned_values") or {}).get("root_module") or {}
    configured = (body.get("configuration") or {}).get("root_module") or {}
    return Template(file=file, resources=tuple(_resources(planned, configured, file, "")))


def _resources(planned: Mapping[str, Any], configured: Mapping[str, Any], file: Path, at: str) -> Iterator[Resource]:
    expressions = {one["address"]: one.get("expressions") or {} for one in configured.get("resources", ())}
    for one in planned.get("resources", ()):
        if one.get("mode") == "managed":
            own = expressions.get(f"{one['type']}.{one['name']}", {})
            yield _resource(one, own, file, at)
    calls = configured.get("module_calls") or {}
    for inner in planned.get("child_modules", ()):
        name = re.sub(r"\[.*?\]", "", inner["address"].removeprefix(at)).removeprefix("module.")
        module = (calls.get(name) or {}).get("module") or {}
        yield from _resources(inner, module, file, f"{inner['address']}.")


def _resource(one: Mapping[str, Any], expressions: Mapping[str, Any], file: Path, at: str) -> Resource:
    kind, names = _TYPES.get(one["type"], (one["type"], {}))
    values = one.get("values") or {}
    properties: dict[str, Any] = {}
    for theirs, name in names.items():
        value = values.get(theirs)
        if value is None and theirs in expressions:
            value = _referred(expressions[theirs], at, name)
        if value is not None and value != []:
            properties[name] = _plain(name, value)
    if kind == "AWS::CloudWatch::Alarm":
        given = values.get("dimensions") or {}
        properties["Dimensions"] = [{"Name": name, "Value": value} for name, value in given.items()]
    if properties.get("ReservedConcurrentExecutions") == _NOT_RESERVED:
        del properties["ReservedConcurrentExecutions"]
    if scaling := values.get("scaling_config"):
        properties["ScalingConfig"] = {"MaximumConcurrency": scaling[0].get("maximum_concurrency")}
    if criteria := values.get("filter_criteria"):
        given = [each.get("pattern") for inner in criteria for each in inner.get("filter", ())]
        properties["FilterCriteria"] = {"Filters": [{"Pattern": each} for each in given]}
    code = file.parent / values["filename"] if isinstance(values.get("filename"), str) else None
    there = code if code is not None and code.exists() else None
    return Resource(logical_id=one["address"], type=kind, properties=properties, file=file, code=there)


def _referred(expression: Any, at: str, name: str) -> Any:
    """The one resource that an expression refers to; a redrive policy has it as its target."""
    given = expression.get("references", ()) if isinstance(expression, Mapping) else ()
    found = {match[0] for one in given if (match := re.match(r"aws_\w+\.[\w-]+(\[[^\]]*\])?", one))}
    value: Any = Reference(at + found.pop(), "arn") if len(found) == 1 else UNKNOWN
    if name == "RedrivePolicy":
        return {"deadLetterTargetArn": value, "maxReceiveCount": UNKNOWN}
    return [value] if name in _LISTS else value


def _plain(name: str, value: Any) -> Any:
    if name in _JSON and isinstance(value, str):
        try:
            return json.loads(value) if value else {}
        except json.JSONDecodeError:
            return UNKNOWN  # Terraform's provider refuses it, with its reason
    return value
