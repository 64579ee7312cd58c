"""Hooks where messages leave queues: deleted, filtered, expired, purged, gone with their queue."""

import contextlib
import functools
from collections.abc import Iterator
from time import monotonic
from typing import Any

from localstack.services.sqs.models import FifoQueue, SqsMessage, SqsQueue, StandardQueue
from localstack.services.sqs.provider import SqsProvider
from localstack.services.sqs.utils import extract_receipt_handle_info

from dlqlab.contracts.recorded import Kind
from dlqlab.emulator.recorder.actors import HERE, SQS
from dlqlab.emulator.recorder.happened import arn_of, happened
from dlqlab.emulator.recorder.witness import Stamp, Witness
from dlqlab.emulator.sqs import message_retention

_DELETED, _FILTERED = Kind.DELETED.value, Kind.FILTERED.value


def install(witness: Witness) -> None:
    for kind in (StandardQueue, FifoQueue):
        _on_clearing(witness, kind)
        _on_deleting_queue(witness, kind)
    _mark_deletions_of_queues()
    _on_deleting(witness)
    _on_expiring(witness)


def _on_deleting(witness: Witness) -> None:
    original = SqsQueue.remove

    @functools.wraps(original)
    def remove(self: SqsQueue, receipt_handle: str) -> None:
        arn, doing = arn_of(self), HERE.doing
        if arn is None or doing.redrive is not None:
            original(self, receipt_handle)
            return
        with self.mutex:
            message = self.receipts.get(receipt_handle)
            stamp = next(witness.numbers), witness.epoch + monotonic()
            try:
                original(self, receipt_handle)
            finally:
                if message is not None and message.deleted:
                    is_unmatched = doing.poller is not None and not doing.is_invoked
                    happened(witness, _FILTERED if is_unmatched else _DELETED, arn, message, doing.actor, stamp)
                else:
                    _not_deleted(witness, arn, receipt_handle, message, stamp)

    SqsQueue.remove = remove


def _not_deleted(witness: Witness, arn: str, receipt_handle: str, message: SqsMessage | None, stamp: Stamp) -> None:
    try:
        message_id = message.message_id if message is not None else id_in(arn, receipt_handle)
        if message_id is not None:
            witness.message(Kind.NOT_DELETED, arn, message_id, stamp=stamp)
    except Exception as error:  # noqa: BLE001  (what becomes of it does not depend on the record)
        witness.failed(error)


def id_in(arn: str, receipt_handle: str) -> str | None:
    """The message that a receipt handle of this queue is of."""
    with contextlib.suppress(Exception):  # it is none
        found = extract_receipt_handle_info(receipt_handle)
        return str(found.message_id) if found.queue_arn == arn else None
    return None


def _on_expiring(witness: Witness) -> None:
    original = message_retention._drop

    @functools.wraps(original)
    def drop(queue: SqsQueue, message: SqsMessage) -> bool:
        arn = arn_of(queue)
        if arn is not None and not message.recorded_gone:
            happened(witness, Kind.EXPIRED.value, arn, message, SQS)
        return original(queue, message)

    message_retention._drop = drop


def _on_clearing(witness: Witness, kind: type[SqsQueue]) -> None:
    original = kind.clear

    @functools.wraps(original)
    def clear(self: SqsQueue) -> None:
        with self.mutex, self.visible.mutex if isinstance(self, StandardQueue) else contextlib.nullcontext():
            _gone(witness, self)
            original(self)

    kind.clear = clear


def _on_deleting_queue(witness: Witness, kind: type[SqsQueue]) -> None:
    original = kind.shutdown

    @functools.wraps(original)
    def shutdown(self: SqsQueue) -> None:
        original(self)  # also at the emulator's end, which is no deletion
        if HERE.doing.is_deleting_queue:
            with self.mutex:
                _gone(witness, self)

    kind.shutdown = shutdown


def _mark_deletions_of_queues() -> None:
    original = SqsProvider.delete_queue

    @functools.wraps(original)
    def delete_queue(*args: Any, **kwargs: Any) -> None:
        doing = HERE.doing
        doing.is_deleting_queue = True
        try:
            original(*args, **kwargs)
        finally:
            doing.is_deleting_queue = False

    SqsProvider.delete_queue = delete_queue


def _gone(witness: Witness, queue: SqsQueue) -> None:
    """All messages leave, by a purge or with their queue."""
    try:
        arn = arn_of(queue)
        if arn is not None:
            actor = HERE.doing.actor
            for message in _all(queue):
                message.recorded_out_of, message.recorded_gone = None, True
                happened(witness, Kind.PURGED.value, arn, message, actor)
    except Exception as error:  # noqa: BLE001  (they go)
        witness.failed(error)


def _all(queue: SqsQueue) -> Iterator[SqsMessage]:
    yield from queue.delayed
    yield from queue.inflight
    heaps = (
        [queue.visible.queue]
        if isinstance(queue, StandardQueue)
        else [group.messages for group in queue.message_groups.values()]
    )
    for heap in heaps:
        yield from (message for message in heap if not message.deleted)
