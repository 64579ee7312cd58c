"""A message that was received three times or more comes back at the end of its standard queue, not at the front.

"Available CloudWatch metrics for Amazon SQS" (developer guide): a message that was received three times or more and not
deleted is moved to the back of the queue. LocalStack keeps visible messages by the time at which they were first
sent, so that one which fails all the time is always next.
"""

import heapq
import time

from localstack.services.sqs.models import SqsMessage, StandardQueue
from localstack.services.sqs.queue import InterruptiblePriorityQueue

from dlqlab.emulator.patches import expect

NAME = "redelivery_order"
RECEIVES_FROM = 3


def put(queue: InterruptiblePriorityQueue[SqsMessage], message: SqsMessage) -> None:
    """In the place of ``queue.PriorityQueue._put``; the lock is held."""
    if message.receive_count >= RECEIVES_FROM:
        message.priority = time.time()  # as one that is sent now; it is in no heap meanwhile
    heapq.heappush(queue.queue, message)


def patch() -> None:
    expect(NAME, SqsMessage.__init__, "a345f1d24d28")
    expect(NAME, SqsMessage.__lt__, "dd5c8faa972f")
    expect(NAME, StandardQueue.__init__, "3bedf73448eb")
    expect(NAME, StandardQueue._put_message, "34e6bf0bad88")  # noqa: SLF001

    InterruptiblePriorityQueue._put = put  # noqa: SLF001  (its own: what it inherits is that of every PriorityQueue)
