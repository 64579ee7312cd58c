"""The short probes: about a second all together, no function needed.

Each makes what it asks about, asks, and removes it. What AWS would answer is stated in the docstring; a wait that ends
without an answer is "not known", since AWS itself takes minutes to show a new metric.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from dlqlab.fidelity.findings import PREFIX, Clients, Finding, Probe
from dlqlab.waiting import wait_for

INTERVAL_S = 0.05
SKEW_MAX_S = 0.1
LAG_MAX_S = 5.0
GRACE_S = 5.0
"""A metric that a log line should have made gets this much longer than one that was put directly: both our emulator
and CloudWatch store it later, in batches."""
TICK_MAX_S = 0.25
"""AWS counts a visibility timeout from its call; a message that returns later than this waits for somebody's clock."""


def visibility_tick(*, n: int, median_s: float, p95_s: float) -> Finding:
    """The finding that the retry probe of the preflight amounts to. AWS: a hidden message returns when it is due."""
    late = f"{median_s * 1000:.0f} ms after its visibility timeout at the median, {p95_s * 1000:.0f} ms at p95"
    return Finding(
        name="visibility_tick",
        ok=p95_s <= TICK_MAX_S,
        statement=f"a hidden message returns {late} (n = {n})",
        measured={"median_s": median_s, "p95_s": p95_s, "n": n},
    )


def clock_skew(client: Clients, _deadline_s: float) -> Finding:
    """The target's clock against ours by the SentTimestamp of a message, which AWS gives in milliseconds."""
    sqs = client("sqs")
    with temporary_queue(sqs) as url:
        before = time.time()
        sqs.send_message(QueueUrl=url, MessageBody="clock")
        after = time.time()
        received = sqs.receive_message(
            QueueUrl=url, MessageSystemAttributeNames=["SentTimestamp"], WaitTimeSeconds=1
        ).get("Messages", [])
    if not received:
        return Finding(name="clock_skew", ok=None, statement="not known: the message did not arrive")
    sent = int(received[0]["Attributes"]["SentTimestamp"]) / 1000
    skew_s, reach_s = sent - (before + after) / 2, (after - before) / 2
    return Finding(
        name="clock_skew",
        ok=abs(skew_s) <= SKEW_MAX_S + reach_s,
        statement=f"the target's clock is {skew_s * 1000:+.0f} ms ± {reach_s * 1000:.0f} ms from this machine's",
        measured={"skew_s": round(skew_s, 6), "reach_s": round(reach_s, 6)},
    )


def log_filters(client: Clients, deadline_s: float) -> Finding:
    """Whether FilterLogEvents filters. AWS: a filterPattern returns the events that match it and no others."""
    logs = client("logs")
    with _log_group(logs) as group:
        _put_lines(logs, group, ["alpha 1", "beta 2"])
        _wait_for_lines(logs, group, 2, deadline_s)
        found = logs.filter_log_events(logGroupName=group, filterPattern="alpha")["events"]
    said = [event["message"] for event in found]
    return Finding(
        name="log_filters",
        ok=said == ["alpha 1"],
        statement=f"a filter pattern that matches 1 of 2 log lines returned {len(said)}",
        measured={"returned": len(said), "expected": 1},
    )


def log_lag(client: Clients, deadline_s: float) -> Finding:
    """How long a log line takes to be found. AWS: seconds."""
    logs = client("logs")
    with _log_group(logs) as group:
        began = time.monotonic()
        _put_lines(logs, group, ["lag"])
        _wait_for_lines(logs, group, 1, deadline_s, interval_s=0.005)
        lag_s = time.monotonic() - began
    return Finding(
        name="log_lag",
        ok=lag_s <= LAG_MAX_S,
        statement=f"a log line can be read {lag_s * 1000:.0f} ms after it was written",
        measured={"lag_s": round(lag_s, 6)},
    )


def insights(client: Clients, deadline_s: float) -> Finding:
    """Whether Logs Insights obeys ``filter`` and ``stats``. AWS: one row with the count of the matching lines."""
    logs = client("logs")
    with _log_group(logs) as group:
        _put_lines(logs, group, ["alpha 1", "beta 2", "alpha 3"])
        _wait_for_lines(logs, group, 3, deadline_s)
        now = time.time()
        query = logs.start_query(
            logGroupName=group,
            startTime=int(now - 60),
            endTime=int(now + 60),
            queryString="filter @message like /alpha/ | stats count(*) as n",
        )["queryId"]

        def probe() -> tuple[bool, dict[str, Any]]:
            answer = logs.get_query_results(queryId=query)
            return answer["status"] not in {"Scheduled", "Running"}, answer

        answer = wait_for("the query", probe, deadline_s=deadline_s, interval_s=INTERVAL_S)
    rows = answer["results"]
    counts = [cell["value"] for row in rows for cell in row if cell["field"] == "n"]
    status = "as it should" if counts == ["2"] else f"instead of 1 row with n = 2, status {answer['status']}"
    return Finding(
        name="insights",
        ok=counts == ["2"],
        statement=f"a query with filter and stats returned {len(rows)} rows {status}",
        measured={"rows": len(rows), "expected_rows": 1},
    )


def metric_dimensions(client: Clients, deadline_s: float) -> Finding:
    """Whether a metric is found by its whole dimension. AWS: a name that only begins alike is another metric."""
    cloudwatch = client("cloudwatch")
    namespace, name = f"{PREFIX}/{uuid.uuid4().hex[:12]}", "q"
    for value, number in ((name, 1.0), (f"{name}-dlq", 100.0)):
        dimensions = [{"Name": "QueueName", "Value": value}]
        data = {"MetricName": "Depth", "Dimensions": dimensions, "Value": number, "Unit": "Count"}
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[data])
    total = _wait_for_metric(cloudwatch, namespace, name, deadline_s)
    return Finding(
        name="metric_dimensions",
        ok=total == 1.0,
        statement=f"the metric of a queue named {name} sums to {total:g} where 1 was put"
        + ("" if total == 1.0 else f": {name}-dlq is counted too"),
        measured={"sum": total, "expected": 1.0},
    )


def emf(client: Clients, deadline_s: float) -> Finding:
    """Whether a log line in embedded metric format becomes a metric. AWS: it does."""
    logs, cloudwatch = client("logs"), client("cloudwatch")
    namespace = f"{PREFIX}/{uuid.uuid4().hex[:12]}"
    directive = {"Namespace": namespace, "Dimensions": [["QueueName"]], "Metrics": [{"Name": "Depth", "Unit": "Count"}]}
    with _log_group(logs) as group:
        line = {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
            "QueueName": "embedded",
            "Depth": 1,
        }
        _put_lines(logs, group, [json.dumps(line)])
        data = {"MetricName": "Depth", "Dimensions": [{"Name": "QueueName", "Value": "direct"}], "Value": 1.0}
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[data])
        _wait_for_metric(cloudwatch, namespace, "direct", deadline_s)
        shown_after = time.monotonic()

        def probe() -> tuple[bool, float | None]:
            total = _sum(cloudwatch, namespace, "embedded")
            return total is not None or time.monotonic() - shown_after > GRACE_S, total

        # The grace is the end of this wait; the deadline is for an answer that does not come.
        total = wait_for("the metric", probe, deadline_s=deadline_s + GRACE_S, interval_s=INTERVAL_S)
    return Finding(
        name="emf",
        ok=total == 1.0,
        statement="a log line in embedded metric format became a metric"
        if total == 1.0
        else f"a log line in embedded metric format made no metric within {GRACE_S:g} s of one that was put directly",
        measured={"sum": total, "expected": 1.0},
    )


def _single(name: str, ask: Callable[[Clients, float], Finding]) -> Probe:
    return Probe(names=(name,), ask=lambda client, deadline_s: [ask(client, deadline_s)])


QUICK: Sequence[Probe] = tuple(
    _single(name, ask)
    for name, ask in {
        "clock_skew": clock_skew,
        "log_lag": log_lag,
        "log_filters": log_filters,
        "insights": insights,
        "metric_dimensions": metric_dimensions,
        "emf": emf,
    }.items()
)
"""Asked at the same time before each run; about a second on an emulator whose services are loaded."""


@contextmanager
def temporary_queue(sqs: Any, **attributes: str) -> Iterator[str]:
    """A queue that is removed afterwards; its URL."""
    url: str = sqs.create_queue(QueueName=f"{PREFIX}-{uuid.uuid4().hex[:12]}", Attributes=attributes)["QueueUrl"]
    try:
        yield url
    finally:
        sqs.delete_queue(QueueUrl=url)


@contextmanager
def _log_group(logs: Any) -> Iterator[str]:
    group = f"/{PREFIX}/{uuid.uuid4().hex[:12]}"
    logs.create_log_group(logGroupName=group)
    try:
        logs.create_log_stream(logGroupName=group, logStreamName="probe")
        yield group
    finally:
        logs.delete_log_group(logGroupName=group)


def _put_lines(logs: Any, group: str, lines: Sequence[str]) -> None:
    now_ms = int(time.time() * 1000)
    events = [{"timestamp": now_ms + place, "message": line} for place, line in enumerate(lines)]
    logs.put_log_events(logGroupName=group, logStreamName="probe", logEvents=events)


def _wait_for_lines(logs: Any, group: str, count: int, deadline_s: float, interval_s: float = INTERVAL_S) -> None:
    def probe() -> tuple[bool, int]:
        seen = len(logs.filter_log_events(logGroupName=group)["events"])
        return seen >= count, seen

    wait_for("log lines", probe, deadline_s=deadline_s, interval_s=interval_s)


def _wait_for_metric(cloudwatch: Any, namespace: str, queue: str, deadline_s: float) -> float:
    def probe() -> tuple[bool, float | None]:
        total = _sum(cloudwatch, namespace, queue)
        return total is not None, total

    total = wait_for(f"metric of {queue}", probe, deadline_s=deadline_s, interval_s=INTERVAL_S)
    return 0.0 if total is None else total


def _sum(cloudwatch: Any, namespace: str, queue: str) -> float | None:
    """Sum over the last and the next minutes; None while there is no data point."""
    now = datetime.now(UTC)
    points = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName="Depth",
        Dimensions=[{"Name": "QueueName", "Value": queue}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(float(point["Sum"]) for point in points) if points else None
