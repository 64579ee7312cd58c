"""CloudWatch's alarms with the values of their metrics, as the service tells them; nothing is changed."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.contracts.alarms import AlarmRecord, Alarms, Change, Point, dimensions_text
from dlqlab.errors import EvidenceError

POINTS_MAX = 1440
"""Data points of one GetMetricStatistics (CloudWatch API reference)."""


def collect_alarms(cloudwatch: Any, start_ts: float, end_ts: float, *, without: Collection[str] = ()) -> Alarms:
    """The alarms that are there, but for those ``without``, by name.

    Raises:
        EvidenceError: the service refused or did not answer.
    """
    try:
        found = [*_described(cloudwatch, without)]
        records = [_record(cloudwatch, one, start_ts, end_ts) for one in found if one.get("MetricName")]
    except (BotoCoreError, ClientError) as error:
        raise EvidenceError(f"alarms: {error}") from error
    others = tuple(one["AlarmName"] for one in found if not one.get("MetricName"))
    return Alarms(read_ts=end_ts, alarms=tuple(records), not_judged=others)


def _described(cloudwatch: Any, without: Collection[str]) -> Iterator[Mapping[str, Any]]:
    for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"]):
        for one in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
            if one["AlarmName"] not in without:
                yield one


def _record(cloudwatch: Any, one: Mapping[str, Any], start_ts: float, end_ts: float) -> AlarmRecord:
    dimensions = {each["Name"]: each["Value"] for each in one.get("Dimensions", ())}
    metric = {"Namespace": one["Namespace"], "MetricName": one["MetricName"]}
    published = {
        dimensions_text(each["Dimensions"])
        for page in cloudwatch.get_paginator("list_metrics").paginate(**metric)
        for each in page["Metrics"]
    }
    statistic = one.get("Statistic") or one.get("ExtendedStatistic") or ""
    return AlarmRecord(
        name=one["AlarmName"],
        namespace=one["Namespace"],
        metric=one["MetricName"],
        dimensions=dimensions,
        statistic=statistic,
        unit=one.get("Unit"),
        period_s=one["Period"],
        evaluation_periods=one["EvaluationPeriods"],
        datapoints_to_alarm=one.get("DatapointsToAlarm"),
        threshold=one["Threshold"],
        operator=one["ComparisonOperator"],
        missing_data=one.get("TreatMissingData") or "missing",
        has_actions=bool(one.get("ActionsEnabled") and one.get("AlarmActions")),
        state=one["StateValue"],
        changes=tuple(_changes(cloudwatch, one["AlarmName"], start_ts)),
        points=tuple(_points(cloudwatch, one, start_ts, end_ts)) if one.get("Statistic") else (),
        published_with=tuple(sorted(published)),
    )


def _changes(cloudwatch: Any, name: str, start_ts: float) -> list[Change]:
    answer = cloudwatch.describe_alarm_history(
        AlarmName=name, HistoryItemType="StateUpdate", StartDate=datetime.fromtimestamp(start_ts, UTC)
    )
    items = sorted(answer["AlarmHistoryItems"], key=lambda item: item["Timestamp"])
    return [Change(ts=item["Timestamp"].timestamp(), state=_state(item)) for item in items]


def _state(item: Mapping[str, Any]) -> str:
    """The state that an alarm came to, out of ``Alarm updated from OK to ALARM``."""
    return str(item["HistorySummary"]).rpartition(" ")[2]


def _points(cloudwatch: Any, one: Mapping[str, Any], start_ts: float, end_ts: float) -> list[Point]:
    period_s = one["Period"]
    first_s = int(max(start_ts, end_ts - POINTS_MAX * period_s) // period_s) * period_s
    answer = cloudwatch.get_metric_statistics(
        Namespace=one["Namespace"],
        MetricName=one["MetricName"],
        Dimensions=one.get("Dimensions", []),
        StartTime=datetime.fromtimestamp(first_s, UTC),
        EndTime=datetime.fromtimestamp(-int(-end_ts // period_s) * period_s, UTC),
        Period=period_s,
        Statistics=[one["Statistic"]],
        **({"Unit": one["Unit"]} if one.get("Unit") else {}),
    )
    found = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    return [Point(ts=point["Timestamp"].timestamp(), value=point[one["Statistic"]]) for point in found]
