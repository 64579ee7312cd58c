"""Messages expire when their queue's MessageRetentionPeriod is over, whatever state they are in.

In a standard queue the period counts from when the message was first sent, also in a dead-letter queue; in a FIFO
queue a move to the dead-letter queue starts it anew ("Setting-up dead-letter queue retention in Amazon SQS", developer
guide). LocalStack lets nothing expire, or with its own switch only visible messages, and in a dead-letter queue it
counts from the move. An expired message is not delivered, and it is out of the counts within a second.
"""

import heapq
import time

from localstack import config
from localstack.services.sqs.models import FifoQueue, SqsMessage, SqsQueue, StandardQueue
from localstack.utils.patch import patch as replace

from dlqlab.emulator.sqs.expiries import Expiries


def kept_from_ts(queue: SqsQueue, message: SqsMessage) -> float:
    """When the retention period of a message began, in seconds since the epoch."""
    sent_ms = message.message["Attributes"].get("SentTimestamp")
    if sent_ms is None or isinstance(queue, FifoQueue):
        return float(message.created)
    return int(sent_ms) / 1000


def _expiries(queue: SqsQueue) -> Expiries[SqsMessage]:
    found = queue.__dict__.get("expiries")
    if found is None:
        found = queue.__dict__.setdefault("expiries", Expiries())
    return found  # type: ignore[no-any-return]


def _before_ts(queue: SqsQueue) -> float:
    return time.time() - float(queue.message_retention_period)


def remove_expired(queue: SqsQueue) -> None:
    """Take every expired message out of the queue."""
    if not _expiries(queue).has_expired(_before_ts(queue)):
        return
    with queue.mutex:
        visible = [message for message in _expiries(queue).take_expired(_before_ts(queue)) if _drop(queue, message)]
        if isinstance(queue, FifoQueue):
            _remove_from_groups(queue, visible)
        elif visible:
            with queue.visible.mutex:
                _remove_from_heap(queue.visible.queue, len(visible))


def _drop(queue: SqsQueue, message: SqsMessage) -> bool:
    """Take a message that nobody can see out of its queue; whether it is left to be taken from the visible ones."""
    message.deleted = True
    for handle in message.receipt_handles:
        queue.receipts.pop(handle, None)
    message.receipt_handles.clear()
    if message in queue.delayed:
        queue.delayed.remove(message)
        return False
    if message in queue.inflight:
        del queue.inflight[message]
        if isinstance(queue, FifoQueue):
            queue.update_message_group_visibility(queue.get_message_group(message.message_group_id))
        return False
    return True


def _remove_from_heap(heap: list[SqsMessage], count: int) -> None:
    """The oldest are at the top, where each costs little; for others the whole heap is looked at, once."""
    while count and heap and heap[0].deleted:
        heapq.heappop(heap)
        count -= 1
    if count:
        heap[:] = [message for message in heap if not message.deleted]
        heapq.heapify(heap)


def _remove_from_groups(queue: FifoQueue, messages: list[SqsMessage]) -> None:
    for name in {message.message_group_id for message in messages}:
        group = queue.get_message_group(name)
        _remove_from_heap(group.messages, sum(message.message_group_id == name for message in messages))
        if group.empty() and group not in queue.inflight_groups:
            with queue.message_group_queue.mutex:  # its next message puts it there again: twice would break the order
                waiting = queue.message_group_queue.queue
                if group in waiting:
                    waiting.remove(group)


def patch() -> None:
    for kind in (StandardQueue, FifoQueue):
        _retain(kind)
    config.SQS_ENABLE_MESSAGE_RETENTION_PERIOD = True  # LocalStack's worker calls remove_expired_messages once a second


def _retain(kind: type[SqsQueue]) -> None:
    @replace(kind.put)
    def put(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]
        message = original(self, *args, **kwargs)
        with self.mutex:
            _expiries(self).add(kept_from_ts(self, message), message)
        return message

    @replace(kind.receive)
    def receive(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]
        remove_expired(self)
        return original(self, *args, **kwargs)

    @replace(kind.remove_expired_messages)  # type: ignore[untyped-decorator]
    def remove_expired_messages(_original: object, self: SqsQueue) -> None:
        remove_expired(self)
