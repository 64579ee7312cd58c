"""Hooks where messages enter queues: sent by anybody, moved to a dead-letter queue, redriven from it."""

import functools
from collections.abc import Sequence
from time import monotonic
from typing import Any

from localstack.services.sqs.models import FifoQueue, SqsMessage, SqsQueue, StandardQueue
from localstack.services.sqs.provider import MessageMoveTaskManager

from dlqlab.contracts.recorded import Kind
from dlqlab.emulator.recorder import actors
from dlqlab.emulator.recorder.actors import HERE, Actor
from dlqlab.emulator.recorder.happened import arn_of, count_of, happened
from dlqlab.emulator.recorder.rows import UNFINISHED_MESSAGE
from dlqlab.emulator.recorder.witness import Stamp, Witness

_COUNT, _SOURCE = "ApproximateReceiveCount", "DeadLetterQueueSourceArn"
_SENT, _DEDUPLICATED = Kind.SENT.value, Kind.DEDUPLICATED.value


def install(witness: Witness) -> None:
    for kind in (StandardQueue, FifoQueue):
        _on_entering(witness, kind)
        _on_moving(witness, kind)
    _mark_redrives()


def _on_entering(witness: Witness, kind: type[SqsQueue]) -> None:
    original = kind.put

    @functools.wraps(original)
    def put(self: SqsQueue, message: dict[str, Any], *args: Any, **kwargs: Any) -> SqsMessage:
        arn = arn_of(self)
        if arn is None:
            return original(self, message, *args, **kwargs)
        stamp = next(witness.numbers), witness.epoch + monotonic()
        attributes = message.get("Attributes")
        before = message.get("MessageId"), attributes.get(_COUNT) if attributes else None
        entered = original(self, message, *args, **kwargs)
        try:
            _entered(witness, arn, entered, before, stamp)
        except Exception as error:  # noqa: BLE001  (the message is in its queue)
            witness.failed(error)
        return entered

    kind.put = put


def _entered(
    witness: Witness, arn: str, entered: SqsMessage, before: tuple[str | None, str | None], stamp: Stamp
) -> None:
    """Args:
    before: id and receive count that the message was sent with.
    """
    said = entered.message
    attributes, body, message_id = said["Attributes"], said["Body"], said["MessageId"]
    actor, parents = HERE.actor, None
    if HERE.redrive is not None or _SOURCE in attributes:
        actor, parents = _sender(witness, attributes.get(_SOURCE), str(before[0]), stamp)
    is_new = message_id == before[0]
    witness.journal.give(
        (
            UNFINISHED_MESSAGE,
            *stamp,
            arn,
            message_id,
            _SENT if is_new else _DEDUPLICATED,
            int(before[1] or 0) if is_new else None,
            *actor,
            None if not is_new else entered.delay_seconds,
            None,
            attributes.get("MessageGroupId"),
            attributes.get("MessageDeduplicationId"),
            body,
            None,
            parents,
            attributes.get("AWSTraceHeader"),
        ),
        len(body),
    )


def _sender(
    witness: Witness, source_arn: str | None, message_id: str, stamp: Stamp
) -> tuple[Actor, Sequence[str] | None]:
    """Who lets a message enter that a redrive or a move brings, and which message it was before."""
    if HERE.redrive is None:
        return (HERE.actor, None) if source_arn is None else (actors.dead_letters_of(source_arn), [message_id])
    actor = actors.redrive(HERE.redrive[0])
    if HERE.redriven is None:
        return actor, None
    old_id, count, left = HERE.redriven
    left.recorded_gone = True
    witness.message(Kind.REDRIVEN, HERE.redrive[1], old_id, stamp=stamp, actor=actor, receive_count=count)
    return actor, [old_id]


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
            happened(witness, Kind.MOVED, arn, message)


def _mark_redrives() -> None:
    original = MessageMoveTaskManager._run

    @functools.wraps(original)
    def run(self: MessageMoveTaskManager, task: Any) -> None:
        HERE.redrive = task.task_id, task.source_arn
        try:
            original(self, task)
        finally:
            HERE.redrive = HERE.redriven = None

    MessageMoveTaskManager._run = run
