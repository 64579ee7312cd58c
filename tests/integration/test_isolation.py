"""Every part that only observes is broken on purpose: no message and no invocation fares otherwise."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dlqlab.contracts.names import log_group
from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle
from dlqlab.waiting import wait_for
from tests.integration.conftest import ROLE, bundle, checkout, make_client

pytestmark = pytest.mark.integration
LIMIT_S = 20.0
"""What a machine under load may take for three messages; parts that hang do so until they are told to end."""
FAULTS = [
    ("spill-file", "raise"),
    ("spill-file", "hang"),
    ("embedded", "raise"),
    ("embedded", "hang"),
    ("metric-filter", "raise"),
    ("metric-filter", "hang"),
    ("forward", "raise"),
    ("deliver", "raise"),
    ("deliver", "hang"),
    ("sums", "raise"),
    ("database", "raise"),
    ("database", "hang"),
    ("queue-metric", "raise"),
    ("receive-metric", "raise"),
    ("delete-metric", "raise"),
    ("labels", "raise"),
    ("counter", "raise"),
    ("timer", "raise"),
    ("timer-end", "raise"),
]
SOURCE = """
    import boto3, json

    table = boto3.client("dynamodb")

    def handler(event, context):
        print(json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": []}, "BOOM": 1}))
        for record in event["Records"]:
            table.update_item(TableName="done", Key={"k": {"S": record["body"]}}, UpdateExpression="ADD n :one",
                              ExpressionAttributeValues={":one": {"N": "1"}})
    """


@dataclass(frozen=True)
class Pipeline:
    """A queue whose every failure is a dead letter, a function, and a folder of faults."""

    client: Callable[[str], Any]
    faults: Path
    function: str
    queue: str
    dead: str
    log: Path

    def send(self) -> list[str]:
        """Three messages; their bodies."""
        bodies = [uuid.uuid4().hex for _ in range(3)]
        for body in bodies:
            self.client("sqs").send_message(QueueUrl=self.queue, MessageBody=body)
        return bodies

    def runs(self, bodies: list[str]) -> list[str]:
        """How often each was handled, in any order."""
        keys = [{"k": {"S": body}} for body in bodies]
        items = self.client("dynamodb").batch_get_item(RequestItems={"done": {"Keys": keys}})["Responses"]["done"]
        return [item["n"]["N"] for item in items]

    def left(self) -> dict[str, int]:
        """Messages in the queue, visible or not, and dead letters."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        ask = self.client("sqs").get_queue_attributes
        return {
            name: sum(int(count) for count in ask(QueueUrl=url, AttributeNames=names)["Attributes"].values())
            for name, url in (("queue", self.queue), ("dead", self.dead))
        }


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """On an emulator of its own, which has the faults; its log group has filters of both kinds."""
    faults = tmp_path_factory.mktemp("faults")
    extra = {"PYTHONPATH": str(checkout() / "tests" / "support" / "faults"), "TEST_FAULTS": str(faults)}
    root = tmp_path_factory.mktemp("state")
    running = lifecycle.start(ANY_PORT, bound=True, root=root, extra=extra)
    try:
        yield _deploy(lambda service: make_client(running, service), faults, running.log_path)
    finally:
        lifecycle.stop(running)


def _deploy(client: Callable[[str], Any], faults: Path, log: Path) -> Pipeline:
    client("dynamodb").create_table(
        TableName="done",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    arns = {}
    for name, source in (("work", SOURCE), ("sink", "def handler(event, context): pass")):
        arns[name] = client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=ROLE,
            Handler="app.handler",
            Timeout=30,
            Code={"ZipFile": bundle({"app.py": source})},
        )["FunctionArn"]
    _filters(client, log_group("work"), arns["sink"])
    dead = client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    ask = client("sqs").get_queue_attributes
    dead_arn = ask(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    queue = client("sqs").create_queue(
        QueueName="tasks", Attributes={"VisibilityTimeout": "30", "RedrivePolicy": redrive}
    )["QueueUrl"]
    queue_arn = ask(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("lambda").create_event_source_mapping(EventSourceArn=queue_arn, FunctionName="work", BatchSize=1)
    return Pipeline(client, faults, "work", queue, dead, log)


def _filters(client: Callable[[str], Any], group: str, sink_arn: str) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName=group)
    client("lambda").add_permission(
        FunctionName="sink", StatementId="s", Action="lambda:InvokeFunction", Principal="logs.amazonaws.com"
    )
    logs.put_subscription_filter(logGroupName=group, filterName="f", filterPattern="", destinationArn=sink_arn)
    transformation = {"metricName": "n", "metricNamespace": "s", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName=group, filterName="f", filterPattern="BOOM", metricTransformations=[transformation]
    )


@pytest.mark.parametrize(("fault", "mode"), FAULTS)
def test_a_broken_observer_changes_nothing_for_messages(pipeline: Pipeline, fault: str, mode: str) -> None:
    """Each is handled once and deleted, none is a dead letter, an invocation answers; and the fault has struck."""
    switch, struck = pipeline.faults / fault, pipeline.faults / f"{fault}.struck"
    struck.unlink(missing_ok=True)
    switch.write_text(mode)
    try:
        began = time.monotonic()
        bodies = pipeline.send()
        payload = json.dumps({"Records": []})
        answer = pipeline.client("lambda").invoke(FunctionName=pipeline.function, Payload=payload)
        runs = wait_for(
            "the messages",
            lambda: (len(pipeline.runs(bodies)) == 3 and not pipeline.left()["queue"], pipeline.runs(bodies)),
            deadline_s=LIMIT_S,
            interval_s=0.05,
        )
        took_s = time.monotonic() - began
        wait_for("the fault", lambda: (struck.exists(), fault), deadline_s=LIMIT_S, interval_s=0.05)
    finally:
        switch.unlink()

    assert ["1", "1", "1"] == runs
    assert "FunctionError" not in answer
    assert {"queue": 0, "dead": 0} == pipeline.left()
    assert took_s < LIMIT_S


def test_a_log_group_that_cannot_be_made_fails_no_invocation(pipeline: Pipeline) -> None:
    """Nor do the lines of the next invocation miss, when it can be made."""
    client, name = pipeline.client, f"f-{uuid.uuid4().hex[:8]}"
    client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": bundle({"app.py": "def handler(event, context):\n    print(event)\n    return 7"})},
    )
    switch = pipeline.faults / "group"
    switch.write_text("raise")
    answer = client("lambda").invoke(FunctionName=name, Payload='"lost"')
    switch.unlink()
    client("lambda").invoke(FunctionName=name, Payload='"kept"')
    lines = [event["message"] for event in client("logs").filter_log_events(logGroupName=log_group(name))["events"]]

    assert (b"7", None) == (answer["Payload"].read(), answer.get("FunctionError"))
    assert "kept" in lines


def test_what_was_lost_is_said_once(pipeline: Pipeline) -> None:
    """The emulator's log names the part, and is no flood."""
    switch = pipeline.faults / "embedded"
    switch.write_text("raise")
    for _ in range(5):
        pipeline.client("lambda").invoke(FunctionName=pipeline.function, Payload=json.dumps({"Records": []}))
    lines = pipeline.client("logs").filter_log_events(logGroupName=log_group(pipeline.function))["events"]
    switch.unlink()
    text = pipeline.log.read_text()

    assert len([line for line in lines if "BOOM" in line["message"]]) >= 5
    assert 1 == text.count("metrics embedded in log lines: RuntimeError: embedded is broken on purpose")
