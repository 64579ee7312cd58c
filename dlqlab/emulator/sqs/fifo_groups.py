"""Messages of a FIFO queue keep the order of their group: none is received while an earlier one of it is in flight.

"FIFO queue delivery logic in Amazon SQS" (developer guide): a message in flight holds back those of its own message
group; one that is visible again is received again before the later ones. LocalStack holds back whatever was received
later in the whole queue, so that a slow group makes the retries of all others late; and it gives out the later messages
of a group as soon as one of it is visible again, though another that comes before them is still in flight.

"Using the Amazon SQS message deduplication ID" (developer guide): a repetition within 5 minutes is accepted and adds
nothing, in the whole queue or, with DeduplicationScope messageGroup, in its group. LocalStack remembers an id for one
group only, forgets none, and takes both of two that are sent at the same moment.
"""

import time

from localstack.services.sqs.models import FifoQueue, MessageGroup, SqsMessage, SqsQueue
from localstack.utils.patch import patch as replace

REMEMBERED_S = 300
"""How long a deduplication id is looked at, after the first message with it was sent."""


class Deduplication(dict[tuple[str | None, str], SqsMessage]):
    """The messages by group and deduplication id, in the order of sending; the queue's lock is held by who uses it."""

    scope: str | None = None
    """The group whose ids are looked at; None for the whole queue."""

    def get(self, dedup_id: str, default: SqsMessage | None = None) -> SqsMessage | None:  # type: ignore[override]
        return super().get((self.scope, dedup_id), default)

    def __setitem__(self, dedup_id: str, message: SqsMessage) -> None:  # type: ignore[override]
        self.pop((self.scope, dedup_id), None)  # so that it stands behind those that were sent earlier
        super().__setitem__((self.scope, dedup_id), message)

    def forget(self, before_ts: float) -> None:
        """Drop what was sent before that time."""
        while self:
            oldest = next(iter(self))
            if self[oldest].priority > before_ts:
                return
            del self[oldest]


def return_visible(queue: FifoQueue) -> None:
    """Return what is due of each group, up to its first message that is still hidden."""
    with queue.mutex:
        held: set[str | None] = set()
        for message in sorted(queue.inflight):
            if not message.is_visible:
                held.add(message.message_group_id)
            elif message.message_group_id not in held:
                del queue.inflight[message]
                queue._put_message(message)


def _hold(queue: FifoQueue, message: SqsMessage) -> None:
    """The group knows its messages in flight, so that each delivery need not look at those of all groups."""
    group = queue.get_message_group(message.message_group_id)
    held = [one for one in getattr(group, "held", ()) if one in queue.inflight and one is not message]
    group.held, group.queue = [*held, message], queue


def _is_held_back(group: MessageGroup) -> bool:
    """Whether the next message of the group comes after one that is in flight."""
    held: list[SqsMessage] = getattr(group, "held", [])
    return bool(group.messages) and any(one < group.messages[0] and one in group.queue.inflight for one in held)


def _send_once(queue: FifoQueue, group_id: str | None) -> None:
    known = queue.deduplication
    if not isinstance(known, Deduplication):
        known = queue.deduplication = Deduplication()
    known.scope = group_id if queue.deduplication_scope == "messageGroup" else None
    known.forget(time.time() - REMEMBERED_S)


def patch() -> None:

    @replace(FifoQueue.requeue_inflight_messages)
    def requeue_inflight_messages(_original, self):  # type: ignore[no-untyped-def]
        return_visible(self)

    @replace(SqsQueue.add_inflight_message)
    def add_inflight_message(original, self, message):  # type: ignore[no-untyped-def]
        original(self, message)
        if isinstance(self, FifoQueue):
            _hold(self, message)

    @replace(MessageGroup.pop)
    def pop(original, self):  # type: ignore[no-untyped-def]
        if _is_held_back(self):
            raise IndexError("an earlier message of the group is in flight")  # as one that has none
        return original(self)

    @replace(FifoQueue.put)
    def put(original, self, message, *args, **kwargs):  # type: ignore[no-untyped-def]
        with self.mutex:
            _send_once(self, kwargs.get("message_group_id"))
            return original(self, message, *args, **kwargs)
