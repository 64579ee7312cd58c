"""A message of a FIFO queue comes back when its visibility timeout is over, whatever other groups have in flight.

"FIFO queue delivery logic in Amazon SQS" (developer guide): a message in flight holds back those of its own message
group. LocalStack holds back whatever was received later in the whole queue, so that a slow group makes the retries of
all others late.
"""

from localstack.services.sqs.models import FifoQueue
from localstack.utils.patch import patch as replace


def return_visible(queue: FifoQueue) -> None:
    """Return what is due of each group, up to its first message that is still hidden."""
    with queue.mutex:
        held: set[str | None] = set()
        for message in list(queue.inflight):
            if not message.is_visible:
                held.add(message.message_group_id)
            elif message.message_group_id not in held:
                del queue.inflight[message]
                queue._put_message(message)


def patch() -> None:

    @replace(FifoQueue.requeue_inflight_messages)
    def requeue_inflight_messages(_original, self):  # type: ignore[no-untyped-def]
        return_visible(self)
