"""A mapping's queue in-process: wait, receive, delete, put back."""

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import batched
from typing import Any

from localstack.aws.api.sqs import MessageSystemAttributeName, QueueDoesNotExist
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller
from localstack.services.sqs.constants import HEADER_LOCALSTACK_SQS_OVERRIDE_MESSAGE_COUNT
from localstack.services.sqs.models import FifoQueue, SqsMessage, SqsQueue, StandardQueue
from localstack.services.sqs.queue import InterruptibleQueue
from localstack.utils.aws.arns import parse_arn

from dlqlab.emulator.core.services import context_of_queue, provider

BATCH_OF_API = 10
_RECEIVE_COUNT = MessageSystemAttributeName.ApproximateReceiveCount
_LOG = logging.getLogger(__name__)

Message = dict[str, Any]
"""A message as ReceiveMessage gives it."""


def find_queue(arn: str) -> StandardQueue | FifoQueue | None:
    """The queue as it is now: one that was deleted and made again is another object."""
    queue = parse_arn(arn)
    return provider("sqs").get_store(queue["account"], queue["region"]).queues.get(queue["resource"])


def receivable(queue: StandardQueue | FifoQueue) -> int:
    """How many messages could be received now: in a FIFO queue not those of groups of which some are in flight."""
    if isinstance(queue, FifoQueue):
        with queue.mutex:
            return sum(group.size() for group in queue.message_groups.values() if group not in queue.inflight_groups)
    return int(queue.approximate_number_of_messages)


def wait_at(queue: StandardQueue | FifoQueue, timeout_s: float, is_unwanted: Callable[[], bool]) -> bool:
    """Wait for a message without taking it; whether there is one.

    ``queue.Queue.put`` wakes one waiter for each message. A waiter that is woken receives, or ends and wakes another.
    """
    waiting = _waiting_of(queue)
    with waiting.not_empty:
        if not waiting._qsize() and not waiting.is_shutdown and not is_unwanted():
            waiting.not_empty.wait(timeout_s)
        return bool(waiting._qsize() or waiting.is_shutdown) and not is_unwanted()


def wake(arn: str, *, everybody: bool) -> None:
    """End the waiting at a queue, of one waiter or of all."""
    queue = find_queue(arn)
    if queue:
        waiting = _waiting_of(queue)
        with waiting.not_empty:
            waiting.not_empty.notify_all() if everybody else waiting.not_empty.notify()


def _waiting_of(queue: StandardQueue | FifoQueue) -> InterruptibleQueue:
    """What fills when messages can be received: messages, or in a FIFO queue the groups that have some."""
    return queue.message_group_queue if isinstance(queue, FifoQueue) else queue.visible


def receive(poller: SqsPoller, count: int) -> list[Message]:
    """Up to ``count`` messages of what is there.

    Raises:
        QueueDoesNotExist: the queue is gone.
    """
    headers = {HEADER_LOCALSTACK_SQS_OVERRIDE_MESSAGE_COUNT: str(count)} if count > BATCH_OF_API else None
    result = provider("sqs").receive_message(
        context_of_queue(poller.source_arn, headers),
        queue_url=poller.queue_url,
        message_system_attribute_names=["All"],
        message_attribute_names=["All"],
        max_number_of_messages=min(count, BATCH_OF_API),
        wait_time_seconds=0,
    )
    return result.get("Messages") or []


def delete(poller: SqsPoller, messages: Sequence[Message]) -> None:
    """Delete messages, as Lambda does when they are done.

    What cannot be deleted comes again when its visibility timeout is over, and must not keep the others.
    """
    context = context_of_queue(poller.source_arn)
    for part in batched(messages, BATCH_OF_API, strict=False):
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(part)
        ]
        try:
            result = provider("sqs").delete_message_batch(context, queue_url=poller.queue_url, entries=entries)
        except QueueDoesNotExist:
            return  # and its messages with it
        except Exception:  # noqa: BLE001  (the function is done: whatever it is, the other messages must be deleted)
            _LOG.exception("cannot delete from %s: messages that are done will come again", poller.source_arn)
            continue
        for failure in result.get("Failed") or []:
            message_id = part[int(failure["Id"])]["MessageId"]
            _LOG.warning(
                "cannot delete message %s of %s, which is done and will come again: %s",
                message_id, poller.source_arn, failure.get("Message"),
            )  # fmt: skip


def put_back(queue_arn: str, messages: Iterable[Message]) -> None:
    """Return messages to the queue as if they had not been received: visible at once, with the receive count of before.

    For those of which no function has seen anything. One that has been received again since stays where it is.
    """
    queue = find_queue(queue_arn)
    if queue is None:
        return
    for message in messages:
        with queue.mutex:
            held = queue.receipts.get(message["ReceiptHandle"])
            if held is not None and held in queue.inflight and _is_of_this_receive(held, message):
                _forget_receive(queue, held, message["ReceiptHandle"])
                _return(queue, held)


def _is_of_this_receive(held: SqsMessage, message: Message) -> bool:
    count = message["Attributes"][_RECEIVE_COUNT]
    return bool(held.message["Attributes"].get(_RECEIVE_COUNT) == count)


def _forget_receive(queue: SqsQueue, held: SqsMessage, receipt_handle: str) -> None:
    del queue.receipts[receipt_handle]
    held.receipt_handles.discard(receipt_handle)
    del queue.inflight[held]
    held.receive_count -= 1
    before = int(held.message["Attributes"][_RECEIVE_COUNT]) - 1
    held.message["Attributes"][_RECEIVE_COUNT] = str(before)
    if not before:
        held.first_received = None


def _return(queue: SqsQueue, held: SqsMessage) -> None:
    if isinstance(queue, FifoQueue):
        # Its group stays hidden as long as others of it are in flight.
        group = queue.get_message_group(held.message_group_id)
        group.push(held)
        queue.update_message_group_visibility(group)
    else:
        queue._put_message(held)
