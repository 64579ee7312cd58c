"""Dead letters, and what brings them back."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from localstack.aws.api import ServiceException
from localstack.services.sqs.models import MessageMoveTask, SqsQueue

from dlqlab.emulator.core.services import sqs_context
from tests.unit.emulator.sqs.conftest import Clock, Queues, bodies, message

ATTRIBUTES = {"kind": {"DataType": "String", "StringValue": "x"}}


@pytest.fixture(autouse=True)
def _redrive(apply: Callable[[str], None], clock: Clock) -> None:  # noqa: ARG001  (the queues' clock)
    apply("redrive")


def _policy(dead: SqsQueue, receives: int) -> str:
    return json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": receives})


def _move(source: SqsQueue, *, to: SqsQueue | None = None) -> MessageMoveTask:
    """A move task from its start to its end."""
    from localstack.services.sqs.provider import MessageMoveTaskManager  # noqa: PLC0415  (as it is patched)

    task = MessageMoveTask(source.arn, to.arn if to else None)
    task.mark_started()
    task.approximate_number_of_messages_moved = 0
    manager = MessageMoveTaskManager()
    manager._run(task)
    manager.close()
    return task


def _receive(queues: Queues, queue: SqsQueue, **options: Any) -> list[dict[str, Any]]:
    """By the service, which moves what was received too often."""
    context = sqs_context("111111111111", "eu-north-1")
    names = {"message_system_attribute_names": ["All"], "message_attribute_names": ["All"]}
    return queues.service.receive_message(context, queue_url=queue.name, **names, **options).get("Messages") or []


def _dead_letter(queues: Queues, suffix: str = "") -> tuple[Any, Any, dict[str, Any]]:
    """A queue, its dead-letter queue, and the message in it as it was sent."""
    dead = queues.make(f"dead{suffix}")
    queue = queues.make(f"q{suffix}", RedrivePolicy=_policy(dead, 1))
    sent = message("m", sent_ts=1_600_000_000) | {"MessageAttributes": ATTRIBUTES}
    queue.put(sent, message_group_id="g" if suffix else None, message_deduplication_id="d" if suffix else None)
    for _ in range(2):
        _receive(queues, queue, visibility_timeout=0)
    assert (0, 1) == (queue.approximate_number_of_messages, dead.approximate_number_of_messages)
    return queue, dead, sent


def test_redriven_message_is_new(queues: Queues, clock: Clock) -> None:
    """New id and send time, first receive, no trace of the dead-letter queue; body and attributes as they were."""
    queue, dead, sent = _dead_letter(queues)
    task = _move(dead)
    (back,) = _receive(queues, queue)

    assert ("COMPLETED", 1) == (task.status, task.approximate_number_of_messages_moved)
    assert ("m", ATTRIBUTES) == (back["Body"], back["MessageAttributes"])
    assert sent["MessageId"] != back["MessageId"]
    assert "1" == back["Attributes"]["ApproximateReceiveCount"]
    assert clock.now * 1000 - 60_000 <= int(back["Attributes"]["SentTimestamp"])
    assert "DeadLetterQueueSourceArn" not in back["Attributes"]
    assert 0 == dead.approximate_number_of_messages + dead.approximate_number_of_messages_not_visible


def test_dead_letter_keeps_its_id_and_its_send_time(queues: Queues) -> None:
    """A move by the redrive policy is not a new message."""
    queue, dead, sent = _dead_letter(queues)
    (letter,) = _receive(queues, dead)

    assert sent["MessageId"] == letter["MessageId"]
    assert ("1600000000000", queue.arn) == (
        letter["Attributes"]["SentTimestamp"],
        letter["Attributes"]["DeadLetterQueueSourceArn"],
    )


def test_fifo_dead_letter_has_its_own_id_as_deduplication_id(queues: Queues) -> None:
    """Two messages that shared a deduplication id are both kept in the dead-letter queue; the group stays."""
    _, dead, sent = _dead_letter(queues, ".fifo")
    (letter,) = _receive(queues, dead)
    attributes = letter["Attributes"]

    assert (sent["MessageId"], "g") == (attributes["MessageDeduplicationId"], attributes["MessageGroupId"])


def test_fifo_dead_letter_comes_back_within_the_deduplication_interval(queues: Queues) -> None:
    """The source queue remembers the deduplication id of the first sending; the redriven message is not a duplicate."""
    queue, dead, _ = _dead_letter(queues, ".fifo")
    _move(dead)

    assert ["m"] == [one["Body"] for one in _receive(queues, queue)]


def test_message_stays_where_its_dead_letter_queue_is_gone(queues: Queues) -> None:
    """It is delivered as often as it comes, and lost by no move."""
    dead = queues.make("dead")
    queue = queues.make("q", RedrivePolicy=_policy(dead, 1))
    queue.put(message("m"))
    queues.remove(dead)

    assert [["m"]] * 3 == [[one["Body"] for one in _receive(queues, queue, visibility_timeout=0)] for _ in range(3)]


def test_policy_of_a_dead_letter_queue_does_not_stop_a_redrive(queues: Queues) -> None:
    """A letter that its own queue would move on is redriven all the same."""
    last = queues.make("last")
    dead = queues.make("dead", RedrivePolicy=_policy(last, 1))
    target = queues.make("target")
    for body in ("a", "b"):
        dead.put(message(body))
    dead.receive(1, visibility_timeout=0)
    task = _move(dead, to=target)

    assert ("COMPLETED", 2) == (task.status, task.approximate_number_of_messages_moved)
    assert ["a", "b"] == sorted(bodies(target.receive(10)))
    assert 0 == last.approximate_number_of_messages


@pytest.mark.parametrize(
    ("is_source_known", "reason"),
    [(True, "AWS.SimpleQueueService.NonExistentQueue"), (False, "CouldNotDetermineMessageSource")],
)
def test_message_that_cannot_be_moved_stays(queues: Queues, is_source_known: bool, reason: str) -> None:
    """The task fails with its reason, and the message is visible in its queue as if nobody had touched it."""
    if is_source_known:
        queue, dead, _ = _dead_letter(queues)
        queues.remove(queue)
    else:
        dead = queues.make("dead")
        dead.put(message("direct"))
    before = dead.visible.queue[0].message["Attributes"]["ApproximateReceiveCount"]
    task = _move(dead)
    (letter,) = _receive(queues, dead)

    assert ("FAILED", reason) == (task.status, task.failure_reason)
    assert int(before) + 1 == int(letter["Attributes"]["ApproximateReceiveCount"])


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED", "FAILED", "CANCELLING"])
def test_task_that_does_not_run_cannot_be_cancelled(queues: Queues, status: str) -> None:
    """An ended task stays what it is."""
    context = sqs_context("111111111111", "eu-north-1")
    dead = queues.make("dead")
    task = MessageMoveTask(dead.arn, dead.arn)
    task.status = status
    queues.service.get_store("111111111111", "eu-north-1").move_tasks[task.task_id] = task
    with pytest.raises(ServiceException, match="RUNNING"):
        queues.service.cancel_message_move_task(context, task.task_handle)

    assert status == task.status


@pytest.mark.parametrize(("rate", "destination"), [(0, "dead"), (501, "dead"), (None, "dead.fifo")])
def test_task_is_refused(queues: Queues, rate: int | None, destination: str) -> None:
    """A rate outside of 1 to 500 a second, and a destination of the other type."""
    _, dead, _ = _dead_letter(queues)
    target = dead.arn.rpartition(":")[0] + f":{destination}"
    with pytest.raises(ServiceException) as raised:
        queues.service.start_message_move_task(
            sqs_context("111111111111", "eu-north-1"),
            source_arn=dead.arn,
            destination_arn=target,
            max_number_of_messages_per_second=rate,
        )

    assert "InvalidParameterValueException" == raised.value.code
