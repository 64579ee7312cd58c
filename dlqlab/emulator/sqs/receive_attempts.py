"""A receive from a FIFO queue that is tried again by its ReceiveRequestAttemptId gives the same messages.

ReceiveMessage (API reference): within 5 minutes the same messages with the same receipt handles come, hidden anew for
the visibility timeout, as long as none of them has been deleted, changed in its visibility, or received by others. Then
the id is as good as a new one; AWS does not document what it does. LocalStack ignores the id, so that what such a
consumer has lost on the way comes after the visibility timeout only.
"""

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localstack.services.sqs.models import FifoQueue, SqsMessage
from localstack.services.sqs.provider import SqsProvider
from localstack.utils.patch import patch as replace

from dlqlab.emulator.sqs import messages
from dlqlab.emulator.sqs.errors import enforce
from dlqlab.emulator.sqs.refusals import invalid_value

REMEMBERED_S = 300


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a receive has given."""

    made_ts: float
    answer: Mapping[str, Any]
    held: tuple[tuple[str, SqsMessage, float | None], ...]
    """Receipt handle, message, and the end of its visibility timeout."""


def again(queue: FifoQueue, attempt_id: str, visibility_s: int | None) -> dict[str, Any] | None:
    """What the receive of that id has given, hidden anew; None where it has to be a new one."""
    with queue.mutex:
        known = _attempts(queue).get(attempt_id)
        if known is None or not all(_is_untouched(queue, *held) for held in known.held):
            return None
        timeout_s = queue.visibility_timeout if visibility_s is None else visibility_s
        for handle, _, _ in known.held:
            queue.update_visibility_timeout(handle, timeout_s)
        _keep(queue, attempt_id, known.answer, known.made_ts)
        return copy.deepcopy(dict(known.answer))


def remember(queue: FifoQueue, attempt_id: str, answer: Mapping[str, Any]) -> None:
    """Keep what a receive has given, if it is something."""
    if answer.get("Messages"):
        with queue.mutex:
            _keep(queue, attempt_id, copy.deepcopy(dict(answer)), time.time())


def _keep(queue: FifoQueue, attempt_id: str, answer: Mapping[str, Any], made_ts: float) -> None:
    handles = [one["ReceiptHandle"] for one in answer["Messages"]]
    held = [(handle, queue.receipts.get(handle)) for handle in handles]
    found = tuple((handle, one, one.visibility_deadline) for handle, one in held if one is not None)
    if len(found) == len(handles):
        _attempts(queue)[attempt_id] = Attempt(made_ts, answer, found)


def _attempts(queue: FifoQueue) -> dict[str, Attempt]:
    """By id; those that are too old are forgotten. The queue's lock is held."""
    found: dict[str, Attempt] = queue.__dict__.setdefault("receive_attempts", {})
    for old in [one for one, attempt in found.items() if time.time() - attempt.made_ts > REMEMBERED_S]:
        del found[old]
    return found


def _is_untouched(queue: FifoQueue, handle: str, message: SqsMessage, deadline_ts: float | None) -> bool:
    return (
        queue.receipts.get(handle) is message
        and message in queue.inflight
        and message.visibility_deadline == deadline_ts
        and not message.is_visible
        and getattr(message, "latest_receipt_handle", handle) == handle
    )


def patch() -> None:

    @replace(SqsProvider.receive_message)
    def receive_message(original, self, context, queue_url, **options):  # type: ignore[no-untyped-def]
        attempt_id = options.get("receive_request_attempt_id")
        if not attempt_id:
            return original(self, context, queue_url, **options)
        enforce(messages.check_fifo_id, attempt_id, "ReceiveRequestAttemptId")
        queue = self._resolve_queue(context, queue_url=queue_url)
        if not isinstance(queue, FifoQueue):
            enforce(_refuse, attempt_id)
        found = again(queue, attempt_id, options.get("visibility_timeout"))
        if found is None:
            found = original(self, context, queue_url, **options)
            remember(queue, attempt_id, found)
        return found


def _refuse(attempt_id: str) -> None:
    """Raises:
    RefusedError: the queue is not FIFO.
    """
    reason = "The request include parameter that is not valid for this queue type."
    raise invalid_value(attempt_id, "ReceiveRequestAttemptId", reason)
