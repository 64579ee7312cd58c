"""What Lambda refuses of the settings of a mapping of a DynamoDB or Kinesis stream, or what is not served here.

Sources: CreateEventSourceMapping (API reference) for the limits.
"""

from collections.abc import Iterator

from dlqlab.emulator.mappings.validation import (
    INVALID_PARAMETER,
    PARTIAL,
    Refusal,
    Settings,
    constraint_of,
    wrong_filters,
)

_LIMITS = (
    ("BatchSize", 1, 10_000),
    ("MaximumBatchingWindowInSeconds", 0, 300),
    ("MaximumRecordAgeInSeconds", -1, 604_800),
    ("MaximumRetryAttempts", -1, 10_000),
    ("ParallelizationFactor", 1, 10),
    ("TumblingWindowInSeconds", 0, 900),
)
_AGE_LEAST_S = 60
SERVED_DESTINATIONS = frozenset({"sqs", "sns"})
"""By the service in an ARN, what is told of records that are given up."""
UNSERVED = ("TumblingWindowInSeconds", "ProvisionedPollerConfig", "MetricsConfig")
_OF_QUEUES_AND_BROKERS = ("ScalingConfig", "Queues", "Topics", "SourceAccessConfigurations", "SelfManagedEventSource")


def stream_refusal(settings: Settings, *, is_there: bool = True) -> Refusal | None:
    """The first thing that is refused, or None.

    Args:
        is_there: whether there is a stream of the ARN.
    """
    checks = (_of_kinesis(settings, is_there), _beyond_limits(settings), _unserved(settings), wrong_filters(settings))
    return next((found for check in checks for found in check), None)


def _of_kinesis(settings: Settings, is_there: bool) -> Iterator[Refusal]:
    arn = settings.get("EventSourceArn") or ""
    if arn.split(":")[2:3] != ["kinesis"]:
        return
    if not is_there:
        yield Refusal(INVALID_PARAMETER, f"Stream not found: {arn}")
    is_at_timestamp = settings.get("StartingPosition") == "AT_TIMESTAMP"
    if is_at_timestamp != (settings.get("StartingPositionTimestamp") is not None):
        yield Refusal(
            INVALID_PARAMETER,
            "StartingPositionTimestamp belongs to StartingPosition AT_TIMESTAMP: give both, or neither.",
        )


def _beyond_limits(settings: Settings) -> Iterator[Refusal]:
    for name, least, most in _LIMITS:
        value, member = settings.get(name), name[0].lower() + name[1:]
        if value is not None and value < least:
            yield constraint_of(value, member, f"have value greater than or equal to {least}")
        if value is not None and value > most:
            yield constraint_of(value, member, f"have value less than or equal to {most}")
    age_s = settings.get("MaximumRecordAgeInSeconds")
    if age_s is not None and 0 <= age_s < _AGE_LEAST_S:
        yield Refusal(
            INVALID_PARAMETER, f"MaximumRecordAgeInSeconds is {age_s}: give -1, or {_AGE_LEAST_S} seconds or more."
        )
    if types := set(settings.get("FunctionResponseTypes") or []) - {PARTIAL}:
        constraint = f"satisfy constraint: [Member must satisfy enum value set: [{PARTIAL}]]"
        yield constraint_of(sorted(types), "functionResponseTypes", constraint)


def _unserved(settings: Settings) -> Iterator[Refusal]:
    for name in UNSERVED:
        if settings.get(name):
            yield Refusal(INVALID_PARAMETER, f"{name} is not served by this emulator: leave it out.")
    for name in _OF_QUEUES_AND_BROKERS:
        if settings.get(name):
            yield Refusal(INVALID_PARAMETER, f"{name} is not a setting of a mapping of a stream.")
    target = ((settings.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    if target and target.split(":")[2:3] and target.split(":")[2] not in SERVED_DESTINATIONS:
        yield Refusal(
            INVALID_PARAMETER, f"The on-failure destination {target} is not served: give the ARN of a queue or a topic."
        )
