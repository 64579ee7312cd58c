"""Every path through the deployed functions, so that what they call on the way can be looked at."""

import dataclasses
import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlqlab.contracts.scenario import Breaker, Pipeline
from dlqlab.deploy import functions
from dlqlab.dlq.letters import select
from dlqlab.dlq.redrive import execute, plan_redrive
from dlqlab.dlq.stage import StageDeadLetters
from dlqlab.waiting import wait_for
from taskrules.faults import FaultPlan
from tests.events.factories import SCHEDULED, sqs_event, sqs_record
from tests.integration.conftest import QUICK, Deployed

SCENARIO = dataclasses.replace(QUICK, pipeline=Pipeline(function_timeout_s=4, visibility_timeout_s=6))


@dataclass(frozen=True)
class Watched:
    """A pipeline whose functions' calls are recorded."""

    deployed: Deployed
    record: Path

    def follow(
        self,
        faults: FaultPlan,
        *,
        breaker: Breaker | None = None,
        partial: bool = True,
        timeout_s: int = 4,
        **more: str,
    ) -> None:
        """Make the functions work under this fault plan."""
        scenario = dataclasses.replace(SCENARIO, faults=faults, breaker=breaker or Breaker())
        given = functions.run_variables(scenario, "watched", partial=partial, run_started_ts=time.time())
        variables = given | {"FUNCTION_TIMEOUT_S": str(timeout_s)} | more
        functions.configure(self.deployed.target, variables, worker_timeout_s=timeout_s)

    def put(self, queue: str, body: str) -> None:
        sqs = self.deployed.target.client("sqs")
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody=body)

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        answer = self.deployed.target.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        return dict(answer)


def _ids(count: int) -> list[str]:
    return [f"w-{uuid.uuid4().hex}" for _ in range(count)]


def _walk_api(here: Watched) -> None:
    """Accepted, replayed, conflicting, bad, looked up, unknown, and refused by the queue."""
    deployed, (task_id, refused) = here.deployed, _ids(2)
    here.follow(FaultPlan(failure_rate=0.0))
    answers = [deployed.submit(task_id, {"n": n}) for n in (1, 1, 2)]
    bad, _ = deployed.request("POST", "/tasks", b"{}")
    unknown, _ = deployed.request("GET", f"/tasks/{refused}")
    sqs = deployed.target.client("sqs")
    url = sqs.get_queue_url(QueueName=deployed.target.topology.queue("tasks").name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "1024"})
    full = deployed.submit(refused, {"text": "x" * 2000})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "1048576"})
    deployed.wait_terminal([task_id])

    assert ([202, 200, 409], 400, 404, 503) == (answers, bad, unknown, full)


def _walk_faults(here: Watched) -> None:
    """Success, failure to the end, permanent error, time-out, crash, duplicates; with and without partial answers."""
    here.follow(
        FaultPlan(
            failure_rate=0.3,
            permanent_rate=0.1,
            timeout_rate=0.05,
            crash_before_rate=0.05,
            crash_after_rate=0.05,
            duplicate_rate=0.3,
        )
    )
    task_ids = _ids(20)
    for task_id in task_ids:
        here.deployed.submit(task_id, {"n": 1})
    here.deployed.wait_terminal(task_ids, deadline_s=110)
    here.follow(FaultPlan(failure_rate=0.0, api_crash_rate=1.0), partial=False)
    (unsent,) = _ids(1)
    here.deployed.submit(unsent, "ERROR")  # the API dies before it sends the message: only ours is there
    failing = sqs_record(json.dumps({"taskId": unsent, "payload": "ERROR", "generation": 1}))
    answer = here.invoke(
        here.deployed.target.topology.function("processor").name, sqs_event(sqs_record("junk"), failing)
    )

    assert "FunctionError" in answer  # the batch is kept by raising; what is done of it is deleted before


def _walk_strangers(here: Watched) -> None:
    """Messages that are not tasks, of no known task, of a later generation."""
    (known,) = _ids(1)
    here.follow(FaultPlan(failure_rate=0.0))
    here.deployed.submit(known)
    here.deployed.wait_terminal([known])
    bodies = [{"taskId": "w-stranger", "payload": "x"}, {"taskId": known, "payload": "x", "generation": 9}]
    before = len(here.deployed.archive())
    for body in ("junk", *map(json.dumps, bodies)):
        here.put(here.deployed.target.topology.queue("tasks").name, body)

    def probe() -> tuple[bool, int]:
        count = len(here.deployed.archive()) - before
        return count >= 3, count

    wait_for("three letters of strangers", probe, deadline_s=60, interval_s=0.2)


def _walk_breaker(here: Watched) -> None:
    """An outage, through which the breaker opens, lets a trial through and closes."""
    breaker = Breaker(enabled=True, min_calls=3, window_s=5, cool_down_s=2)
    here.follow(FaultPlan(failure_rate=0.0, outage_duration_s=8), breaker=breaker)
    task_ids = _ids(10)
    for task_id in task_ids:
        here.deployed.submit(task_id, {"n": 1})
    ended = here.deployed.wait_terminal(task_ids, deadline_s=90)

    assert {"COMPLETED"} == {task["status"] for task in ended.values()}


def _walk_lease(here: Watched) -> None:
    """A dead letter of a task that is still being worked on: the monitor waits for the lease."""
    (task_id,) = _ids(1)
    here.follow(FaultPlan(failure_rate=0.0, slow_rate=1.0, slow_s=5.0), timeout_s=20)
    here.deployed.submit(task_id, {"n": 1})

    def probe() -> tuple[bool, str]:
        status = here.deployed.task(task_id)["status"]
        return status == "PROCESSING", status

    wait_for("the attempt", probe, deadline_s=30, interval_s=0.05)
    body = json.dumps({"taskId": task_id, "payload": {"n": 1}, "generation": 1})
    here.put(here.deployed.target.topology.queue("dead-letters").name, body)
    ended = here.deployed.wait_terminal([task_id])

    assert "COMPLETED" == ended[task_id]["status"]


def _walk_sweeper(here: Watched) -> None:
    """Tasks that the API never enqueued, and one that has lost its message."""
    topology, sqs = here.deployed.target.topology, here.deployed.target.client("sqs")
    (pending, stranded) = _ids(2)
    here.follow(FaultPlan(failure_rate=1.0), STRANDED_AFTER_S="1")
    here.deployed.submit(stranded, {"n": 1})

    def retrying() -> tuple[bool, str]:
        status = here.deployed.task(stranded)["status"]
        return status == "RETRYING", status

    wait_for("a retry", retrying, deadline_s=30, interval_s=0.05)
    sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=topology.queue("tasks").name)["QueueUrl"])
    here.follow(FaultPlan(failure_rate=0.0, api_crash_rate=1.0), STRANDED_AFTER_S="1", PENDING_AFTER_S="0")
    answer = here.deployed.submit(pending, {"n": 1})

    def swept() -> tuple[bool, dict[str, Any]]:
        assert "FunctionError" not in here.invoke(topology.function("sweeper").name, SCHEDULED)
        tasks = {task_id: here.deployed.task(task_id)["status"] for task_id in (pending, stranded)}
        return set(tasks.values()) == {"COMPLETED"}, tasks

    wait_for("swept tasks", swept, deadline_s=60, interval_s=0.5)

    assert 502 == answer


def _walk_redrive(here: Watched) -> None:
    """A dead letter is redriven and completes in its second generation."""
    (task_id,) = _ids(1)
    here.follow(FaultPlan(failure_rate=0.0))
    here.deployed.submit(task_id, "ERROR")
    here.deployed.wait_terminal([task_id])
    stage = StageDeadLetters(here.deployed.target)
    with stage.requeuer(f"redrive-{uuid.uuid4().hex}") as requeuer:
        done = execute(plan_redrive(select(stage.letters(), ids=[task_id]), stage.store.get), requeuer, rate_per_s=50)

    assert (task_id,) == tuple(done.redriven)


WALKS = (_walk_api, _walk_faults, _walk_strangers, _walk_breaker, _walk_lease, _walk_sweeper, _walk_redrive)
