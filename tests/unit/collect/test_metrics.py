"""CloudWatch metrics as rows."""

from datetime import UTC, datetime

import pytest

from dlqlab.collect.metrics import collect_metrics
from dlqlab.contracts.tables import frame
from dlqlab.errors import EvidenceError
from dlqlab.specimens import task_system
from taskrules.metrics import NAMESPACE, UNITS
from tests.support.collect.fakes import FakeCloudWatch

TOPOLOGY = task_system("test")


def at(ts: float) -> datetime:
    return datetime.fromtimestamp(ts, UTC)


def test_points_become_rows_in_order_of_time() -> None:
    """Each point is a row with its metric, dimension and statistic, as the service gave it."""
    points = [{"Timestamp": at(120), "Sum": 5.0}, {"Timestamp": at(60), "Sum": 3.0}]
    cloudwatch = FakeCloudWatch({("NumberOfMessagesSent", TOPOLOGY.queue("tasks").name): points})

    found = frame("metrics", collect_metrics(cloudwatch.client(), TOPOLOGY, 90.5, 170.0))
    rows = found.drop(columns="cell").to_dict("records")

    common = {
        "namespace": "AWS/SQS",
        "metric": "NumberOfMessagesSent",
        "dimension": "QueueName=dlqlab-test-tasks",
        "stat": "Sum",
        "period_s": 60,
    }
    assert [common | {"ts": 60.0, "value": 3.0}, common | {"ts": 120.0, "value": 5.0}] == rows
    assert {(at(60), at(180))} == {(request["StartTime"], request["EndTime"]) for request in cloudwatch.requests}


def test_every_queue_and_function_is_asked_for() -> None:
    """All resources of the stage are covered."""
    cloudwatch = FakeCloudWatch({})

    rows = list(collect_metrics(cloudwatch.client(), TOPOLOGY, 0, 60))

    asked = {request["Dimensions"][0]["Value"] for request in cloudwatch.requests}
    assert rows == []
    assert {*TOPOLOGY.queue_names.values(), *TOPOLOGY.function_names.values()} == asked


def test_own_metrics_of_the_app_are_asked_for() -> None:
    """The failure ratio, the dead letters and their age are read from where the functions' log lines put them."""
    cloudwatch = FakeCloudWatch(
        {("AttemptFailed", TOPOLOGY.function("processor").name): [{"Timestamp": at(0), "Average": 0.25}]}
    )

    (row,) = collect_metrics(cloudwatch.client(), TOPOLOGY, 0, 60)
    own = {request["MetricName"] for request in cloudwatch.requests if request["Namespace"] == NAMESPACE}

    assert ("dlqlab", "FunctionName=dlqlab-test-processor", 0.25) == (row["namespace"], row["dimension"], row["value"])
    assert {"AttemptFailed", "AttemptDuration", "TaskDeadLettered", "DeadLetterAge"} == own
    assert own <= set(UNITS)


def test_long_runs_are_asked_for_in_stretches_of_a_day() -> None:
    """One request gets 1,440 points at most."""
    cloudwatch = FakeCloudWatch({})

    list(collect_metrics(cloudwatch.client(), TOPOLOGY, 0, 3 * 86_400 - 600))

    spans = {(request["EndTime"] - request["StartTime"]).total_seconds() for request in cloudwatch.requests}
    assert spans == {86_400, 85_800}


def test_a_refusal_is_an_error() -> None:
    """The error names the metric."""
    cloudwatch = FakeCloudWatch({})
    cloudwatch.failing = True

    with pytest.raises(EvidenceError, match="metric AWS/SQS NumberOfMessagesSent of dlqlab-test-tasks"):
        list(collect_metrics(cloudwatch.client(), TOPOLOGY, 0, 60))
