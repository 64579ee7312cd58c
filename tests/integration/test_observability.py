"""What the deployed functions write: no secret anywhere, one trace through all, metrics that CloudWatch reads."""

import json
import uuid
from typing import Any

import pytest

from dlqlab.contracts.names import log_group
from dlqlab.contracts.scenario import Faults, Scenario
from dlqlab.deploy import pipeline
from tests.integration.conftest import QUICK, Deployed

pytestmark = pytest.mark.integration
SECRETS = {
    "password": "hunter2-hunter2",
    "note": "Bearer abcdef0123456789abcdef",
    "card": "4111 1111 1111 1111",
    "key": "AKIAIOSFODNN7EXAMPLE",
    "deep": [{"Email": "somebody@example.org"}],
}
SECRET_TEXTS = ["hunter2", "abcdef0123456789", "4111 1111", "AKIAIOSFODNN7EXAMPLE", "somebody@example.org"]


def _lines(deployed: Deployed) -> dict[str, list[str]]:
    """Every log line by the role of its function."""
    paginator = deployed.target.client("logs").get_paginator("filter_log_events")
    return {
        role: [
            event["message"]
            for page in paginator.paginate(logGroupName=log_group(function))
            for event in page["events"]
        ]
        for role, function in deployed.target.names.functions.items()
    }


@pytest.fixture(scope="module")
def buried(deployed: Deployed) -> tuple[str, dict[str, list[str]]]:
    """A task full of secrets that went all the way to the archive, and all log lines."""
    scenario = Scenario(name="x", seed=7, faults=Faults(failure_rate=1.0), retry=QUICK.retry, pipeline=QUICK.pipeline)
    pipeline.configure(deployed.target, scenario, "observed")
    task_id = f"o-{uuid.uuid4().hex}"
    deployed.submit(task_id, SECRETS)
    deployed.submit(task_id, {"password": "another-hunter2"})  # refused: its error must not show the payload either
    deployed.wait_terminal([task_id])
    lines = _lines(deployed)
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
    events: dict[str, list[dict[str, Any]]] = {
        role: [json.loads(line) for line in found if task_id in line and line.startswith('{"event"')]
        for role, found in lines.items()
    }
    accepted = next(event for event in events["api"] if event["event"] == "task.accepted")

    assert {"api", "processor", "monitor"} == {role for role, found in events.items() if found}
    assert {accepted["traceId"]} == {event["traceId"] for role in ("processor", "monitor") for event in events[role]}
    assert accepted["traceId"] is not None


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


def test_alarms_of_the_stage_exist(deployed: Deployed) -> None:
    """Dead letters, failure ratio and age of the oldest message have their alarms, on this stage's resources."""
    alarms = deployed.target.client("cloudwatch").describe_alarms()["MetricAlarms"]
    names = deployed.target.names
    watched = {
        alarm["AlarmName"]: (alarm["MetricName"], alarm["Dimensions"][0]["Value"])
        for alarm in alarms
        if alarm["AlarmName"].startswith(f"dlqlab-{names.stage}-alarm-")
    }

    assert {
        f"dlqlab-{names.stage}-alarm-task-dead-lettered": ("TaskDeadLettered", names.monitor_function),
        f"dlqlab-{names.stage}-alarm-failure-ratio": ("AttemptFailed", names.processor_function),
        f"dlqlab-{names.stage}-alarm-message-age": ("ApproximateAgeOfOldestMessage", names.task_queue),
    } == watched
