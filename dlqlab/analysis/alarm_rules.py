"""Why an alarm can never go off, and since when it should have: from its settings and the values of its metric.

Sources: "Available CloudWatch metrics for Amazon SQS" and "Creating alarms for dead-letter queues using Amazon
CloudWatch" (SQS developer guide), "Types of metrics for Lambda functions" (Lambda developer guide), "Using Amazon
CloudWatch alarms" and PutMetricAlarm (CloudWatch).
"""

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from dlqlab.contracts.alarms import AlarmRecord, dimensions_text
from dlqlab.contracts.topology import Queue, Topology
from dlqlab.wording import number

SQS, LAMBDA = "AWS/SQS", "AWS/Lambda"
_COUNT, _SECONDS, _MS, _BYTES, _PERCENT = "Count", "Seconds", "Milliseconds", "Bytes", "Percent"
UNITS: Mapping[str, Mapping[str, str]] = {
    SQS: {
        "ApproximateAgeOfOldestMessage": _SECONDS,
        "SentMessageSize": _BYTES,
        **dict.fromkeys(
            (
                "ApproximateNumberOfGroupsWithInflightMessages",
                "ApproximateNumberOfMessagesDelayed",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesVisible",
                "ApproximateNumberOfNoisyGroups",
                "ApproximateNumberOfMessagesDelayedInQuietGroups",
                "ApproximateNumberOfMessagesNotVisibleInQuietGroups",
                "ApproximateNumberOfMessagesVisibleInQuietGroups",
                "NumberOfDeduplicatedSentMessages",
                "NumberOfEmptyReceives",
                "NumberOfMessagesDeleted",
                "NumberOfMessagesReceived",
                "NumberOfMessagesSent",
            ),
            _COUNT,
        ),
        "ApproximateAgeOfOldestMessageInQuietGroups": _SECONDS,
    },
    LAMBDA: {
        **dict.fromkeys(("AsyncEventAge", "Duration", "IteratorAge", "PostRuntimeExtensionsDuration"), _MS),
        "ProvisionedConcurrencyUtilization": _PERCENT,
        **dict.fromkeys(
            (
                "AsyncEventsDropped",
                "AsyncEventsReceived",
                "ClaimedAccountConcurrency",
                "ConcurrentExecutions",
                "DeadLetterErrors",
                "DeletedEventCount",
                "DestinationDeliveryFailures",
                "DroppedEventCount",
                "Errors",
                "FailedInvokeEventCount",
                "FilteredOutEventCount",
                "Invocations",
                "InvokedEventCount",
                "OffsetLag",
                "OnFailureDestinationDeliveredEventCount",
                "OversizedRecordCount",
                "PolledEventCount",
                "ProvisionedConcurrencyInvocations",
                "ProvisionedConcurrencySpilloverInvocations",
                "ProvisionedConcurrentExecutions",
                "RecursiveInvocationsDropped",
                "Throttles",
                "UnreservedConcurrentExecutions",
            ),
            _COUNT,
        ),
    },
}
"""Metrics of AWS by namespace, each with its unit."""
_DIMENSIONS = {SQS: "QueueName", LAMBDA: "FunctionName"}
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_SAYS = {
    "GreaterThanOrEqualToThreshold": "at least",
    "GreaterThanThreshold": "more than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "at most",
}
IN_FLIGHT_MAX = 120_000
GRACE_S = 120.0
"""CloudWatch has SQS's metrics once a minute, and looks at an alarm once a period."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value that a metric can have, and why the greatest one is."""

    low: float
    high: float
    reason: str = ""


def never(alarm: AlarmRecord, topology: Topology) -> str | None:
    """Why the alarm cannot go off, whatever happens; None where it can."""
    return next((text for rule in _RULES for text in rule(alarm, topology)), None)


def wanted(alarm: AlarmRecord) -> str:
    """What has to be seen: ``Maximum of ApproximateNumberOfMessagesVisible at least 1``."""
    return f"{alarm.statistic} of {alarm.metric} {_SAYS.get(alarm.operator, alarm.operator)} {number(alarm.threshold)}"


def queue_of(alarm: AlarmRecord, topology: Topology) -> Queue | None:
    """The queue that the alarm looks at, or means: the one of the most similar name."""
    names = {queue.name: queue for queue in topology.queues}
    said = next((value for name, value in alarm.dimensions.items() if name.lower() == "queuename"), None)
    near = get_close_matches(said, names, n=1) if said else []
    return names.get(near[0]) if near else None


def breached_ts(alarm: AlarmRecord) -> float | None:
    """When the values first were such that the alarm has to go off: the end of the period that completes them."""
    compare = _OPERATORS.get(alarm.operator)
    if compare is None or not alarm.points:
        return None
    needed = alarm.datapoints_to_alarm or alarm.evaluation_periods
    bad = [point.ts for point in alarm.points if compare(point.value, alarm.threshold)]
    for first in range(len(bad) - needed + 1):
        last_ts = bad[first + needed - 1]
        if last_ts - bad[first] < alarm.evaluation_periods * alarm.period_s:
            return last_ts + alarm.period_s
    return None


def due_ts(alarm: AlarmRecord, breached: float) -> float:
    """Until when it has to have gone off, once its values are such."""
    return breached + 2 * alarm.period_s + GRACE_S


def fired_ts(alarm: AlarmRecord) -> float | None:
    """When it went off first since the load began; None where it did not."""
    return next((change.ts for change in alarm.changes if change.state == "ALARM"), None)


def _names_a_metric(alarm: AlarmRecord, _topology: Topology) -> Iterator[str]:
    known = UNITS.get(alarm.namespace)
    if known is None:
        near = [name for name in UNITS if name.lower() == alarm.namespace.lower()]
        if near:
            yield f"its namespace is {alarm.namespace!r}, and CloudWatch's is {near[0]!r}"
        return
    if alarm.metric not in known:
        near = get_close_matches(alarm.metric, known, n=1)
        yield f"{alarm.namespace} has no metric {alarm.metric}" + (f": there is {near[0]}" if near else "")


def _names_what_is_there(alarm: AlarmRecord, topology: Topology) -> Iterator[str]:
    wanted_name = _DIMENSIONS.get(alarm.namespace)
    if wanted_name is None:
        return
    if alarm.namespace == SQS and set(alarm.dimensions) != {wanted_name}:
        asked = dimensions_text(alarm.dimensions) or "none"
        yield f"metrics of {SQS} have the dimension QueueName alone, it asks for {asked}"
    elif alarm.namespace == LAMBDA and not set(alarm.dimensions) <= {wanted_name, "Resource", "ExecutedVersion"}:
        yield f"metrics of {LAMBDA} have no dimension {dimensions_text(alarm.dimensions)}: give FunctionName"
    names = topology.queue_names if alarm.namespace == SQS else topology.function_names
    said = alarm.dimensions.get(wanted_name)
    if said is not None and said not in names.values():
        near = get_close_matches(said, names.values(), n=1)
        yield f"{wanted_name} is {said!r}, which is not there" + (f": there is {near[0]}" if near else "")


def _counts_dead_letters(alarm: AlarmRecord, topology: Topology) -> Iterator[str]:
    dead = {queue.dead_letters for queue in topology.queues}
    queue = queue_of(alarm, topology)
    if alarm.namespace == SQS and alarm.metric == "NumberOfMessagesSent" and queue and queue.role in dead:
        yield (
            "NumberOfMessagesSent does not count what SQS moves to a dead-letter queue: "
            "ApproximateNumberOfMessagesVisible does"
        )


def _has_the_unit(alarm: AlarmRecord, _topology: Topology) -> Iterator[str]:
    unit = UNITS.get(alarm.namespace, {}).get(alarm.metric)
    if unit and alarm.unit and alarm.unit != unit:
        yield f"its unit is {alarm.unit}, and {alarm.metric} is published in {unit}"


def _is_published_so(alarm: AlarmRecord, _topology: Topology) -> Iterator[str]:
    """A metric of the pipeline's own that is published, and with other dimensions only."""
    asked = dimensions_text(alarm.dimensions)
    if alarm.namespace not in UNITS and alarm.published_with and asked not in alarm.published_with:
        others = " or ".join(each or "none" for each in alarm.published_with[:3])
        yield f"{alarm.metric} is published with the dimensions {others}, it asks for {asked or 'none'}"


def _is_within_reach(alarm: AlarmRecord, topology: Topology) -> Iterator[str]:
    compare = _OPERATORS.get(alarm.operator)
    bounds = _bounds(alarm, topology)
    if compare is None or bounds is None or alarm.statistic == "SampleCount":
        return
    ends = (bounds.low, bounds.high) if alarm.statistic != "Sum" else (bounds.low, math.inf)
    if alarm.operator.startswith("Less") and alarm.missing_data == "breaching":
        return
    if not any(compare(value, alarm.threshold) for value in ends):
        extreme = bounds.low if alarm.operator.startswith("Less") else bounds.high
        reason = f": {bounds.reason}" if bounds.reason and extreme == bounds.high else ""
        yield f"it wants {wanted(alarm)}, and no value is beyond {number(extreme)}{reason}"


def _bounds(alarm: AlarmRecord, topology: Topology) -> Bounds | None:
    """What values the statistic of a metric of AWS can have; None for all other metrics."""
    if alarm.namespace not in UNITS:
        return None
    if alarm.namespace == LAMBDA:
        return _bounds_of_function(alarm, topology)
    queue = queue_of(alarm, topology)
    if alarm.metric == "ApproximateAgeOfOldestMessage" and queue and queue.retention_s:
        return Bounds(0, queue.retention_s, f"{queue.name} keeps messages for {queue.retention_s:,} s")
    if alarm.metric == "ApproximateNumberOfMessagesNotVisible":
        return Bounds(0, IN_FLIGHT_MAX, "SQS lets no more be in flight")
    return Bounds(0, math.inf)


def _bounds_of_function(alarm: AlarmRecord, topology: Topology) -> Bounds:
    named = [one for one in topology.functions if one.name == alarm.dimensions.get("FunctionName")]
    function = named[0] if named else None
    if alarm.metric == "Duration" and function and function.timeout_s:
        return Bounds(0, function.timeout_s * 1000.0, f"{function.name} times out after {function.timeout_s} s")
    if alarm.metric == "ConcurrentExecutions" and function and function.reserved_concurrency is not None:
        return Bounds(0, function.reserved_concurrency, f"{function.name} has no more reserved concurrency")
    if alarm.metric == "Invocations":
        return Bounds(1, math.inf)  # without invocations there are no data
    return Bounds(0, math.inf)


_RULES = (
    _names_a_metric,
    _names_what_is_there,
    _counts_dead_letters,
    _has_the_unit,
    _is_published_so,
    _is_within_reach,
)
