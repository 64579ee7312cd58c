"""Dead letters and their redrive as AWS documents them: a redriven message is new, and a move loses nothing.

"Learn how to configure a dead-letter queue redrive in Amazon SQS" (developer guide): StartMessageMoveTask gives each
message a new id and send time, its receive count starts anew, its body and attributes stay; a message that moves from
a FIFO queue to its dead-letter queue gets its own id as deduplication id. CancelMessageMoveTask takes a running task
only. LocalStack keeps id, count and deduplication id, loses a message whose dead-letter queue is gone, or that a move
task takes from a dead-letter queue with a redrive policy of its own.
"""

import functools
import json
import time
from datetime import UTC, datetime

from botocore.utils import InvalidArnException
from localstack.aws.api.sqs import MessageSystemAttributeName as Name
from localstack.aws.api.sqs import QueueDoesNotExist, UnsupportedOperation
from localstack.services.sqs.models import (
    FifoQueue,
    MessageMoveTask,
    MessageMoveTaskStatus,
    SqsMessage,
    SqsQueue,
    StandardQueue,
    sqs_stores,
)
from localstack.services.sqs.provider import MessageMoveTaskManager, SqsProvider
from localstack.services.sqs.utils import decode_move_task_handle, generate_message_id
from localstack.utils.aws.arns import parse_arn
from localstack.utils.patch import patch as replace

from dlqlab.emulator.sqs.errors import error_of
from dlqlab.emulator.sqs.refusals import invalid_parameter, invalid_value

RATE_MAX_PER_S = 500
LISTED_MAX = 10
_HELD_S = 30
"""How long a message that moves is hidden from others; it is shown again at once where it cannot be moved."""
_OF_THE_DELIVERIES = {Name.ApproximateReceiveCount, Name.DeadLetterQueueSourceArn, Name.SequenceNumber}
_NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
_NO_SOURCE = "CouldNotDetermineMessageSource"


class _CannotMoveError(Exception):
    """Why a message stays in its dead-letter queue: the FailureReason of the task."""


def as_new(message: SqsMessage, now: float) -> dict[str, object]:
    """What a redriven message is sent with: its body and attributes, and nothing of its deliveries."""
    attributes = {
        name: value for name, value in message.message["Attributes"].items() if name not in _OF_THE_DELIVERIES
    }
    attributes[Name.SentTimestamp] = str(int(now * 1000))
    return {**message.message, "MessageId": generate_message_id(), "Attributes": attributes}


def patch() -> None:
    _move_dead_letters()
    _run_tasks()
    _check_calls()


def _move_dead_letters() -> None:
    SqsQueue.max_receive_count = property(_max_receive_count)
    for kind in (StandardQueue, FifoQueue):
        _let_go(kind)


def _max_receive_count(queue: SqsQueue) -> int | None:
    """As set, while the dead-letter queue is there: without it a message stays where it is."""
    document = queue.attributes.get("RedrivePolicy")
    if not document:
        return None
    receives, account_id, region, name = _policy(document)
    return receives if name and name in sqs_stores[account_id][region].queues else None


@functools.lru_cache(1024)
def _policy(document: str) -> tuple[int, str, str, str]:
    """Receives, and the dead-letter queue's account, region and name; no name where its ARN is none."""
    policy = json.loads(document)
    try:
        target = parse_arn(policy["deadLetterTargetArn"])
    except InvalidArnException:
        return int(policy["maxReceiveCount"]), "", "", ""
    return int(policy["maxReceiveCount"]), target["account"], target["region"], target["resource"]


def _let_go(kind: type[SqsQueue]) -> None:
    @replace(kind.receive)
    def receive(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]
        result = original(self, *args, **kwargs)
        for message in result.dead_letter_messages:
            _leave(self, message)
        return result


def _leave(queue: SqsQueue, message: SqsMessage) -> None:
    """The message is the dead-letter queue's from now on: receipt handles of its deliveries here mean nothing there."""
    with queue.mutex:
        for handle in message.receipt_handles:
            queue.receipts.pop(handle, None)
        message.receipt_handles.clear()
    if isinstance(queue, FifoQueue):
        message.message["Attributes"][Name.MessageDeduplicationId] = message.message_id


def _run_tasks() -> None:

    @replace(MessageMoveTaskManager._run)  # type: ignore[untyped-decorator]
    def run(_original: object, self: MessageMoveTaskManager, task: MessageMoveTask) -> None:
        try:
            _move_all(task)
        except _CannotMoveError as reason:
            task.status, task.failure_reason = MessageMoveTaskStatus.FAILED, str(reason)
        except QueueDoesNotExist:
            task.status, task.failure_reason = MessageMoveTaskStatus.FAILED, _NO_QUEUE
        except Exception as error:  # noqa: BLE001  (a task must not look as if it were running)
            self._fail_task(task, error)
        else:
            is_cancelled = task.cancel_event.is_set()
            task.status = MessageMoveTaskStatus.CANCELLED if is_cancelled else MessageMoveTaskStatus.COMPLETED

    @replace(MessageMoveTask.mark_started)  # type: ignore[untyped-decorator]
    def mark_started(_original: object, self: MessageMoveTask) -> None:
        self.started_timestamp = datetime.now(UTC)  # LocalStack's has no zone and is read as local time
        self.status = MessageMoveTaskStatus.RUNNING
        self.cancel_event.clear()


def _check_calls() -> None:

    @replace(SqsProvider.start_message_move_task)
    def start(  # type: ignore[no-untyped-def]
        original,
        self,
        context,
        source_arn,
        destination_arn=None,
        max_number_of_messages_per_second=None,
        **kwargs,
    ):
        _check_start(source_arn, destination_arn, max_number_of_messages_per_second)
        return original(self, context, source_arn, destination_arn, max_number_of_messages_per_second, **kwargs)

    @replace(SqsProvider.list_message_move_tasks)
    def list_tasks(original, self, context, source_arn, max_results=None, **kwargs):  # type: ignore[no-untyped-def]
        if max_results is not None and not 1 <= max_results <= LISTED_MAX:
            raise error_of(
                invalid_value(max_results, "MaxResults", f"Must be between 1 and {LISTED_MAX}, if provided.")
            )
        return original(self, context, source_arn, max_results, **kwargs)

    @replace(SqsProvider.cancel_message_move_task)
    def cancel(original, self, context, task_handle, **kwargs):  # type: ignore[no-untyped-def]
        task = _task_of(self.get_store(context.account_id, context.region).move_tasks, task_handle)
        if task is not None and task.status != MessageMoveTaskStatus.RUNNING:
            raise UnsupportedOperation("A message movement task can only be cancelled when its status is RUNNING.")
        return original(self, context, task_handle, **kwargs)


def _task_of(tasks: dict[str, MessageMoveTask], handle: str) -> MessageMoveTask | None:
    try:
        return tasks.get(decode_move_task_handle(handle)[0])
    except ValueError:
        return None  # which the service refuses in its own words


def _check_start(source_arn: str, destination_arn: str | None, rate_per_s: int | None) -> None:
    """Raises:
    ServiceException: the rate is out of range, or the queues are of two kinds.
    """
    if rate_per_s is not None and not 1 <= rate_per_s <= RATE_MAX_PER_S:
        reason = f"Must be between 1 and {RATE_MAX_PER_S}, if provided."
        raise error_of(invalid_value(rate_per_s, "MaxNumberOfMessagesPerSecond", reason))
    if destination_arn and source_arn.endswith(".fifo") != destination_arn.endswith(".fifo"):
        raise error_of(invalid_parameter("Source queue and destination queue must be of the same type."))


def _move_all(task: MessageMoveTask) -> None:
    """Move until the dead-letter queue is empty or the task is cancelled."""
    while not task.cancel_event.is_set():
        source = _queue(task.source_arn)
        received = source.receive(num_messages=1, visibility_timeout=_HELD_S)
        if received.successful:
            message, handle = received.successful[0], received.receipt_handles[0]
        elif received.dead_letter_messages:
            message, handle = received.dead_letter_messages[0], None  # its own redrive policy is not for a redrive
        else:
            return
        for other in received.dead_letter_messages:
            if other is not message:
                _give_back(source, other, None)
        try:
            _move(task, message)
        except BaseException:
            _give_back(source, message, handle)
            raise
        if handle is not None:
            source.remove(handle)
        task.approximate_number_of_messages_moved += 1
        if rate_per_s := task.max_number_of_messages_per_second:
            task.cancel_event.wait(timeout=1 / rate_per_s)


def _move(task: MessageMoveTask, message: SqsMessage) -> None:
    target_arn = task.destination_arn or message.dead_letter_queue_source_arn
    if not target_arn:
        raise _CannotMoveError(_NO_SOURCE)
    _queue(target_arn).put(
        message=as_new(message, time.time()),
        message_group_id=message.message_group_id,
        message_deduplication_id=message.message_deduplication_id,
    )


def _give_back(queue: SqsQueue, message: SqsMessage, handle: str | None) -> None:
    """Show a message again that was not moved, as if nobody had received it."""
    with queue.mutex:
        message.receive_count -= 1
        if handle is None:
            queue._put_message(message)
            return
        count = int(message.message["Attributes"][Name.ApproximateReceiveCount])
        message.message["Attributes"][Name.ApproximateReceiveCount] = str(count - 1)
        queue.update_visibility_timeout(handle, 0)


def _queue(arn: str) -> SqsQueue:
    parts = parse_arn(arn)
    return SqsProvider._require_queue(parts["account"], parts["region"], parts["resource"])
