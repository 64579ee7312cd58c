"""Hooks in LocalStack's queues: every message that enters, is given out, comes back, is hidden, and leaves.

Each hook takes its place in the order before others can see what happens, and writes it down once it has happened. They
go around whatever patches have made of LocalStack's methods, so that they see what really becomes of a message.
"""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

from localstack import config
from localstack.aws.api.sqs import MessageSystemAttributeName as Name
from localstack.services.sqs.models import FifoQueue, MessageGroup, SqsMessage, SqsQueue, StandardQueue
from localstack.services.sqs.provider import MessageMoveTaskManager, SqsProvider
from localstack.services.sqs.utils import extract_receipt_handle_info

from dlqlab.contracts.recorded import Kind
from dlqlab.emulator.patches import message_retention
from dlqlab.emulator.recorder import actors
from dlqlab.emulator.recorder.actors import HERE, SQS, Actor
from dlqlab.emulator.recorder.witness import Stamp, Witness

_UNKNOWN = object()


def install(witness: Witness) -> None:
    """Hook into the models of queues, and into the few steps of the service that tell what a step is part of."""
    SqsMessage.recorded_out_of = None  # the queue that it was received from and has not come back to
    SqsMessage.recorded_gone = False  # out of its queue, although LocalStack may still have it somewhere
    for kind in (StandardQueue, FifoQueue):
        _on_entering(witness, kind)
        _on_moving(witness, kind)
        _on_clearing(witness, kind)
        _on_deleting_queue(witness, kind)
    _on_receiving(witness)
    _on_returning(witness)
    _on_hiding(witness)
    _on_deleting(witness)
    _on_expiring(witness)
    _mark_redrives()


def arn_of(queue: SqsQueue) -> str | None:
    """The queue's ARN; None for those that LocalStack keeps for itself."""
    found = queue.__dict__.get("recorded_arn", _UNKNOWN)
    if found is _UNKNOWN:
        found = None if queue.account_id == config.INTERNAL_RESOURCE_ACCOUNT else queue.arn
        queue.recorded_arn = found
    return found  # type: ignore[no-any-return]


def count_of(message: SqsMessage) -> int:
    """How often it has been given out, as consumers see it."""
    return int(message.message["Attributes"].get(Name.ApproximateReceiveCount, "0"))


def _on_entering(witness: Witness, kind: type[SqsQueue]) -> None:
    original = kind.put

    @functools.wraps(original)
    def put(self: SqsQueue, message: dict[str, Any], *args: Any, **kwargs: Any) -> SqsMessage:
        arn = arn_of(self)
        if arn is None:
            return original(self, message, *args, **kwargs)
        stamp = witness.stamp()
        attributes = message.get("Attributes") or {}
        before = message["MessageId"], int(attributes.get(Name.ApproximateReceiveCount) or 0)
        entered = original(self, message, *args, **kwargs)
        try:
            _entered(witness, arn, entered, before, stamp)
        except Exception as error:  # noqa: BLE001  (the message is in its queue)
            witness.failed(error)
        return entered

    kind.put = put


def _entered(witness: Witness, arn: str, entered: SqsMessage, before: tuple[str, int], stamp: Stamp) -> None:
    """Args:
    before: id and receive count that the message was sent with.
    """
    attributes = entered.message["Attributes"]
    message_id = entered.message_id
    actor, parent_id = _sender(attributes.get(Name.DeadLetterQueueSourceArn), before[0])
    if HERE.redrive is not None and HERE.redriven is not None:
        old_id, count, left = HERE.redriven
        left.recorded_gone = True
        witness.message(Kind.REDRIVEN, HERE.redrive[1], old_id, stamp=stamp, actor=actor, receive_count=count)
    is_new = message_id == before[0]
    witness.message(
        Kind.SENT if is_new else Kind.DEDUPLICATED,
        arn,
        message_id,
        stamp=stamp,
        actor=actor,
        receive_count=before[1] if is_new else None,
        delay_s=entered.delay_seconds if is_new else None,
        group_id=entered.message_group_id,
        dedup_id=entered.message_deduplication_id,
        body=entered.message["Body"],
        parent_ids=None if parent_id is None else [parent_id],
        trace_header=attributes.get(Name.AWSTraceHeader),
    )


def _sender(source_arn: str | None, message_id: str) -> tuple[Actor | None, str | None]:
    """Who lets a message enter, where it is not this thread's actor, and which message it was before."""
    if HERE.redrive is not None:
        return actors.redrive(HERE.redrive[0]), HERE.redriven[0] if HERE.redriven else None
    if source_arn is not None:
        return actors.dead_letters_of(source_arn), message_id
    return None, None


def _on_moving(witness: Witness, kind: type[SqsQueue]) -> None:
    original = kind.receive

    @functools.wraps(original)
    def receive(self: SqsQueue, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        if result.dead_letter_messages:
            try:
                _moving(witness, self, result)
            except Exception as error:  # noqa: BLE001  (the caller has to move them)
                witness.failed(error)
        return result

    kind.receive = receive


def _moving(witness: Witness, queue: SqsQueue, result: Any) -> None:
    arn = arn_of(queue)
    if HERE.redrive is not None:
        if not result.successful:
            message = result.dead_letter_messages[0]
            HERE.redriven = message.message_id, count_of(message), message
    elif arn is not None:
        for message in result.dead_letter_messages:
            message.recorded_gone = True
            _happened(witness, Kind.MOVED, arn, message)


def _happened(
    witness: Witness,
    kind: Kind,
    arn: str,
    message: SqsMessage,
    stamp: Stamp | None = None,
    *,
    actor: Actor | None = None,
    visible_after_s: float | None = None,
) -> None:
    witness.message(
        kind,
        arn,
        message.message_id,
        stamp=stamp,
        actor=actor,
        receive_count=count_of(message),
        visible_after_s=visible_after_s,
        group_id=message.message_group_id,
    )


def _on_receiving(witness: Witness) -> None:
    original = SqsQueue.create_receipt_handle  # of a receive, before anybody else can have the message again

    @functools.wraps(original)
    def create_receipt_handle(self: SqsQueue, message: SqsMessage) -> str:
        try:
            _received(witness, self, message)
        except Exception as error:  # noqa: BLE001  (it must be given out)
            witness.failed(error)
        return original(self, message)  # type: ignore[no-any-return]

    SqsQueue.create_receipt_handle = create_receipt_handle


def _received(witness: Witness, queue: SqsQueue, message: SqsMessage) -> None:
    arn = arn_of(queue)
    if HERE.redrive is not None:
        HERE.redriven = message.message_id, count_of(message) - 1, message
    elif arn is not None:
        _happened(witness, Kind.RECEIVED, arn, message, visible_after_s=message.visibility_timeout)
        if message.visibility_timeout == 0 and isinstance(queue, StandardQueue):
            _happened(witness, Kind.RETURNED, arn, message)  # it never goes in flight
        else:
            message.recorded_out_of = arn


def _on_returning(witness: Witness) -> None:
    put_message, push = StandardQueue._put_message, MessageGroup.push  # noqa: SLF001

    @functools.wraps(put_message)
    def standard(self: StandardQueue, message: SqsMessage) -> None:
        if message.recorded_out_of is None:  # it is new
            put_message(self, message)
            return
        with _returned(witness, message):
            put_message(self, message)

    @functools.wraps(push)
    def fifo(self: MessageGroup, message: SqsMessage) -> None:
        if message.recorded_out_of is None:
            push(self, message)
            return
        with _returned(witness, message):
            push(self, message)

    StandardQueue._put_message = standard  # noqa: SLF001
    MessageGroup.push = fifo


class _returned:  # noqa: N801  (a context manager, read as a verb)
    """A message that had been received is put among the visible ones."""

    __slots__ = ("_arn", "_seen", "_stamp", "_witness")

    def __init__(self, witness: Witness, message: SqsMessage) -> None:
        self._witness = witness
        # All of it now: once it is visible others may receive it again.
        self._arn, message.recorded_out_of = message.recorded_out_of, None
        self._seen = message.message_id, count_of(message), message.message_group_id
        self._stamp = witness.stamp()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        if kind is not None:
            return
        message_id, count, group_id = self._seen
        try:
            self._witness.message(
                Kind.RETURNED, self._arn, message_id, stamp=self._stamp, receive_count=count, group_id=group_id
            )
        except Exception as error:  # noqa: BLE001  (it is back)
            self._witness.failed(error)


def _on_hiding(witness: Witness) -> None:
    original = SqsQueue.update_visibility_timeout

    @functools.wraps(original)
    def update_visibility_timeout(self: SqsQueue, receipt_handle: str, visibility_timeout: int) -> None:
        arn = arn_of(self)
        if arn is None or HERE.redrive is not None:
            original(self, receipt_handle, visibility_timeout)
            return
        with self.mutex:
            message = self.receipts.get(receipt_handle)
            is_in_flight = message is not None and message in self.inflight
            stamp = witness.stamp()
            original(self, receipt_handle, visibility_timeout)
            if is_in_flight:
                try:
                    _happened(witness, Kind.HIDDEN, arn, message, stamp, visible_after_s=float(visibility_timeout))
                except Exception as error:  # noqa: BLE001  (it is hidden)
                    witness.failed(error)

    SqsQueue.update_visibility_timeout = update_visibility_timeout


def _on_deleting(witness: Witness) -> None:
    original = SqsQueue.remove

    @functools.wraps(original)
    def remove(self: SqsQueue, receipt_handle: str) -> None:
        arn = arn_of(self)
        if arn is None or HERE.redrive is not None:
            original(self, receipt_handle)
            return
        with self.mutex:
            message = self.receipts.get(receipt_handle)
            stamp = witness.stamp()
            try:
                original(self, receipt_handle)
            finally:
                try:
                    _deleted(witness, arn, receipt_handle, message, stamp)
                except Exception as error:  # noqa: BLE001  (what becomes of it does not depend on the record)
                    witness.failed(error)

    SqsQueue.remove = remove


def _deleted(witness: Witness, arn: str, receipt_handle: str, message: SqsMessage | None, stamp: Stamp) -> None:
    if message is not None and message.deleted:
        is_unmatched = HERE.batch is not None and not HERE.batch.is_invoked
        _happened(witness, Kind.FILTERED if is_unmatched else Kind.DELETED, arn, message, stamp)
        return
    message_id = message.message_id if message is not None else _id_in(arn, receipt_handle)
    if message_id is not None:
        witness.message(Kind.NOT_DELETED, arn, message_id, stamp=stamp)


def _id_in(arn: str, receipt_handle: str) -> str | None:
    """The message that a receipt handle of this queue is of."""
    with contextlib.suppress(Exception):  # it is none
        found = extract_receipt_handle_info(receipt_handle)
        return str(found.message_id) if found.queue_arn == arn else None
    return None


def _on_expiring(witness: Witness) -> None:
    original = message_retention._drop  # noqa: SLF001

    @functools.wraps(original)
    def drop(queue: SqsQueue, message: SqsMessage) -> bool:
        arn = arn_of(queue)
        if arn is not None and not message.recorded_gone:
            try:
                _happened(witness, Kind.EXPIRED, arn, message, actor=SQS)
            except Exception as error:  # noqa: BLE001  (it is gone)
                witness.failed(error)
        return original(queue, message)

    message_retention._drop = drop  # noqa: SLF001


def _on_clearing(witness: Witness, kind: type[SqsQueue]) -> None:
    original = kind.clear

    @functools.wraps(original)
    def clear(self: SqsQueue) -> None:
        with self.mutex, self.visible.mutex if isinstance(self, StandardQueue) else contextlib.nullcontext():
            _gone(witness, self)
            original(self)

    kind.clear = clear


def _on_deleting_queue(witness: Witness, kind: type[SqsQueue]) -> None:
    original, delete_queue = kind.shutdown, SqsProvider.delete_queue

    @functools.wraps(original)
    def shutdown(self: SqsQueue) -> None:
        original(self)  # also at the emulator's end, which is no deletion
        if HERE.is_deleting_queue:
            with self.mutex:
                _gone(witness, self)

    kind.shutdown = shutdown
    if kind is not StandardQueue:
        return

    @functools.wraps(delete_queue)
    def delete(*args: Any, **kwargs: Any) -> None:
        HERE.is_deleting_queue = True
        try:
            delete_queue(*args, **kwargs)
        finally:
            HERE.is_deleting_queue = False

    SqsProvider.delete_queue = delete


def _gone(witness: Witness, queue: SqsQueue) -> None:
    """All messages leave, by a purge or with their queue."""
    try:
        arn = arn_of(queue)
        if arn is not None:
            for message in _all(queue):
                message.recorded_out_of, message.recorded_gone = None, True
                _happened(witness, Kind.PURGED, arn, message)
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


def _mark_redrives() -> None:
    original = MessageMoveTaskManager._run  # noqa: SLF001

    @functools.wraps(original)
    def run(self: MessageMoveTaskManager, task: Any) -> None:
        HERE.redrive = task.task_id, task.source_arn
        try:
            original(self, task)
        finally:
            HERE.redrive = HERE.redriven = None

    MessageMoveTaskManager._run = run  # noqa: SLF001
