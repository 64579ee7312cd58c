"""Each message keeps the trace of its own task, however often it is sent anew and whatever shares its batch."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from chalicelib.queues import SqsQueue
from moto import mock_aws

from tests.events.factories import sqs_event, sqs_record
from tests.functional.app.world import World

TRACES = {"a": "1-67e55044-10000000000000000000000a", "b": "1-67e55044-10000000000000000000000b"}
BREAKER = {"BREAKER_TABLE": "breakers", "BREAKER": json.dumps({"min_calls": 1, "cool_down_s": 60})}


def header(task_id: str) -> str:
    """The X-Ray header of a task's message."""
    return f"Root={TRACES[task_id]};Parent=53995c3f42cd8ad8;Sampled=1"


def record(task_id: str, message_id: str | None = None) -> dict[str, Any]:
    """A delivery of a task with its own trace."""
    body = json.dumps({"taskId": task_id, "payload": "x", "generation": 1})
    return sqs_record(body, trace_header=header(task_id), message_id=message_id)


def test_buried_messages_keep_their_traces() -> None:
    """Two messages of one batch that no attempt can help are dead letters of two traces, also in the monitor's log."""
    world = World()
    world.process_event(sqs_event(record("a"), record("b")))
    buried = [message.trace_header for message in world.dead_letters.messages]
    world.watch()

    assert [header("a"), header("b")] == buried
    assert list(TRACES.values()) == [event["traceId"] for event in world.events("task.dead_lettered")]


def test_messages_put_off_keep_their_traces() -> None:
    """While the breaker is open each message is sent anew with the header that it came with."""
    world = World(env=BREAKER, faults={"outage_duration_s": 1e9})
    world.submit({"taskId": "opens", "payload": {}})
    world.process()
    before = list(world.tasks.messages)
    world.process_event(sqs_event(record("a"), record("b")))
    sent = [message.trace_header for message in world.tasks.messages if message not in before]

    assert [header("a"), header("b")] == sent


def test_messages_of_a_sweep_have_their_tasks_traces() -> None:
    """What the sweeper enqueues belongs to the trace of the submission, not to that of the sweep."""
    world = World(faults={"mode": "none", "api_crash_rate": 1.0})
    world.submit_and_die({"taskId": "t", "payload": {}})
    world.store.tasks["t"] = dataclasses.replace(world.task("t"), trace_id=TRACES["a"])
    world.clock.pass_s(60)
    world.sweep()

    assert [f"Root={TRACES['a']}"] == [message.trace_header for message in world.tasks.messages]


@pytest.fixture
def sqs() -> Iterator[Any]:
    """An SQS in this process with a queue q."""
    with mock_aws():
        session = botocore.session.get_session()
        session.set_credentials("test", "test")
        client: Any = session.create_client("sqs", region_name="us-east-1")
        client.create_queue(QueueName="q")
        yield client


@pytest.mark.parametrize("trace_header", [None, header("a")])
def test_header_is_the_messages_system_attribute(sqs: Any, trace_header: str | None) -> None:
    """SQS hands the header on to whoever receives the message; without one there is none."""
    SqsQueue(sqs, "q").send("body", trace_header=trace_header)
    (message,) = sqs.receive_message(
        QueueUrl=sqs.get_queue_url(QueueName="q")["QueueUrl"], MessageSystemAttributeNames=["AWSTraceHeader"]
    )["Messages"]

    assert trace_header == message.get("Attributes", {}).get("AWSTraceHeader")
