"""Promises of the pipeline that need a hand in the middle of it: a function that dies, a table that is missing."""

import dataclasses
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from mypy_boto3_sqs.type_defs import MessageTypeDef

from dlqlab.contracts import scenarios
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy import functions, pipeline
from dlqlab.dlq.letters import select
from dlqlab.dlq.redrive import RedriveResult, execute, plan_redrive
from dlqlab.dlq.stage import StageDeadLetters
from dlqlab.waiting import wait_for
from taskrules.faults import Fault, FaultPlan
from taskrules.queues import QueueError
from tests.events.factories import sqs_event, sqs_record
from tests.integration.conftest import QUICK, Deployed

pytestmark = pytest.mark.integration
RUN_ID = "features"


def _follow(deployed: Deployed, faults: FaultPlan, **variables: str) -> None:
    scenario = dataclasses.replace(QUICK, faults=faults)
    given = functions.run_variables(scenario, RUN_ID, partial=True) | variables
    functions.configure(deployed.target, given, worker_timeout_s=scenario.pipeline.function_timeout_s)


def _invoke(deployed: Deployed, function: str, event: dict[str, Any]) -> dict[str, Any]:
    return dict(deployed.target.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event)))


def _url(deployed: Deployed, queue: str) -> str:
    return str(deployed.target.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"])


def _count(deployed: Deployed, queue: str) -> int:
    answer = deployed.target.client("sqs").get_queue_attributes(
        QueueUrl=_url(deployed, queue),
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )
    return sum(map(int, answer["Attributes"].values()))


@contextmanager
def _unmapped(deployed: Deployed, function: str) -> Iterator[None]:
    """No messages for the function: the test delivers by hand."""
    client = deployed.target.client("lambda")
    mapping = functions.mapping_of(client, function, deployed.target.topology.queue("tasks").name)["UUID"]

    def switch(wanted: str, *, on: bool) -> None:
        client.update_event_source_mapping(UUID=mapping, Enabled=on)

        def probe() -> tuple[bool, str]:
            state = client.get_event_source_mapping(UUID=mapping)["State"]
            return state == wanted, state

        wait_for(f"mapping {wanted}", probe, deadline_s=30, interval_s=0.1)

    switch("Disabled", on=False)
    try:
        yield
    finally:
        switch("Enabled", on=True)


def _receive(deployed: Deployed, count: int) -> dict[str, MessageTypeDef]:
    """So many messages of the task queue by their task ids, taken as Lambda's poller takes them."""
    sqs, url = deployed.target.client("sqs"), _url(deployed, deployed.target.topology.queue("tasks").name)
    found: dict[str, MessageTypeDef] = {}

    def probe() -> tuple[bool, int]:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            found[json.loads(message["Body"])["taskId"]] = message
        return len(found) == count, len(found)

    wait_for("messages", probe, deadline_s=30, interval_s=0.1)
    return found


def _record(message: MessageTypeDef, *, receive_count: int = 1) -> dict[str, Any]:
    return sqs_record(
        message["Body"],
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        receive_count=receive_count,
    )


def _effects(deployed: Deployed, task_id: str) -> int:
    table = deployed.target.topology.table("tasks").name
    item = deployed.target.client("dynamodb").get_item(TableName=table, Key={"taskId": {"S": task_id}})["Item"]
    return int(item["effects"]["N"])


def _task_with(first: Fault, faults: FaultPlan) -> str:
    """A new task id whose first attempt has this fault."""
    plan = dataclasses.replace(QUICK, faults=faults).faults
    return next(
        task_id
        for task_id in (f"t-{uuid.uuid4().hex}" for _ in range(10_000))
        if plan.decide(task_id, 1).fault is first
    )


def test_effect_happens_once_under_any_redelivery(deployed: Deployed) -> None:
    """One message delivered six times at once, and again when the task is done: one attempt, one effect."""
    _follow(deployed, FaultPlan(failure_rate=0.0, slow_rate=1.0, slow_s=1.0))
    task_id, processor = f"t-{uuid.uuid4().hex}", deployed.target.topology.function("processor").name
    with _unmapped(deployed, processor):
        deployed.submit(task_id, {"n": 1})
        event = sqs_event(_record(_receive(deployed, 1)[task_id]))
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _number: _invoke(deployed, processor, event), range(6)))
        answers.append(_invoke(deployed, processor, event))
        task, effects = deployed.task(task_id), _effects(deployed, task_id)
    pipeline.configure(deployed.target, QUICK, "integration")
    deployed.target.client("sqs").purge_queue(QueueUrl=_url(deployed, deployed.target.topology.queue("tasks").name))

    assert [] == [answer for answer in answers if "FunctionError" in answer]
    assert ("COMPLETED", 1, 1) == (task["status"], task["attemptCount"], effects)


def test_task_done_on_its_last_delivery_outlives_the_death_of_its_batch(deployed: Deployed) -> None:
    """A batch mate kills the function: the done task's message is deleted all the same, the mate's is not."""
    faults, topology = FaultPlan(failure_rate=0.0, crash_before_rate=0.5), deployed.target.topology
    done, mate = _task_with(Fault.NONE, faults), _task_with(Fault.CRASH_BEFORE_EFFECT, faults)
    _follow(deployed, faults)
    with _unmapped(deployed, topology.function("processor").name):
        for task_id in (done, mate):
            deployed.submit(task_id, {"n": 1})
        messages = _receive(deployed, 2)
        event = sqs_event(*(_record(messages[task_id], receive_count=3) for task_id in (done, mate)))
        answer = _invoke(deployed, topology.function("processor").name, event)
        status, left = deployed.task(done)["status"], _count(deployed, topology.queue("tasks").name)
        _follow(deployed, FaultPlan(failure_rate=0.0))
    deployed.wait_terminal([mate])
    pipeline.configure(deployed.target, QUICK, "integration")

    assert "FunctionError" in answer
    assert ("COMPLETED", 1) == (status, left)
    assert done not in {letter.get("taskId") for letter in deployed.archive()}


def test_failing_archive_keeps_the_message(deployed: Deployed) -> None:
    """While its table is missing no dead letter is lost: the message stays, and is archived once the table is back."""
    sqs, topology = deployed.target.client("sqs"), deployed.target.topology
    url, task_id = _url(deployed, topology.queue("dead-letters").name), f"t-{uuid.uuid4().hex}"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "2"})  # it comes again soon
    _follow(deployed, FaultPlan(failure_rate=0.0), ARCHIVE_TABLE="dlqlab-no-such-table")
    deployed.submit(task_id, "ERROR")

    def refused() -> tuple[bool, int]:
        lines = deployed.target.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{topology.function('monitor').name}"
        )
        tries = sum(task_id in event["message"] and "StoreError" in event["message"] for event in lines["events"])
        return tries >= 2, tries

    wait_for("two failures to archive", refused, deadline_s=60, interval_s=0.3)
    before = (deployed.task(task_id)["status"], _count(deployed, topology.queue("dead-letters").name))
    _follow(deployed, FaultPlan(failure_rate=0.0), ARCHIVE_TABLE=topology.table("archive").name)
    ended = deployed.wait_terminal([task_id])
    letters = [letter for letter in deployed.archive() if letter.get("taskId") == task_id]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    pipeline.configure(deployed.target, QUICK, "integration")

    assert ("RETRYING", 1) == before
    assert ("FAILED", 1) == (ended[task_id]["status"], len(letters))


class _DeadQueue:
    """A queue that takes nothing."""

    def send(self, *_arguments: Any, **_options: Any) -> str:
        raise QueueError("the redrive dies here")


def test_redrive_that_dies_half_way_is_finished_by_the_next(deployed: Deployed) -> None:
    """New generations without messages: the next redrive sends them, and no task gets a third generation."""
    _follow(deployed, FaultPlan(failure_rate=1.0))
    task_ids = [f"t-{uuid.uuid4().hex}" for _ in range(3)]
    for task_id in task_ids:
        deployed.submit(task_id, {"n": 1})
    deployed.wait_terminal(task_ids)
    _follow(deployed, FaultPlan(failure_rate=0.0), PENDING_AFTER_S="3600")  # the sweeper must not be the one
    stage = StageDeadLetters(deployed.target)

    def redrive(*, is_dying: bool) -> RedriveResult:
        steps = plan_redrive(select(stage.letters(), ids=task_ids), stage.store.get)
        with stage.requeuer(f"redrive-{uuid.uuid4().hex}") as requeuer:
            queue: Any = _DeadQueue() if is_dying else requeuer.queue
            return execute(steps, dataclasses.replace(requeuer, queue=queue), rate_per_s=50)

    first = redrive(is_dying=True)
    second = redrive(is_dying=False)
    ended = deployed.wait_terminal(task_ids)
    pipeline.configure(deployed.target, QUICK, "integration")

    assert ((), 3, sorted(task_ids)) == (first.redriven, len(first.failed), sorted(second.redriven))
    assert {("COMPLETED", 2)} == {(task["status"], task["generation"]) for task in ended.values()}


def test_retries_keep_to_the_documented_schedule(deployed: Deployed) -> None:
    """Between two attempts lies the backoff that the policy gives, which the docs list; never less."""
    _follow(
        deployed, FaultPlan(failure_rate=0.0), RETRY_POLICY=json.dumps({"max_retries": 2, "base_s": 1, "factor": 2})
    )
    task_id, policy = f"t-{uuid.uuid4().hex}", dataclasses.replace(QUICK.retry, base_s=1, factor=2)
    deployed.submit(task_id, "ERROR")
    attempts = deployed.wait_terminal([task_id])[task_id]["attempts"]
    pipeline.configure(deployed.target, QUICK, "integration")
    gaps = [_seconds(later["startedAt"]) - _seconds(earlier["endedAt"]) for earlier, later in pairwise(attempts)]

    assert [1, 2] == [policy.delay_s(task_id, attempt) for attempt in (1, 2)]
    assert [True, True] == [gap >= policy.delay_s(task_id, number) - 0.001 for number, gap in enumerate(gaps, start=1)]


def test_deployed_queues_and_tables_are_encrypted(deployed: Deployed) -> None:
    """Encryption at rest is on where the resources are, not only in the template."""
    topology, sqs = deployed.target.topology, deployed.target.client("sqs")
    queues = [
        sqs.get_queue_attributes(QueueUrl=_url(deployed, name), AttributeNames=["SqsManagedSseEnabled"])["Attributes"]
        for name in topology.queue_names.values()
    ]
    describe = deployed.target.client("dynamodb").describe_table
    tables = [
        describe(TableName=name)["Table"]["SSEDescription"]["Status"]
        for name in (topology.table("tasks").name, topology.table("archive").name, topology.table("breakers").name)
    ]

    assert [{"SqsManagedSseEnabled": "true"}] * 2 == queues
    assert ["ENABLED"] * 3 == tables


@pytest.fixture(scope="module")
def trying(deployed: Deployed) -> Iterator[Deployed]:
    """The pipeline for trying settings out; has its own ones again afterwards."""
    yield deployed
    pipeline.configure(deployed.target, QUICK, "integration")


@pytest.mark.parametrize("scenario", list(scenarios.known()), ids=lambda scenario: scenario.name)
def test_functions_take_the_settings_of_every_scenario(trying: Deployed, scenario: Scenario) -> None:
    """Under the settings of each scenario the functions start, and each fault mode is one that they know."""
    pipeline.configure(trying.target, scenario, RUN_ID)
    status, answer = trying.request("GET", "/health")
    work = _invoke(trying, trying.target.topology.function("processor").name, {"Records": []})

    assert (200, RUN_ID, False) == (status, answer["runId"], "FunctionError" in work)


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
