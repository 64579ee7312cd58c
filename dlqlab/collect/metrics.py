"""CloudWatch metrics of the queues and functions, a minute at a time, as the service returns them.

LocalStack: Lambda has only Invocations and Errors; SQS's gauges come once a minute (the age of the oldest message by
the patch ``oldest_message``), the app's own metrics by the patch ``embedded_metrics``. Bins start at the asked start,
on the minute here. Unless its patch ``match_dimensions`` is on, a dimension is found by its beginning, so the metrics
of the API's function, whose name begins the others', hold theirs too. What is missing has no rows.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.contracts.topology import Topology
from dlqlab.errors import EvidenceError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.literals import StatisticType

PERIOD_S = 60
POINTS_MAX = 1440
"""Data points of one GetMetricStatistics (CloudWatch API reference)."""

_SQS: Mapping[str, "StatisticType"] = {
    "NumberOfMessagesSent": "Sum",
    "NumberOfMessagesReceived": "Sum",
    "NumberOfMessagesDeleted": "Sum",
    "ApproximateNumberOfMessagesVisible": "Maximum",
    "ApproximateNumberOfMessagesNotVisible": "Maximum",
    "ApproximateAgeOfOldestMessage": "Maximum",
}
_LAMBDA: Mapping[str, "StatisticType"] = {
    "Invocations": "Sum",
    "Errors": "Sum",
    "Throttles": "Sum",
    "Duration": "Average",
    "ConcurrentExecutions": "Maximum",
}

"""The app's own (taskrules.metrics): the average of AttemptFailed is the failure ratio of the minute."""


def collect_metrics(
    cloudwatch: "CloudWatchClient", topology: Topology, start_ts: float, end_ts: float
) -> Iterator[dict[str, Any]]:
    """Rows of the METRICS table over the whole minutes that hold the time from ``start_ts`` to ``end_ts``.

    Raises:
        EvidenceError: the service refused or did not answer.
    """
    start_s = int(start_ts // PERIOD_S) * PERIOD_S
    end_s = -int(-end_ts // PERIOD_S) * PERIOD_S
    for namespace, dimension, metric, stat in _asked(topology):
        for first_s in range(start_s, end_s, PERIOD_S * POINTS_MAX):
            last_s = min(end_s, first_s + PERIOD_S * POINTS_MAX)
            yield from _points(cloudwatch, namespace, metric, dimension, stat, (first_s, last_s))


def _asked(topology: Topology) -> Iterator[tuple[str, tuple[str, str], str, "StatisticType"]]:
    """Namespace, dimension, metric and statistic of all that is asked for: AWS's own, then the pipeline's."""
    for namespace, dimension, resources, metrics in (
        ("AWS/SQS", "QueueName", topology.queue_names, _SQS),
        ("AWS/Lambda", "FunctionName", topology.function_names, _LAMBDA),
    ):
        for resource in resources.values():
            for metric, stat in metrics.items():
                yield namespace, (dimension, resource), metric, stat
    for own in topology.metrics:
        function = topology.function(own.function).name
        yield own.namespace, ("FunctionName", function), own.name, own.stat.value


def _points(
    cloudwatch: "CloudWatchClient",
    namespace: str,
    metric: str,
    dimension: tuple[str, str],
    stat: "StatisticType",
    time_s: tuple[int, int],
) -> Iterator[dict[str, Any]]:
    try:
        answer = cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": dimension[0], "Value": dimension[1]}],
            StartTime=datetime.fromtimestamp(time_s[0], UTC),
            EndTime=datetime.fromtimestamp(time_s[1], UTC),
            Period=PERIOD_S,
            Statistics=[stat],
        )
    except (BotoCoreError, ClientError) as error:
        raise EvidenceError(f"metric {namespace} {metric} of {dimension[1]}: {error}") from error
    for point in sorted(answer["Datapoints"], key=lambda point: point["Timestamp"]):
        yield {
            "namespace": namespace,
            "metric": metric,
            "dimension": "=".join(dimension),
            "stat": stat,
            "period_s": PERIOD_S,
            "ts": point["Timestamp"].timestamp(),
            # The stubs know each statistic by name only.
            "value": dict(point)[stat],
        }
