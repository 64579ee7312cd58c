"""A message that was received three times or more comes back at the end of its standard queue, not at the front.

"Available CloudWatch metrics for Amazon SQS" (developer guide): a message that was received three times or more and not
deleted is moved to the back of the queue. LocalStack keeps visible messages by the time at which they were first
sent, so that one which fails all the time is always next.
"""

import heapq
import time

from localstack.services.sqs.models import SqsMessage
from localstack.services.sqs.queue import InterruptiblePriorityQueue

RECEIVES_FROM = 3


def put(queue: InterruptiblePriorityQueue[SqsMessage], message: SqsMessage) -> None:
    """In the place of ``queue.PriorityQueue._put``; the lock is held."""
    if message.receive_count >= RECEIVES_FROM:
        message.priority = time.time()  # as one that is sent now; it is in no heap meanwhile
    heapq.heappush(queue.queue, message)


def patch() -> None:

    InterruptiblePriorityQueue._put = put
