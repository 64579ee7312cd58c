"""The deployed pipeline over real HTTP, queues and functions."""

import dataclasses
import itertools
import json
import uuid
from datetime import datetime
from typing import Any

import pytest

from dlqlab.contracts.scenario import Pipeline
from dlqlab.deploy import chalice, functions, pipeline, stack, verify
from dlqlab.deploy.probe import Probe
from dlqlab.deploy.target import Target, local_target
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import DeployError
from dlqlab.waiting import wait_for
from taskrules.faults import Fault
from taskrules.retry import RetryPolicy
from tests.integration.conftest import QUICK, Deployed

pytestmark = pytest.mark.integration


def _id() -> str:
    return f"t-{uuid.uuid4().hex}"


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _nested(depth: int) -> bytes:
    return b'{"taskId":"t","payload":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


BAD_REQUESTS: dict[str, tuple[bytes | None, int, list[str]]] = {
    "no body": (None, 400, ["body"]),
    "not JSON": (b"{", 400, ["body"]),
    "a list": (b"[1]", 400, ["body"]),
    "taskId empty": (b'{"taskId": "", "payload": {}}', 400, ["taskId"]),
    "taskId not a string": (b'{"taskId": 3, "payload": {}}', 400, ["taskId"]),
    "taskId of 10,000 characters": (json.dumps({"taskId": "x" * 10_000, "payload": {}}).encode(), 400, ["taskId"]),
    "taskId with control characters": (b'{"taskId": "a\\u0007b", "payload": {}}', 400, ["taskId"]),
    "payload missing": (b'{"taskId": "t"}', 400, ["payload"]),
    "payload a list": (b'{"taskId": "t", "payload": [1]}', 400, ["payload"]),
    "payload of 300 KiB": (json.dumps({"payload": {"x": "y" * 300 * 1024}}).encode(), 413, ["payload"]),
    "payload nested 1,000 deep": (_nested(1000), 400, ["payload"]),
    "payload nested 100,000 deep": (_nested(100_000), 400, ["body"]),
    "two wrong fields": (b'{"taskId": 3, "payload": [1]}', 400, ["taskId", "payload"]),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_bad_request_is_refused_field_by_field(deployed: Deployed, case: str) -> None:
    """Every kind of bad input gets its status and one entry per wrong field, never a 500."""
    body, expected, fields = BAD_REQUESTS[case]
    status, answer = deployed.request("POST", "/tasks", body)

    assert (expected, fields) == (status, [error["field"] for error in answer["errors"]])


def test_wrong_content_type_is_refused(deployed: Deployed) -> None:
    """What is not sent as JSON is answered 415."""
    status, answer = deployed.request("POST", "/tasks", b"<task/>", "text/xml")

    assert (415, ["content-type"]) == (status, [error["field"] for error in answer["errors"]])


def test_unknown_task_is_404(deployed: Deployed) -> None:
    """An id that was never submitted is not found."""
    status, answer = deployed.request("GET", "/tasks/never-submitted")

    assert (404, ["taskId"]) == (status, [error["field"] for error in answer["errors"]])


def test_health_answers(deployed: Deployed) -> None:
    """GET /health is 200."""
    assert 200 == deployed.request("GET", "/health")[0]


def test_missing_task_id_is_generated(deployed: Deployed) -> None:
    """A task without an id is accepted on both paths and runs under the id in the answer."""
    for path, body in (("/tasks", b'{"payload": "SUCCESS"}'), ("/submit-task", b'{"message": "SUCCESS"}')):
        status, answer = deployed.request("POST", path, body)

        assert 202 == status
        assert "COMPLETED" == deployed.wait_terminal([answer["taskId"]])[answer["taskId"]]["status"]


def test_duplicate_is_replayed_or_refused(deployed: Deployed) -> None:
    """The same task again is answered 200 with its status, another payload under its id 409; one effect in all."""
    task_id = _id()
    first = deployed.submit(task_id, {"n": 1, "message": "x"})
    again = deployed.submit(task_id, {"message": "x", "n": 1})
    other = deployed.submit(task_id, {"n": 2})
    deployed.wait_terminal([task_id])

    assert [202, 200, 409] == [first, again, other]
    assert 200 == deployed.submit(task_id, {"n": 1, "message": "x"})


def test_scripted_success_completes_at_once(deployed: Deployed) -> None:
    """Message SUCCESS never fails."""
    task_id = _id()
    deployed.submit(task_id, "SUCCESS")
    task = deployed.wait_terminal([task_id])[task_id]

    assert ("COMPLETED", 1) == (task["status"], task["attemptCount"])


def test_scripted_error_is_dead_lettered_with_everything(deployed: Deployed) -> None:
    """Message ERROR fails 3 times, each retry no earlier than its backoff, and ends in DLQ, archive and log."""
    task_id = _id()
    deployed.submit(task_id, "ERROR")
    task = deployed.wait_terminal([task_id])[task_id]
    attempts = task["attempts"]
    letter = next(letter for letter in deployed.archive() if letter.get("taskId") == task_id)
    pages = deployed.target.client("logs").get_paginator("filter_log_events")
    lines = [
        json.loads(event["message"])
        for page in pages.paginate(logGroupName=f"/aws/lambda/{deployed.target.topology.function('monitor').name}")
        for event in page["events"]
        if task_id in event["message"] and event["message"].startswith("{")
    ]

    assert ("FAILED", 3) == (task["status"], len(attempts))
    assert all(
        _seconds(later["startedAt"]) - _seconds(earlier["endedAt"]) >= 1
        for earlier, later in itertools.pairwise(attempts)
    )
    assert ("retries exhausted", "TransientFault") == (letter["reason"], letter["errorType"])
    assert ["task.dead_lettered"] == [line["event"] for line in lines]
    assert (task_id, "ERROR", "message ERROR always fails") == (
        lines[0]["taskId"],
        lines[0]["payload"],
        lines[0]["errorMessage"],
    )


def test_fates_are_those_of_the_fault_plan(deployed: Deployed) -> None:
    """Each task fails in just the attempts that its seed says."""
    plan, policy = QUICK.faults, QUICK.retry
    task_ids = [_id() for _ in range(40)]
    for task_id in task_ids:
        assert 202 == deployed.submit(task_id, {"n": 1})
    tasks = deployed.wait_terminal(task_ids)

    for task_id, task in tasks.items():
        fails = [plan.decide(task_id, n).fault is Fault.TRANSIENT for n in range(1, policy.max_attempts + 1)]
        expected = fails.index(False) + 1 if False in fails else len(fails)
        assert (expected, "FAILED" if all(fails) else "COMPLETED") == (task["attemptCount"], task["status"])


JUNK = [
    "not json",
    "{}",
    "[]",
    "null",
    '{"taskId": 5, "payload": {}}',
    '{"taskId": "nobody-knows", "payload": {}}',
    " ",
]


def test_junk_is_archived_with_a_reason_and_its_batch_goes_on(deployed: Deployed) -> None:
    """Junk among good tasks ends in the archive with a reason each; the good ones of its batch complete."""
    sqs = deployed.target.client("sqs")
    url = sqs.get_queue_url(QueueName=deployed.target.topology.queue("tasks").name)["QueueUrl"]
    good = [_id() for _ in range(3)]
    before = {letter["archiveId"] for letter in deployed.archive()}
    for task_id in good:
        deployed.submit(task_id)
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": body} for n, body in enumerate(JUNK)])

    def probe() -> tuple[bool, list[dict[str, Any]]]:
        found = [letter for letter in deployed.archive() if letter["archiveId"] not in before]
        return len(found) >= len(JUNK), found

    letters = wait_for("archived junk", probe, deadline_s=60, interval_s=0.3)
    tasks = deployed.wait_terminal(good)

    assert sorted(JUNK) == sorted(letter["body"] for letter in letters)
    assert {"malformed message", "unknown task"} == {letter["reason"] for letter in letters}
    assert all(letter["errorMessage"] for letter in letters)
    assert {"COMPLETED"} == {task["status"] for task in tasks.values()}


def test_deploying_again_changes_nothing(deployed: Deployed) -> None:
    """A second deployment keeps the API and the tasks."""
    task_id = _id()
    deployed.submit(task_id)
    deployed.wait_terminal([task_id])
    before = chalice.deployed(deployed.target)
    url = pipeline.apply(deployed.target, QUICK, progress=lambda _text: None)
    pipeline.configure(deployed.target, QUICK, "integration")

    assert deployed.url == url
    assert before == chalice.deployed(deployed.target)
    assert "COMPLETED" == deployed.task(task_id)["status"]


def test_deploying_again_keeps_what_waits(deployed: Deployed) -> None:
    """A task that waits for its retry, and a message that is delayed, go on after a second deployment, which also
    changes the queue's settings; the deployment's own task leaves nothing behind.
    """
    patient = dataclasses.replace(QUICK, retry=RetryPolicy(max_retries=2, base_s=3, factor=1))
    pipeline.configure(deployed.target, patient, "integration")
    sqs, topology = deployed.target.client("sqs"), deployed.target.topology
    url = sqs.get_queue_url(QueueName=topology.queue("tasks").name)["QueueUrl"]
    task_id, junk = _id(), f"junk {uuid.uuid4().hex}"
    sqs.send_message(QueueUrl=url, MessageBody=junk, DelaySeconds=5)
    deployed.submit(task_id, "ERROR")
    wait_for(
        "a task that waits for its retry",
        lambda: (deployed.task(task_id)["status"] == "RETRYING", deployed.task(task_id)),
        deadline_s=30,
    )
    changed = dataclasses.replace(
        patient, pipeline=Pipeline(visibility_timeout_s=25), retry=RetryPolicy(max_retries=3, base_s=1)
    )
    pipeline.apply(deployed.target, changed, progress=lambda _text: None)
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    task = deployed.wait_terminal([task_id])[task_id]
    letters = wait_for(
        "the delayed message in the archive",
        lambda: (any(letter["body"] == junk for letter in deployed.archive()), deployed.archive()),
        deadline_s=30,
    )
    pipeline.apply(deployed.target, QUICK, progress=lambda _text: None)
    pipeline.configure(deployed.target, QUICK, "integration")

    assert ("25", 4) == (attributes["VisibilityTimeout"], json.loads(attributes["RedrivePolicy"])["maxReceiveCount"])
    assert ("FAILED", 4) == (task["status"], task["attemptCount"])
    assert [] == [letter for letter in letters if "probe-" in letter["body"]]
    assert [] == _probes_left(deployed)


def _processors_mapping(target: Target) -> dict[str, Any]:
    work = target.topology.work
    return functions.mapping_of(target.client("lambda"), work.consumer.name, work.queue.name)


def _probes_left(deployed: Deployed) -> list[str]:
    """Tasks of deployments' proofs that are in the table."""
    pages = (
        deployed.target.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=deployed.target.topology.table("tasks").name)
    )
    ids = [item["taskId"]["S"] for page in pages for item in page["Items"]]
    return [task_id for task_id in ids if task_id.startswith("probe-")]


@pytest.mark.parametrize("looks", [True, False])
def test_mapping_that_deletes_failed_messages_is_found(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, *, looks: bool
) -> None:
    """A mapping that says nothing of ReportBatchItemFailures fails the proof; set right again, it passes. By a look
    into the queue, and where nobody can look, by the message's return.
    """
    if not looks:
        monkeypatch.setattr(Probe, "is_queued", lambda *_: None)
        monkeypatch.setattr(verify, "AGAIN_DEADLINE_S", 4.0)
    mappings = deployed.target.client("lambda")
    uuid_ = _processors_mapping(deployed.target)["UUID"]
    mappings.update_event_source_mapping(UUID=uuid_, FunctionResponseTypes=[])
    try:
        with pytest.raises(DeployError, match="does not honour ReportBatchItemFailures"):
            verify.prove_failed_task_is_kept(deployed.target, deployed.url, "integration", QUICK)
    finally:
        functions.set_mappings(deployed.target, QUICK)

    assert "" == verify.prove_failed_task_is_kept(deployed.target, deployed.url, "integration", QUICK)
    assert [] == _probes_left(deployed)


@pytest.fixture(scope="module")
def by_hand(emulator: Emulator) -> Target:
    """Another stage, deployed by CloudFormation and plain ``chalice deploy`` only."""
    target = local_target(emulator, stage="dev")
    stack.deploy_stack(target, QUICK)
    with chalice.deployer(target) as deploy_functions:
        deploy_functions()
    return target


def test_plain_chalice_deploy_loses_no_failing_task(by_hand: Target) -> None:
    """Without ReportBatchItemFailures the functions delete what succeeded and raise: every task still gets its fate."""
    mapping = _processors_mapping(by_hand)
    variables = functions.run_variables(QUICK, "by-hand", partial=False)
    functions.configure(by_hand, variables, worker_timeout_s=QUICK.pipeline.function_timeout_s)
    plain = Deployed(by_hand, pipeline.url(by_hand))
    task_ids = {_id(): message for message in ["SUCCESS", "ERROR"] * 8}
    for task_id, message in task_ids.items():
        assert 202 == plain.submit(task_id, message)
    tasks = plain.wait_terminal(task_ids, deadline_s=100)

    assert not mapping.get("FunctionResponseTypes")
    assert {task_id: "FAILED" if message == "ERROR" else "COMPLETED" for task_id, message in task_ids.items()} == {
        task_id: task["status"] for task_id, task in tasks.items()
    }


def test_plain_http_is_refused_on_every_stage_but_the_local_one(by_hand: Target, deployed: Deployed) -> None:
    """Both queues of a stage for AWS deny every action without TLS; the emulator itself speaks plain HTTP."""

    def policies(target: Target) -> list[Any]:
        sqs = target.client("sqs")
        urls = [sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in target.topology.queue_names.values()]
        found = [
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {}) for url in urls
        ]
        return [json.loads(one["Policy"])["Statement"] if "Policy" in one else None for one in found]

    denied = [
        [(deny["Effect"], deny["Action"], deny["Condition"]["Bool"]["aws:SecureTransport"]) for deny in statements]
        for statements in policies(by_hand)
    ]

    assert [[("Deny", "sqs:*", "false")]] * 2 == denied
    assert [None, None] == policies(deployed.target)


def test_destroy_leaves_nothing(by_hand: Target) -> None:
    """After destroy the stage has no function, mapping, API, role, queue, table, log group or stack left."""
    pipeline.destroy(by_hand)
    aws = by_hand.client
    left = [
        *(function["FunctionName"] for function in aws("lambda").list_functions()["Functions"]),
        *(mapping["FunctionArn"] for mapping in aws("lambda").list_event_source_mappings()["EventSourceMappings"]),
        *(role["RoleName"] for role in aws("iam").list_roles()["Roles"]),
        *aws("sqs").list_queues().get("QueueUrls", []),
        *aws("dynamodb").list_tables()["TableNames"],
        *(group["logGroupName"] for group in aws("logs").describe_log_groups()["logGroups"]),
        *(
            found["StackName"]
            for found in aws("cloudformation").list_stacks()["StackSummaries"]
            if found["StackStatus"] != "DELETE_COMPLETE"
        ),
    ]

    assert [] == [name for name in left if "dlqlab-dev" in name]
    assert {} == chalice.deployed(by_hand)
