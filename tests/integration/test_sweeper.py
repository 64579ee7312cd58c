"""The sweeper on the deployed pipeline: the API is killed between its two writes, messages are removed."""

import base64
import json
import uuid
from typing import Any

import pytest

from dlqlab.contracts.names import log_group
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy import functions, pipeline
from dlqlab.waiting import wait_for
from taskrules.faults import FaultPlan
from tests.events.factories import SCHEDULED
from tests.integration.conftest import QUICK, Deployed

pytestmark = pytest.mark.integration


def _configure(deployed: Deployed, faults: FaultPlan, **variables: str) -> None:
    scenario = Scenario(name="sweep", seed=QUICK.seed, faults=faults, retry=QUICK.retry, pipeline=QUICK.pipeline)
    given = functions.run_variables(scenario, "sweep", partial=True) | variables
    functions.configure(deployed.target, given, worker_timeout_s=scenario.pipeline.function_timeout_s)


def _sweep(deployed: Deployed) -> dict[str, int]:
    """One sweep now, beside those of the schedule."""
    answer = deployed.target.client("lambda").invoke(
        FunctionName=deployed.target.topology.function("sweeper").name, Payload=json.dumps(SCHEDULED), LogType="Tail"
    )
    assert "FunctionError" not in answer, (answer["Payload"].read(), base64.b64decode(answer.get("LogResult", "")))
    return dict(json.loads(answer["Payload"].read()))


def _requeued(deployed: Deployed, task_id: str) -> list[str]:
    pages = deployed.target.client("logs").get_paginator("filter_log_events")
    lines = [
        event["message"]
        for page in pages.paginate(logGroupName=log_group(deployed.target.topology.function("sweeper").name))
        for event in page["events"]
        if task_id in event["message"]
    ]
    return [event["reason"] for event in map(json.loads, lines) if event["event"] == "task.requeued"]


def _submit_dying(deployed: Deployed) -> list[str]:
    """Three tasks at whose acceptance the API dies: each is in the table and has no message, until a sweep comes.

    One of the schedule may come at any moment: that there was no message is told by what the sweep says of the task.
    """
    task_ids = [f"s-{uuid.uuid4().hex}" for _ in range(3)]
    answers = [deployed.submit(task_id) for task_id in task_ids]
    assert [502] * 3 == answers
    assert all(
        (task["status"], task["enqueuedAt"]) == ("QUEUED", None) or task["enqueuedAt"]
        for task in map(deployed.task, task_ids)
    )
    return task_ids


def test_tasks_of_a_dead_api_are_enqueued_exactly_once(deployed: Deployed) -> None:
    """The API's process is killed between the item and the message: sweeps enqueue each task once, and it completes."""
    _configure(deployed, FaultPlan(failure_rate=0.0, api_crash_rate=1.0), PENDING_AFTER_S="0")
    task_ids = _submit_dying(deployed)
    swept = sum(_sweep(deployed)["pending"] for _ in range(3))
    tasks = deployed.wait_terminal(task_ids)
    pipeline.configure(deployed.target, QUICK, "integration")

    # The schedule's own sweep may have come first.
    assert swept <= 3
    assert {("COMPLETED", 1)} == {(task["status"], task["attemptCount"]) for task in tasks.values()}
    assert [["never enqueued"]] * 3 == [_requeued(deployed, task_id) for task_id in task_ids]


def test_schedule_sweeps_by_itself(deployed: Deployed) -> None:
    """Without anybody asking, the schedule enqueues what a dead API left, within two of its minutes."""
    _configure(deployed, FaultPlan(failure_rate=0.0, api_crash_rate=1.0), PENDING_AFTER_S="0")
    task_ids = _submit_dying(deployed)
    tasks = deployed.wait_terminal(task_ids, deadline_s=110)
    pipeline.configure(deployed.target, QUICK, "integration")

    assert {("COMPLETED", 1)} == {(task["status"], task["attemptCount"]) for task in tasks.values()}
    assert [["never enqueued"]] * 3 == [_requeued(deployed, task_id) for task_id in task_ids]


def test_task_that_lost_its_message_is_enqueued_exactly_once(deployed: Deployed) -> None:
    """A retry whose message was purged is enqueued anew once the queue is empty, and completes."""
    task_id = f"s-{uuid.uuid4().hex}"
    _configure(deployed, FaultPlan(failure_rate=1.0), STRANDED_AFTER_S="2")
    deployed.submit(task_id, {"n": 1})
    _wait_for_status(deployed, task_id, "RETRYING")
    sqs = deployed.target.client("sqs")
    sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=deployed.target.topology.queue("tasks").name)["QueueUrl"])
    _configure(deployed, FaultPlan(failure_rate=0.0), STRANDED_AFTER_S="2")

    def probe() -> tuple[bool, Any]:
        _sweep(deployed)
        return bool(_requeued(deployed, task_id)), deployed.task(task_id)

    wait_for("a sweep that finds the task", probe, deadline_s=60, interval_s=0.5)
    task = deployed.wait_terminal([task_id])[task_id]
    _sweep(deployed)
    pipeline.configure(deployed.target, QUICK, "integration")

    assert "COMPLETED" == task["status"]
    assert ["stranded"] == _requeued(deployed, task_id)


def _wait_for_status(deployed: Deployed, task_id: str, status: str) -> None:
    def probe() -> tuple[bool, str]:
        found = deployed.task(task_id)["status"]
        return found == status, found

    wait_for(f"task {task_id} {status}", probe, deadline_s=60, interval_s=0.1)
