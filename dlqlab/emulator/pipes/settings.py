"""What a pipe takes: its sources, enrichments and targets, with their settings; all else is refused by name.

Sources: CreatePipe and its parameters (EventBridge Pipes API reference).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dlqlab.emulator.mappings.stream_validation import stream_refusal
from dlqlab.emulator.mappings.validation import refusal
from dlqlab.emulator.pipes import templates

SOURCES = {
    "sqs": "SqsQueueParameters",
    "dynamodb": "DynamoDBStreamParameters",
    "kinesis": "KinesisStreamParameters",
}
_POSITIONS = {"dynamodb": {"TRIM_HORIZON", "LATEST"}, "kinesis": {"TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"}}
TARGETS = {
    "sqs": "SqsQueueParameters",
    "lambda": "LambdaFunctionParameters",
    "sns": "",
    "events": "EventBridgeEventBusParameters",
    "states": "StepFunctionStateMachineParameters",
    "logs": "CloudWatchLogsParameters",
}
"""By the service in the ARN: the member with its settings."""
_NAME = re.compile(r"[.\-_A-Za-z0-9]{1,64}")
_INVOCATION_TYPES = frozenset({"REQUEST_RESPONSE", "FIRE_AND_FORGET"})

type Settings = Mapping[str, Any]


def service_of(arn: str) -> str:
    """The service that an ARN names; empty where it is none."""
    parts = arn.split(":")
    return parts[2] if len(parts) >= 6 and parts[0] == "arn" else ""  # noqa: PLR2004  (parts of an ARN)


def wrong(settings: Settings) -> str | None:
    """Why a pipe with these settings is refused; None if it is not."""
    checks = (_wrong_name(settings), _wrong_source(settings), _wrong_enrichment(settings), _wrong_target(settings))
    return next((found for check in checks for found in check), None)


def _wrong_name(settings: Settings) -> Iterator[str]:
    if not _NAME.fullmatch(settings["Name"]):
        yield f"Name is {settings['Name']!r}: give 1 to 64 letters, digits, dots, hyphens and underscores"
    for name in ("LogConfiguration", "KmsKeyIdentifier"):
        if settings.get(name):
            yield f"{name} is not served by this emulator: leave it out"


def _others(parameters: Settings, allowed: set[str], where: str) -> Iterator[str]:
    for name in parameters:
        if parameters[name] and name not in allowed:
            yield f"{where}.{name} does not belong to {where.removesuffix('Parameters')}, or is not served"


def _wrong_source(settings: Settings) -> Iterator[str]:
    arn, parameters = settings["Source"], settings.get("SourceParameters") or {}
    service = service_of(arn)
    if service not in SOURCES or (service == "dynamodb" and "/stream/" not in arn):
        yield f"Source {arn} is not served: give the ARN of an SQS queue or of a DynamoDB or Kinesis stream"
        return
    yield from _others(parameters, {"FilterCriteria", SOURCES[service]}, "SourceParameters")
    mapping = as_mapping(settings)
    if mapping.get("StartingPosition") not in (known := _POSITIONS.get(service, {None})):
        yield (
            f"SourceParameters.{SOURCES[service]}.StartingPosition is missing or unknown: "
            f"give {' or '.join(sorted(filter(None, known)))}"
        )
    found = refusal(mapping, queue_arn=arn) if service == "sqs" else stream_refusal(mapping)
    if found is not None:
        yield found.message


def _wrong_enrichment(settings: Settings) -> Iterator[str]:
    arn, parameters = settings.get("Enrichment"), settings.get("EnrichmentParameters") or {}
    if arn and service_of(arn) != "lambda":
        yield f"Enrichment {arn} is not served: give the ARN of a Lambda function"
    yield from _others(parameters, {"InputTemplate"}, "EnrichmentParameters")
    yield from _wrong_template(parameters, "EnrichmentParameters")


def _wrong_target(settings: Settings) -> Iterator[str]:
    arn, parameters = settings["Target"], settings.get("TargetParameters") or {}
    service = service_of(arn)
    if service not in TARGETS or (service == "events" and ":event-bus/" not in arn):
        yield f"Target {arn} is not served: give the ARN of a {', '.join(TARGETS)} resource (API destinations are not)"
        return
    yield from _others(parameters, {"InputTemplate", TARGETS[service]}, "TargetParameters")
    yield from _wrong_template(parameters, "TargetParameters")
    own = parameters.get(TARGETS[service]) or {}
    invocation = own.get("InvocationType")
    if invocation is not None and invocation not in _INVOCATION_TYPES:
        yield f"InvocationType is {invocation}: give REQUEST_RESPONSE or FIRE_AND_FORGET"
    if service == "sqs" and arn.endswith(".fifo") and not own.get("MessageGroupId"):
        yield "TargetParameters.SqsQueueParameters.MessageGroupId is missing: a FIFO queue needs it"
    if service == "logs" and not own.get("LogStreamName"):
        yield "TargetParameters.CloudWatchLogsParameters.LogStreamName is missing"
    for name, value in own.items():
        if isinstance(value, str) and value.startswith("$"):
            try:
                templates.value_at(value, {})
            except templates.TemplateError as error:
                yield f"TargetParameters.{TARGETS[service]}.{name}: {error}"


def _wrong_template(parameters: Settings, where: str) -> Iterator[str]:
    try:
        templates.check(parameters.get("InputTemplate") or "")
    except templates.TemplateError as error:
        yield f"{where}.InputTemplate: {error}"


def as_mapping(settings: Settings) -> dict[str, Any]:
    """The source's settings as those of an event source mapping of the same source."""
    parameters = settings.get("SourceParameters") or {}
    own = dict(parameters.get(SOURCES[service_of(settings["Source"])]) or {})
    mapping: dict[str, Any] = {"EventSourceArn": settings["Source"], **own}
    if criteria := parameters.get("FilterCriteria"):
        mapping["FilterCriteria"] = criteria
    if letters := mapping.pop("DeadLetterConfig", None):
        mapping["DestinationConfig"] = {"OnFailure": {"Destination": letters.get("Arn")}}
    if service_of(settings["Source"]) in _POSITIONS:
        mapping["BisectBatchOnFunctionError"] = mapping.pop("OnPartialBatchItemFailure", None) == "AUTOMATIC_BISECT"
        mapping["FunctionResponseTypes"] = ["ReportBatchItemFailures"]
    return mapping
