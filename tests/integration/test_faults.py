"""Every seeded fault on the deployed pipeline: each task meets just the fate that the plan gives it."""

import uuid
from typing import Any

import pytest

from dlqlab.analysis.oracle import COMPLETED, predict
from dlqlab.contracts.scenario import Pipeline, Scenario
from dlqlab.deploy import pipeline
from dlqlab.waiting import wait_for
from taskrules.faults import Fault, FaultPlan
from tests.integration.conftest import QUICK, Deployed

pytestmark = pytest.mark.integration
SCENARIO = Scenario(
    name="faults",
    seed=QUICK.seed,
    faults=FaultPlan(
        failure_rate=0.15,
        permanent_rate=0.15,
        timeout_rate=0.15,
        crash_before_rate=0.15,
        crash_after_rate=0.15,
        slow_rate=0.3,
        slow_s=0.5,
    ),
    retry=QUICK.retry,
    pipeline=Pipeline(function_timeout_s=2, visibility_timeout_s=20),
)
ENDS = {"COMPLETED": "completed", "FAILED": "dead_lettered"}


def _task_with(plan: FaultPlan, first: Fault) -> str:
    """A new task id whose first attempt has this fault, and none of whose other attempts has any."""
    for _ in range(10_000):
        task_id = f"f-{uuid.uuid4().hex}"
        faults = [plan.decide(task_id, attempt).fault for attempt in (1, 2, 3)]
        if faults == [first, Fault.NONE, Fault.NONE]:
            return task_id
    raise AssertionError(f"no task begins with {first} under {plan}")


def _effects(deployed: Deployed, task_id: str) -> int:
    table = deployed.target.topology.table("tasks").name
    item = deployed.target.client("dynamodb").get_item(TableName=table, Key={"taskId": {"S": task_id}})["Item"]
    return int(item["effects"]["N"])


def _submit_alone(deployed: Deployed, task_id: str) -> None:
    """Submit, and wait until it is being worked on: with a batch mate that dies it would lose a delivery."""
    deployed.submit(task_id, {"n": 1})

    def probe() -> tuple[bool, Any]:
        task = deployed.task(task_id)
        return task["status"] != "QUEUED", task

    wait_for(f"the first attempt of {task_id}", probe, deadline_s=30, interval_s=0.05)


def test_each_fault_has_the_fate_that_the_plan_predicts(deployed: Deployed) -> None:
    """Transient, permanent, time-out, crash before and after the effect, or none: attempts and end as predicted."""
    plan, policy = SCENARIO.faults, SCENARIO.retry
    pipeline.configure(deployed.target, SCENARIO, "faults")
    tasks = {fault: _task_with(plan, fault) for fault in Fault if fault is not Fault.OUTAGE}
    for task_id in tasks.values():
        _submit_alone(deployed, task_id)
    ended = deployed.wait_terminal(tasks.values(), deadline_s=90)
    fates = {fault: predict(plan, policy, task_id) for fault, task_id in tasks.items()}
    effects = {fault: _effects(deployed, task_id) for fault, task_id in tasks.items()}
    pipeline.configure(deployed.target, QUICK, "integration")

    assert {fault: (fate.terminal, len(fate.attempts)) for fault, fate in fates.items()} == {
        fault: (ENDS[ended[task_id]["status"]], ended[task_id]["attemptCount"]) for fault, task_id in tasks.items()
    }
    assert {fault: int(fate.terminal == COMPLETED) for fault, fate in fates.items()} == effects


def test_permanent_error_has_its_reason_in_the_archive(deployed: Deployed) -> None:
    """A task that no retry can help is archived after one attempt, with the error that it died of."""
    scenario = Scenario(name="permanent", seed=7, faults=FaultPlan(failure_rate=0.0, permanent_rate=1.0))
    pipeline.configure(deployed.target, scenario, "faults")
    task_id = f"f-{uuid.uuid4().hex}"
    deployed.submit(task_id, {"n": 1})
    task = deployed.wait_terminal([task_id])[task_id]
    letter = next(letter for letter in deployed.archive() if letter.get("taskId") == task_id)
    pipeline.configure(deployed.target, QUICK, "integration")

    assert ("FAILED", 1) == (task["status"], task["attemptCount"])
    assert ("permanent error", "PermanentFault") == (letter["reason"], letter["errorType"])


def test_duplicated_messages_have_one_effect_each(deployed: Deployed) -> None:
    """Every message is in the queue twice; every task has one attempt and one effect."""
    scenario = Scenario(name="twice", seed=7, faults=FaultPlan(failure_rate=0.0, duplicate_rate=1.0))
    pipeline.configure(deployed.target, scenario, "faults")
    task_ids = [f"f-{uuid.uuid4().hex}" for _ in range(10)]
    for task_id in task_ids:
        deployed.submit(task_id, {"n": 1})
    tasks = deployed.wait_terminal(task_ids)
    effects = [_effects(deployed, task_id) for task_id in task_ids]
    pipeline.configure(deployed.target, QUICK, "integration")

    assert {("COMPLETED", 1)} == {(task["status"], task["attemptCount"]) for task in tasks.values()}
    assert [1] * 10 == effects
