"""One trace for each task, through all functions and both queues, whatever happens to it."""

import dataclasses
import json
import urllib.parse
import urllib.request
import uuid
from typing import Any

import pytest

from dlqlab.deploy import pipeline, reset
from dlqlab.dlq.letters import select
from dlqlab.dlq.redrive import execute, plan_redrive
from dlqlab.dlq.stage import StageDeadLetters
from dlqlab.waiting import wait_for
from taskrules.faults import FaultPlan
from taskrules.retry import RetryPolicy
from taskrules.telemetry import trace_root
from tests.integration.conftest import QUICK, Deployed
from tests.support.logs import events_of, lines_by_role

pytestmark = pytest.mark.integration


def _trace_headers(deployed: Deployed, queue: str) -> list[str]:
    """X-Ray headers of the messages on a queue; looking changes nothing (a side door of LocalStack)."""
    url = deployed.target.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
    query = urllib.parse.urlencode({"QueueUrl": url, "ShowInvisible": "true", "ShowDelayed": "true"})
    request = urllib.request.Request(
        f"{deployed.target.endpoint}/_aws/sqs/messages?{query}", headers={"Accept": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        found = json.load(response)["ReceiveMessageResponse"]["ReceiveMessageResult"]
    messages = found.get("Message", []) if found else []
    return [
        attribute["Value"]
        for message in ([messages] if isinstance(messages, dict) else messages)
        for attribute in message["Attribute"]
        if attribute["Name"] == "AWSTraceHeader"
    ]


def test_trace_header_goes_with_the_message(deployed: Deployed) -> None:
    """The message that the API sends, waiting for its retry, carries the header of the submission's trace."""
    scenario = dataclasses.replace(QUICK, faults=FaultPlan(failure_rate=1.0), retry=RetryPolicy(base_s=30))
    pipeline.configure(deployed.target, scenario, "traced")
    task_id = f"o-{uuid.uuid4().hex}"
    deployed.submit(task_id, {"n": 1})

    def probe() -> tuple[bool, Any]:
        headers = _trace_headers(deployed, deployed.target.topology.queue("tasks").name)
        events = events_of(lines_by_role(deployed.target), task_id)
        roots = {event["traceId"] for found in events.values() for event in found}
        return bool(events["api"] and events["processor"] and headers), (headers, roots)

    headers, roots = wait_for("the message and its events", probe, deadline_s=30, interval_s=0.2)
    reset.purge(deployed.target)
    pipeline.configure(deployed.target, QUICK, "integration")

    assert 1 == len(roots)
    assert roots <= {trace_root(header) for header in headers}


def test_trace_survives_burial_and_redrive(deployed: Deployed) -> None:
    """A task that is buried at once and redriven: every event in all functions is of the trace of its submission."""
    faults = FaultPlan(failure_rate=0.0, permanent_rate=1.0)
    pipeline.configure(deployed.target, dataclasses.replace(QUICK, faults=faults), "traced")
    task_id = f"o-{uuid.uuid4().hex}"
    deployed.submit(task_id, {"n": 1})
    deployed.wait_terminal([task_id])
    pipeline.configure(deployed.target, dataclasses.replace(QUICK, faults=FaultPlan(failure_rate=0.0)), "traced")
    stage = StageDeadLetters(deployed.target)
    with stage.requeuer(f"redrive-{uuid.uuid4().hex}") as requeuer:
        execute(plan_redrive(select(stage.letters(), ids=[task_id]), stage.store.get), requeuer, rate_per_s=50)
    deployed.wait_terminal([task_id])
    events = events_of(lines_by_role(deployed.target), task_id)
    pipeline.configure(deployed.target, QUICK, "integration")
    names = {event["event"] for found in events.values() for event in found}

    assert {"task.accepted", "attempt.failed", "task.dead_lettered", "task.requeued", "attempt.succeeded"} <= names
    assert 1 == len({event["traceId"] for found in events.values() for event in found})
