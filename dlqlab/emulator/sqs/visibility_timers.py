"""Messages return when their visibility timeout or delay is over, not at the next tick of a 1 s clock.

LocalStack's queue worker looks once a second, which makes every retry up to 1 s late. A timer thread returns each
message at its own time; the worker goes on for FIFO queues and as a safety net. Semantics are unchanged: a message is
returned only if it is still in flight (or delayed) and its time is over.
"""

import contextlib
import queue as queues
import time
import weakref

from localstack.services.sqs.models import SqsMessage, SqsQueue, StandardQueue
from localstack.utils.patch import patch as replace

from dlqlab.emulator.core.deadlines import Deadlines


class ReturnTimer:
    """Returns messages to their queues at their time."""

    def __init__(self) -> None:
        self._deadlines = Deadlines(_act, name="dlqlab-visibility", clock=time.time)

    def schedule(self, due_ts: float, queue: StandardQueue, message: SqsMessage) -> None:
        """Look at the message at that time; it may have been deleted or extended until then."""
        # Most are deleted long before: what is to be looked at must not keep them until then.
        self._deadlines.add(due_ts, (queue, weakref.ref(message)))


def _act(item: tuple[StandardQueue, weakref.ref[SqsMessage]]) -> None:
    queue, message = item[0], item[1]()
    if message is not None:
        with contextlib.suppress(queues.ShutDown):  # the queue has been deleted, and its messages with it
            _return(queue, message)


def _return(queue: StandardQueue, message: SqsMessage) -> None:
    with queue.mutex:
        if message in queue.inflight and message.is_visible:
            del queue.inflight[message]
            queue._put_message(message)
        elif message in queue.delayed and time.time() >= message.created + message.delay_seconds:
            queue.delayed.remove(message)
            queue._put_message(message)


def patch() -> None:
    timer = ReturnTimer()

    @replace(SqsQueue.add_inflight_message)
    def add_inflight_message(original, self, message):  # type: ignore[no-untyped-def]
        original(self, message)
        if isinstance(self, StandardQueue):
            timer.schedule(message.visibility_deadline, self, message)

    @replace(SqsQueue.update_visibility_timeout)
    def update_visibility_timeout(original, self, receipt_handle, visibility_timeout):  # type: ignore[no-untyped-def]
        original(self, receipt_handle, visibility_timeout)
        message = self.receipts.get(receipt_handle)
        if isinstance(self, StandardQueue) and message in self.inflight:
            timer.schedule(message.visibility_deadline, self, message)

    @replace(StandardQueue.put)
    def put(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]
        message = original(self, *args, **kwargs)
        if message in self.delayed:
            timer.schedule(message.created + message.delay_seconds, self, message)
        return message
