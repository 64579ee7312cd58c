"""What Lambda refuses of the settings of a mapping of an SQS queue, and with which error.

Sources: CreateEventSourceMapping and UpdateEventSourceMapping (AWS Lambda API reference) for the limits; "Creating and
configuring an Amazon SQS event source mapping" (developer guide) for the visibility timeout, FIFO queues and
provisioned mode; "Lambda event filtering" for the number of filters. The texts are AWS's where they are known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dlqlab.emulator.mappings.filters import Filter
from dlqlab.emulator.mappings.rules import PatternError

INVALID_PARAMETER = "InvalidParameterValueException"
VALIDATION = "ValidationException"
FILTERS_MAX = 5
FIFO_BATCH_MAX = 10
UNGATHERED_BATCH_MAX = 10
PATTERN_CHARACTERS_MAX = 4096
PARTIAL = "ReportBatchItemFailures"

_OF_OTHER_SOURCES = (
    "AmazonManagedKafkaEventSourceConfig",
    "BisectBatchOnFunctionError",
    "DocumentDBEventSourceConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "Queues",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
    "Topics",
    "TumblingWindowInSeconds",
)
"""Settings of streams and brokers."""
_LIMITS = (
    (("BatchSize",), 1, 10_000),
    (("MaximumBatchingWindowInSeconds",), 0, 300),
    (("ScalingConfig", "MaximumConcurrency"), 2, 1_000),
    (("ProvisionedPollerConfig", "MinimumPollers"), 2, 200),
    (("ProvisionedPollerConfig", "MaximumPollers"), 2, 10_000),
)

Settings = Mapping[str, Any]
"""Members of a request to create a mapping, or a mapping with the members of a request to update it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of AWS: its code and its text."""

    code: str
    message: str


def refusal(settings: Settings, *, queue_arn: str) -> Refusal | None:
    """The first thing that Lambda would refuse, or None."""
    checks = (
        _beyond_limits(settings),
        _of_other_sources(settings),
        _batching(settings, is_fifo=queue_arn.endswith(".fifo")),
        _scaling(settings),
        wrong_filters(settings),
    )
    return next((found for check in checks for found in check), None)


def short_visibility(*, visibility_timeout_s: int, function_timeout_s: int) -> Refusal | None:
    """A message must stay hidden for as long as the function may run."""
    if visibility_timeout_s >= function_timeout_s:
        return None
    return Refusal(
        INVALID_PARAMETER,
        f"Queue visibility timeout: {visibility_timeout_s} seconds is less than Function timeout: "
        f"{function_timeout_s} seconds",
    )


def constraint_of(value: object, member: str, constraint: str) -> Refusal:
    return Refusal(
        VALIDATION,
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must "
        f"{constraint}",
    )


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _beyond_limits(settings: Settings) -> Iterator[Refusal]:
    for path, least, most in _LIMITS:
        value: Any = settings
        for name in path:
            value = (value or {}).get(name)
        member = ".".join(map(_lower, path))
        if value is not None and value < least:
            yield constraint_of(value, member, f"have value greater than or equal to {least}")
        if value is not None and value > most:
            yield constraint_of(value, member, f"have value less than or equal to {most}")
    types = settings.get("FunctionResponseTypes") or []
    if set(types) - {PARTIAL}:
        constraint = f"satisfy constraint: [Member must satisfy enum value set: [{PARTIAL}]]"
        yield constraint_of(types, "functionResponseTypes", constraint)
    if len(types) > 1:
        yield constraint_of(types, "functionResponseTypes", "have length less than or equal to 1")


def _of_other_sources(settings: Settings) -> Iterator[Refusal]:
    for name in ("StartingPosition", "StartingPositionTimestamp"):
        if settings.get(name) is not None:
            yield Refusal(INVALID_PARAMETER, f"{name} is not valid for SQS event sources.")
    destinations = settings.get("DestinationConfig") or {}
    named = [name for name in _OF_OTHER_SOURCES if settings.get(name) is not None]
    if any(destinations.get(case) for case in ("OnSuccess", "OnFailure")):
        named.append("DestinationConfig")
    for name in named:
        yield Refusal(INVALID_PARAMETER, f"Unsupported {name} parameter for given event source mapping type.")


def _batching(settings: Settings, *, is_fifo: bool) -> Iterator[Refusal]:
    size, window_s = settings.get("BatchSize") or 0, settings.get("MaximumBatchingWindowInSeconds") or 0
    if is_fifo and window_s:
        yield Refusal(INVALID_PARAMETER, "Batching window is not supported for FIFO queues")
    if is_fifo and size > FIFO_BATCH_MAX:
        yield Refusal(INVALID_PARAMETER, f"Maximum batch size must be between 1 and {FIFO_BATCH_MAX} inclusive")
    if size > UNGATHERED_BATCH_MAX and not window_s:
        yield Refusal(
            INVALID_PARAMETER,
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than "
            f"{UNGATHERED_BATCH_MAX}",
        )


def _scaling(settings: Settings) -> Iterator[Refusal]:
    if (settings.get("ScalingConfig") or {}).get("MaximumConcurrency") and settings.get("ProvisionedPollerConfig"):
        yield Refusal(
            INVALID_PARAMETER,
            "MaximumConcurrency and ProvisionedPollerConfig cannot be used together: give one of them.",
        )


def wrong_filters(settings: Settings) -> Iterator[Refusal]:
    filters = (settings.get("FilterCriteria") or {}).get("Filters") or []
    if len(filters) > FILTERS_MAX:
        yield Refusal(INVALID_PARAMETER, f"FilterCriteria has {len(filters)} filters: the maximum is {FILTERS_MAX}.")
    for one in filters:
        pattern = one.get("Pattern") or ""
        if len(pattern) > PATTERN_CHARACTERS_MAX:
            constraint = f"have length less than or equal to {PATTERN_CHARACTERS_MAX}"
            yield constraint_of(pattern, "filterCriteria.filters.pattern", constraint)
        try:
            Filter(pattern)
        except PatternError:
            yield Refusal(INVALID_PARAMETER, "Invalid filter pattern definition.")
