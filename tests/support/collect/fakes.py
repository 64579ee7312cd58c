"""In-memory stand-ins for the AWS clients that collection uses, with the services' paging rules."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any, cast

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError
from mypy_boto3_cloudwatch import CloudWatchClient
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_logs import CloudWatchLogsClient
from mypy_boto3_sqs import SQSClient

from taskrules.events import Context, EventName, build_event, to_line


def refusal(operation: str, code: str = "InternalFailure") -> ClientError:
    """A service's refusal."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


def log_line(ts: float, message: str, *, stream: str = "s1", event_id: str | None = None) -> dict[str, Any]:
    """A line as FilterLogEvents returns it."""
    return {
        "eventId": event_id or f"e{next(_IDS)}",
        "logStreamName": stream,
        "timestamp": int(ts * 1000),
        "ingestionTime": int(ts * 1000),
        "message": message,
    }


_IDS = itertools.count()


def started_line(task_id: str, ts: float, *, run_id: str = "r") -> str:
    """The log line of attempt.started."""
    context = Context(run_id=run_id, task_id=task_id, attempt=1, generation=1, function="p", request_id="q")
    return to_line(build_event(EventName.ATTEMPT_STARTED, context, ts, batchSize=1))


class FakeLogs:
    """FilterLogEvents over lines by group: both ends inclusive, ``page`` lines a page, every second page empty."""

    def __init__(self, groups: Mapping[str, Iterable[dict[str, Any]]], *, page: int = 2, repeat: int = 0) -> None:
        self.groups = {group: list(lines) for group, lines in groups.items()}
        self.page = page
        self.repeat = repeat  # lines of the page before that are delivered once more
        self.requests: list[dict[str, Any]] = []
        self.fail_after: int | None = None

    def client(self) -> CloudWatchLogsClient:
        return cast(CloudWatchLogsClient, self)

    def get_paginator(self, operation: str) -> "FakeLogs":
        assert operation == "describe_log_groups"
        return self

    def paginate(self, *, logGroupNamePrefix: str) -> list[dict[str, Any]]:
        if self.fail_after == 0:
            raise refusal("DescribeLogGroups")
        return [{"logGroups": [{"logGroupName": one}]} for one in self.groups if one.startswith(logGroupNamePrefix)]

    def filter_log_events(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if self.fail_after is not None and len(self.requests) > self.fail_after:
            raise refusal("FilterLogEvents")
        if request["logGroupName"] not in self.groups:
            raise refusal("FilterLogEvents", "ResourceNotFoundException")
        end = request.get("endTime", 10**15)
        lines = [
            line for line in self.groups[request["logGroupName"]] if request["startTime"] <= line["timestamp"] <= end
        ]
        kind, _, at = request.get("nextToken", "page-0").partition("-")
        first = int(at)
        if kind == "empty":
            return {"events": [], "nextToken": f"page-{first}"}
        answer: dict[str, Any] = {"events": lines[max(0, first - self.repeat) : first + self.page]}
        if first + self.page < len(lines):
            answer["nextToken"] = f"empty-{first + self.page}"
        return answer


class EndlessLogs(FakeLogs):
    """A service that offers the same page again and again."""

    def filter_log_events(self, **request: Any) -> dict[str, Any]:
        del request
        return {"events": [], "nextToken": "again"}


class FakeSqs:
    """Queues with scripted depths: (visible, in flight, delayed) by URL, the last one for ever."""

    def __init__(self, depths: Mapping[str, list[tuple[int, int, int]]]) -> None:
        self.depths = {url: list(series) for url, series in depths.items()}
        self.failing = False
        self.refusals = 0
        self.sent: list[str] = []
        self.refuse: set[str] = set()

    def client(self) -> SQSClient:
        return cast(SQSClient, self)

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": f"http://127.0.0.1/{QueueName}"}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        if self.failing:
            self.refusals += 1
            raise refusal("GetQueueAttributes")
        series = self.depths[QueueUrl]
        numbers = series.pop(0) if len(series) > 1 else series[0]
        return {"Attributes": {name: str(n) for name, n in zip(AttributeNames, numbers, strict=True)}}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        del QueueUrl
        taken = [entry for entry in Entries if entry["MessageBody"] not in self.refuse]
        self.sent += [entry["MessageBody"] for entry in taken]
        answer: dict[str, Any] = {
            "Successful": [{"Id": entry["Id"], "MessageId": f"m{next(_IDS)}"} for entry in taken],
        }
        if len(taken) < len(Entries):
            answer["Failed"] = [{"Id": "0", "Code": "InvalidMessageContents", "SenderFault": True}]
        return answer


class FakeDynamo:
    """Scan over tables of plain items, one item a page, an empty page first."""

    def __init__(self, tables: Mapping[str, list[dict[str, Any]]]) -> None:
        self.tables = dict(tables)
        self.requests: list[dict[str, Any]] = []

    def client(self) -> DynamoDBClient:
        return cast(DynamoDBClient, self)

    def scan(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if request["TableName"] not in self.tables:
            raise refusal("Scan", "ResourceNotFoundException")
        items = self.tables[request["TableName"]]
        n = int(request.get("ExclusiveStartKey", {}).get("n", -1))
        serialize = TypeSerializer().serialize
        page = [{name: serialize(value) for name, value in item.items()} for item in items[max(n, 0) : n + 1]]
        answer: dict[str, Any] = {"Items": page}
        if n + 1 < len(items):
            answer["LastEvaluatedKey"] = {"n": n + 1}
        return answer


class FakeCloudWatch:
    """GetMetricStatistics over points by (metric, resource)."""

    def __init__(self, points: Mapping[tuple[str, str], list[dict[str, Any]]]) -> None:
        self.points = dict(points)
        self.requests: list[dict[str, Any]] = []
        self.failing = False

    def client(self) -> CloudWatchClient:
        return cast(CloudWatchClient, self)

    def get_metric_statistics(self, **request: Any) -> dict[str, Any]:
        if self.failing:
            raise refusal("GetMetricStatistics")
        self.requests.append(request)
        key = (request["MetricName"], request["Dimensions"][0]["Value"])
        points = self.points.get(key, [])
        return {"Datapoints": [p for p in points if request["StartTime"] <= p["Timestamp"] < request["EndTime"]]}


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def clock(self) -> float:
        return self.now_s

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s
