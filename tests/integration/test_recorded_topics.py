"""What the emulator records of messages that go over SNS: who published, what was delivered, and what could not be."""

import json
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dlqlab.contracts.recorded import Kind
from dlqlab.contracts.recording import Recording
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.emulator.recorder.reader import read
from dlqlab.run.recordings import recorder_state
from dlqlab.waiting import wait_for
from tests.integration.conftest import FunctionFactory, queue_arn

pytestmark = pytest.mark.integration

Rows = list[dict[str, Any]]

PUBLISHER = """
    import json, boto3

    sns = boto3.client("sns")

    def handler(event, context):
        for record in event["Records"]:
            body = json.loads(record["body"])
            sns.publish(TopicArn=body["topic"], Message=json.dumps({"orderId": body["orderId"]}))
"""
SILENT = "def handler(event, context): pass"


@pytest.fixture
def topic(aws: Callable[[str], Any], cleanups: ExitStack) -> str:
    """ARN of a topic of the test's own."""
    arn: str = aws("sns").create_topic(Name=f"topic-{uuid.uuid4().hex[:8]}")["TopicArn"]
    cleanups.callback(aws("sns").delete_topic, TopicArn=arn)
    return arn


def subscribe(aws: Callable[[str], Any], topic: str, protocol: str, endpoint: str, **attributes: str) -> str:
    arn: str = aws("sns").subscribe(
        TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes, ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    return arn


def sent_to(emulator: Emulator, *arns: str) -> dict[str, Rows]:
    """What entered each of these queues."""
    rows = read_now(emulator).messages.to_pylist()
    return {arn: [row for row in rows if row["queue"] == arn and row["kind"] == Kind.SENT] for arn in arns}


def read_now(emulator: Emulator) -> Recording:
    return read(recording_folder(emulator), task_key="orderId")


def recording_folder(emulator: Emulator) -> Path:
    """With all that has happened up to now."""
    return Path(recorder_state(emulator.port)["folder"])


def test_fan_out_of_an_invocation_is_followed_to_every_queue(
    emulator: Emulator,
    aws: Callable[[str], Any],
    topic: str,
    make_queue: Callable[..., str],
    make_function: FunctionFactory,
    cleanups: ExitStack,
) -> None:
    """Raw and in SNS's envelope: the topic sent it, the invocation published it, its message and task are known."""
    source, raw, wrapped = make_queue(), make_queue(), make_queue()
    source_arn, raw_arn, wrapped_arn = (queue_arn(aws, url) for url in (source, raw, wrapped))
    subscribe(aws, topic, "sqs", raw_arn, RawMessageDelivery="true")
    subscribe(aws, topic, "sqs", wrapped_arn)
    function = make_function(PUBLISHER)
    orders = [f"o-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    ids = {
        order: aws("sqs").send_message(QueueUrl=source, MessageBody=json.dumps({"topic": topic, "orderId": order}))
        for order in orders
    }
    mapping = aws("lambda").create_event_source_mapping(
        EventSourceArn=source_arn, FunctionName=function.name, BatchSize=10
    )
    cleanups.callback(aws("lambda").delete_event_source_mapping, UUID=mapping["UUID"])

    def probe() -> tuple[bool, dict[str, Rows]]:
        found = sent_to(emulator, raw_arn, wrapped_arn)
        return all(len(rows) == len(orders) for rows in found.values()), found

    found = wait_for("copies of both orders in both queues", probe, deadline_s=60, interval_s=0.3)
    invocations = [one for one in read_now(emulator).invocations.to_pylist() if one["function"] == function.name]
    for rows in found.values():
        assert {("service", f"sns {topic}")} == {(row["actor_kind"], row["actor"]) for row in rows}
        assert {row["request_id"] for row in rows} <= {one["request_id"] for one in invocations}
        assert {order: [ids[order]["MessageId"]] for order in orders} == {
            row["task_key"]: row["parent_ids"] for row in rows
        }
    without_key = read(recording_folder(emulator)).messages.to_pylist()
    assert {row["task_key"] for row in without_key if row["queue"] == source_arn} == {
        one["MessageId"] for one in ids.values()
    }


def test_copies_of_a_clients_publish_are_one_task(
    emulator: Emulator, aws: Callable[[str], Any], topic: str, make_queue: Callable[..., str]
) -> None:
    """By the request and the content, where no key is declared."""
    arns = [queue_arn(aws, make_queue()) for _ in range(2)]
    subscribe(aws, topic, "sqs", arns[0], RawMessageDelivery="true")
    subscribe(aws, topic, "sqs", arns[1])
    text = uuid.uuid4().hex
    aws("sns").publish(TopicArn=topic, Message=text)

    def probe() -> tuple[bool, Rows]:
        rows = read(recording_folder(emulator)).messages.to_pylist()
        sent = [row for row in rows if row["queue"] in arns]
        return len(sent) == len(arns), sent

    sent = wait_for("a copy in each queue", probe, deadline_s=30, interval_s=0.3)
    calls = [one for one in read_now(emulator).calls.to_pylist() if one["resource"] == topic]
    (publish,) = (one for one in calls if one["operation"] == "Publish")
    assert [publish["request_id"]] * 2 == [row["request_id"] for row in sent]
    assert len({row["body_sha256"] for row in sent}) == 2
    assert {row["task_key"] for row in sent} == {sent[0]["message_id"]}


def test_undeliverable_message_is_in_the_subscriptions_dead_letter_queue(
    emulator: Emulator, aws: Callable[[str], Any], topic: str, make_queue: Callable[..., str]
) -> None:
    """The topic sent it there, for the request that published it."""
    dead = queue_arn(aws, make_queue())
    missing = dead.rpartition(":")[0] + f":missing-{uuid.uuid4().hex[:8]}"
    subscribe(aws, topic, "sqs", missing, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead}))
    aws("sns").publish(TopicArn=topic, Message="lost")

    def probe() -> tuple[bool, Rows]:
        rows = sent_to(emulator, dead)[dead]
        return bool(rows), rows

    (row,) = wait_for("the dead letter", probe, deadline_s=30, interval_s=0.3)
    calls = [one for one in read_now(emulator).calls.to_pylist() if one["resource"] == topic]
    assert ("service", f"sns {topic}") == (row["actor_kind"], row["actor"])
    assert [row["request_id"]] == [one["request_id"] for one in calls if one["operation"] == "Publish"]


def test_function_that_subscribes_is_invoked_by_the_topic(
    emulator: Emulator, aws: Callable[[str], Any], topic: str, make_function: FunctionFactory
) -> None:
    function = make_function(SILENT)
    arn = aws("lambda").get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
    subscribe(aws, topic, "lambda", arn)
    aws("sns").publish(TopicArn=topic, Message="hello")

    def probe() -> tuple[bool, Rows]:
        rows = [one for one in read_now(emulator).invocations.to_pylist() if one["function"] == function.name]
        return bool(rows) and rows[0]["outcome"] is not None, rows

    (row,) = wait_for("the invocation", probe, deadline_s=60, interval_s=0.3)
    (publish,) = (
        one
        for one in read_now(emulator).calls.to_pylist()
        if one["resource"] == topic and one["operation"] == "Publish"
    )
    assert ("sns", topic, publish["request_id"], "ok") == tuple(
        row[name] for name in ("source", "source_arn", "client_request_id", "outcome")
    )
