"""Batches of messages as Lambda delivers them from SQS, and the answer that a batch gets.

What the answer means depends on the event source mapping. With ReportBatchItemFailures Lambda deletes everything but
the reported items. Without it Lambda deletes the whole batch when the function returns and nothing when it raises, so
a function that must not lose a failed message deletes the others itself and raises.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskrules.queues import Queue


class BatchFailedError(RuntimeError):
    """Raised on purpose: some messages of the batch failed, and this is the way to keep them on the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message of a batch."""

    message_id: str
    receipt_handle: str
    body: str
    receive_count: int
    attributes: Mapping[str, str]  # message attributes of type String
    trace_header: str | None


def deliveries(event: Mapping[str, Any]) -> list[Delivery]:
    """The messages of an SQS event."""
    return [_delivery(record) for record in event["Records"]]


def settle(
    batch: Sequence[Delivery], handle: Callable[[Delivery], bool], queue: Queue, *, partial_responses: bool
) -> dict[str, list[dict[str, str]]]:
    """Handle each message (True: done with it) and answer for the batch.

    Raises:
        BatchFailedError: without partial responses, some message is not done; the done ones have been deleted.
        QueueError: as before, and the queue did not delete them; they will come again.
    """
    done: list[Delivery] = []
    failed: list[Delivery] = []
    for delivery in batch:
        (done if handle(delivery) else failed).append(delivery)
    if failed and not partial_responses:
        queue.delete([delivery.receipt_handle for delivery in done])
        raise BatchFailedError(f"{len(failed)} of {len(batch)} messages failed and stay on the queue")
    return {"batchItemFailures": [{"itemIdentifier": delivery.message_id} for delivery in failed]}


def _delivery(record: Mapping[str, Any]) -> Delivery:
    system = record["attributes"]
    return Delivery(
        message_id=record["messageId"],
        receipt_handle=record["receiptHandle"],
        body=record["body"],
        receive_count=int(system["ApproximateReceiveCount"]),
        attributes={
            name: value["stringValue"]
            for name, value in record.get("messageAttributes", {}).items()
            if value.get("stringValue") is not None
        },
        trace_header=system.get("AWSTraceHeader"),
    )
