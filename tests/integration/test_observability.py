"""What the deployed functions write: no secret anywhere, one trace through all, metrics and alarms of CloudWatch."""

import json
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dlqlab.contracts.names import log_group
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy import pipeline
from dlqlab.waiting import wait_for
from taskrules.faults import FaultPlan
from tests.integration.conftest import QUICK, Deployed, FunctionFactory
from tests.support.logs import events_of, lines_by_role

pytestmark = pytest.mark.integration
BUNDLE_BYTES_MAX = 15_000_000
ALARM_PERIOD_S = 10
"""The shortest that CloudWatch takes. The emulator evaluates once a period and looks at the last three."""
EMF_FUNCTION = """
    import json, time

    def handler(event, context):
        now_ms = int(time.time() * 1000)
        about = {"Namespace": event["namespace"], "Dimensions": [["F"], ["F", "G"]], "Metrics": [{"Name": "Depth"}]}
        good = {"_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [about]}, "F": "f", "G": "g"}
        print(json.dumps(good | {"Depth": [1, 2]}))
        print(json.dumps(good | {"Depth": 4}))
        print(json.dumps(good | {"Depth": "four"}))
        print('{"_aws": {"Timestamp": ' + str(now_ms))
    """
SECRETS = {
    "password": "hunter2-hunter2",
    "note": "Bearer abcdef0123456789abcdef",
    "card": "4111 1111 1111 1111",
    "key": "AKIAIOSFODNN7EXAMPLE",
    "deep": [{"Email": "somebody@example.org"}],
}
SECRET_TEXTS = ["hunter2", "abcdef0123456789", "4111 1111", "AKIAIOSFODNN7EXAMPLE", "somebody@example.org"]


@pytest.fixture(scope="module")
def began() -> datetime:
    """When this file's first task was submitted: other tests bury tasks of other policies at the same emulator."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def buried(began: datetime, deployed: Deployed) -> tuple[str, dict[str, list[str]]]:
    """A task full of secrets that went all the way to the archive, and all log lines."""
    assert began < datetime.now(UTC)
    scenario = Scenario(
        name="x", seed=7, faults=FaultPlan(failure_rate=1.0), retry=QUICK.retry, pipeline=QUICK.pipeline
    )
    pipeline.configure(deployed.target, scenario, "observed")
    task_id = f"o-{uuid.uuid4().hex}"
    deployed.submit(task_id, SECRETS)
    deployed.submit(task_id, {"password": "another-hunter2"})  # refused: its error must not show the payload either
    deployed.wait_terminal([task_id])
    lines = lines_by_role(deployed.target)
    pipeline.configure(deployed.target, QUICK, "integration")
    return task_id, lines


def test_no_secret_reaches_log_or_archive(deployed: Deployed, buried: tuple[str, dict[str, list[str]]]) -> None:
    """Fields by name and texts by look are gone from every real log line and from the archived message."""
    task_id, lines = buried
    letter = next(letter for letter in deployed.archive() if letter.get("taskId") == task_id)
    written = json.dumps([lines, letter])

    assert task_id in written
    assert [] == [secret for secret in SECRET_TEXTS if secret in written]
    assert "[redacted]" in letter["body"]


def test_one_trace_leads_from_the_api_to_the_monitor(buried: tuple[str, dict[str, list[str]]]) -> None:
    """All events of a task carry its id and the trace of its submission, in each of the three functions."""
    task_id, lines = buried
    events = events_of(lines, task_id)
    accepted = next(event for event in events["api"] if event["event"] == "task.accepted")

    assert {"api", "processor", "monitor"} == {role for role, found in events.items() if found}
    assert {accepted["traceId"]} == {event["traceId"] for role in ("processor", "monitor") for event in events[role]}
    assert accepted["traceId"] is not None


def test_cold_starts_are_told_by_event_and_report(deployed: Deployed) -> None:
    """An invocation whose events say coldStart has an Init Duration in its REPORT line; the bundle is small."""
    lines = lines_by_role(deployed.target)
    reports = [line for found in lines.values() for line in found if line.startswith("REPORT") and "Init Dur" in line]
    initialised = {line.split()[2] for line in reports}
    events = [json.loads(line) for found in lines.values() for line in found if line.startswith('{"event"')]
    cold = {event["requestId"] for event in events if event["coldStart"]}
    describe = deployed.target.client("lambda").get_function_configuration
    sizes = [describe(FunctionName=name)["CodeSize"] for name in deployed.target.topology.function_names.values()]

    assert cold
    assert cold <= initialised
    assert max(sizes) < BUNDLE_BYTES_MAX


def test_metrics_are_embedded_in_the_log(buried: tuple[str, dict[str, list[str]]]) -> None:
    """The failed attempts and the dead letter stand in lines of the embedded metric format, by function."""
    _, lines = buried
    found = {
        role: [json.loads(line) for line in lines[role] if line.startswith('{"_aws"')]
        for role in ("processor", "monitor")
    }
    observed = {
        role: [record for record in records if record["runId"] == "observed"] for role, records in found.items()
    }

    assert 3 == sum(sum(record.get("AttemptFailed", [])) for record in observed["processor"])
    assert 1 == sum(sum(record.get("TaskDeadLettered", [])) for record in observed["monitor"])
    assert {"dlqlab"} == {
        directive["Namespace"]
        for records in observed.values()
        for record in records
        for directive in record["_aws"]["CloudWatchMetrics"]
    }


def _points(
    cloudwatch: Any, namespace: str, metric: str, *, since: datetime | None = None, **dimensions: str
) -> list[dict[str, float]]:
    """Statistics of the last minutes, or since then."""
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=since or now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=660,
        Statistics=["Sum", "SampleCount", "Minimum", "Maximum"],
    )
    return [
        {name: point[name] for name in ("Sum", "SampleCount", "Minimum", "Maximum")} for point in answer["Datapoints"]
    ]


def test_dead_letters_are_counted_by_cause(
    deployed: Deployed, began: datetime, buried: tuple[str, dict[str, list[str]]]
) -> None:
    """The dead letter of a real task is in CloudWatch under its cause, with its age and its attempts."""
    task_id, _ = buried
    cloudwatch, function = deployed.target.client("cloudwatch"), deployed.target.topology.function("monitor").name
    metrics = ("TaskDeadLettered", "DeadLetterAge", "DeadLetterAttempts")

    def probe() -> tuple[bool, dict[str, list[dict[str, float]]]]:
        found = {
            name: _points(cloudwatch, "dlqlab", name, since=began, FunctionName=function, Reason="retries exhausted")
            for name in metrics
        }
        return all(found.values()), found

    found = {name: points[0] for name, points in wait_for("metrics", probe, deadline_s=15, interval_s=0.1).items()}

    assert "FAILED" == deployed.task(task_id)["status"]
    assert len({point["SampleCount"] for point in found.values()}) == 1
    assert (3.0, 3.0) == (found["DeadLetterAttempts"]["Minimum"], found["DeadLetterAttempts"]["Maximum"])
    assert found["DeadLetterAge"]["Minimum"] >= 2.0  # two backoffs of a second


def test_embedded_lines_become_metrics(aws: Callable[[str], Any], make_function: FunctionFactory) -> None:
    """Lists and single values count for each dimension set; lines that cannot be read are counted as on AWS."""
    function, namespace, cloudwatch = make_function(EMF_FUNCTION), f"n/{uuid.uuid4().hex}", aws("cloudwatch")
    function.invoke({"namespace": namespace})
    group = log_group(function.name)

    def probe() -> tuple[bool, list[list[dict[str, float]]]]:
        found = [
            _points(cloudwatch, namespace, "Depth", F="f"),
            _points(cloudwatch, namespace, "Depth", F="f", G="g"),
            _points(cloudwatch, "AWS/Logs", "EMFValidationErrors", LogGroupName=group),
            _points(cloudwatch, "AWS/Logs", "EMFParsingErrors", LogGroupName=group),
        ]
        return all(found), found

    depth = {"Sum": 7.0, "SampleCount": 3.0, "Minimum": 1.0, "Maximum": 4.0}
    one = {"Sum": 1.0, "SampleCount": 1.0, "Minimum": 1.0, "Maximum": 1.0}
    assert [[depth], [depth], [one], [one]] == wait_for("metrics", probe, deadline_s=15, interval_s=0.1)


@pytest.fixture
def quick_alarms(deployed: Deployed, cleanups: ExitStack) -> dict[str, str]:
    """The stage's alarms again, with the shortest period; names by metric."""
    cloudwatch = deployed.target.client("cloudwatch")
    kept = (
        "Namespace",
        "MetricName",
        "Dimensions",
        "Statistic",
        "EvaluationPeriods",
        "Threshold",
        "ComparisonOperator",
        "TreatMissingData",
    )
    names = {}
    for alarm in cloudwatch.describe_alarms(AlarmNamePrefix=f"dlqlab-{deployed.target.stage}-alarm-")["MetricAlarms"]:
        name = names[alarm["MetricName"]] = f"quick-{alarm['AlarmName']}"
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Period=ALARM_PERIOD_S,
            **{key: value for key, value in dict(alarm).items() if key in kept},  # type: ignore[arg-type]  # by its own names
        )
        cleanups.callback(cloudwatch.delete_alarms, AlarmNames=[name])
    return names


@pytest.mark.timeout(240)  # three states, each up to three periods and a poll away
def test_alarms_go_off_and_come_back(deployed: Deployed, quick_alarms: dict[str, str]) -> None:
    """Tasks that fail to death set off the alarms on dead letters and failure ratio; with tasks that work they end."""
    cloudwatch = deployed.target.client("cloudwatch")
    names = [quick_alarms["TaskDeadLettered"], quick_alarms["AttemptFailed"]]

    def probe(wanted: str) -> tuple[bool, dict[str, str]]:
        alarms = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
        states: dict[str, str] = {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}
        return set(states.values()) == {wanted}, states

    wait_for("alarms at rest", lambda: probe("OK"), deadline_s=60, interval_s=0.5)
    failing = [f"alarm-{uuid.uuid4().hex}" for _ in range(3)]
    for task_id in failing:
        deployed.submit(task_id, "ERROR")
    wait_for("alarms", lambda: probe("ALARM"), deadline_s=60, interval_s=0.5)
    for task_id in failing:
        deployed.submit(task_id.replace("alarm", "calm"), "SUCCESS")
    wait_for("the end of the alarms", lambda: probe("OK"), deadline_s=60, interval_s=0.5)
    history = cloudwatch.describe_alarm_history(AlarmName=names[0], HistoryItemType="StateUpdate")

    assert {"FAILED"} == {task["status"] for task in deployed.wait_terminal(failing).values()}
    assert len(history["AlarmHistoryItems"]) >= 2


def test_alarms_of_the_stage_exist(deployed: Deployed) -> None:
    """Dead letters, failure ratio and age of the oldest message have their alarms, on this stage's resources."""
    alarms = deployed.target.client("cloudwatch").describe_alarms()["MetricAlarms"]
    topology, stage = deployed.target.topology, deployed.target.stage
    watched = {
        alarm["AlarmName"]: (alarm["MetricName"], alarm["Dimensions"][0]["Value"])
        for alarm in alarms
        if alarm["AlarmName"].startswith(f"dlqlab-{stage}-alarm-")
    }

    assert {
        f"dlqlab-{stage}-alarm-task-dead-lettered": ("TaskDeadLettered", topology.function("monitor").name),
        f"dlqlab-{stage}-alarm-failure-ratio": ("AttemptFailed", topology.function("processor").name),
        f"dlqlab-{stage}-alarm-message-age": ("ApproximateAgeOfOldestMessage", topology.queue("tasks").name),
    } == watched
