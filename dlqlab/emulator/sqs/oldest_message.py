"""SQS reports ApproximateAgeOfOldestMessage, which LocalStack leaves out, together with its other gauges.

As on AWS a message that was received three times or more and never deleted does not count, because it goes to the back
of the queue ("Available CloudWatch metrics for Amazon SQS", developer guide), and in a dead-letter queue the age counts
from the move. Standard queues only.
"""

import time
from collections.abc import Iterable

from localstack.services.sqs.models import SqsMessage, StandardQueue, sqs_stores
from localstack.services.sqs.provider import CloudwatchPublishWorker
from localstack.utils.patch import patch as replace

from dlqlab.emulator.core.isolation import isolated
from dlqlab.emulator.metrics.sums import Metric, shared

METRIC = "ApproximateAgeOfOldestMessage"
RECEIVES_MAX = 3
_GUARD = isolated("gauges of queues")


def age_of_oldest_s(messages: Iterable[SqsMessage], now: float) -> float:
    """Seconds since the oldest of the messages that count came to the queue; 0 without any."""
    created = [message.created for message in messages if not message.deleted and message.receive_count < RECEIVES_MAX]
    return max(0.0, now - min(created)) if created else 0.0


def messages_of(queue: StandardQueue) -> list[SqsMessage]:
    """All messages of a queue, in whatever state."""
    with queue.mutex:
        return [*queue.visible.queue, *queue.inflight, *queue.delayed]


def patch() -> None:
    sums = shared()

    @replace(CloudwatchPublishWorker.publish_approximate_cloudwatch_metrics)
    def publish(original, self):  # type: ignore[no-untyped-def]
        with _GUARD:
            original(self)
        for account_id, region, store in sqs_stores.iter_stores():
            for queue in list(store.queues.values()):
                with _GUARD:
                    if isinstance(queue, StandardQueue):
                        metric = Metric(account_id, region, "AWS/SQS", METRIC, (("QueueName", queue.name),), "Seconds")
                        sums.add(metric, [age_of_oldest_s(messages_of(queue), time.time())])
