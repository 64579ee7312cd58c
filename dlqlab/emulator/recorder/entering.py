"""Hooks where messages enter queues: sent by anybody, moved to a dead-letter queue, redriven from it."""

import functools
from collections.abc import Sequence
from time import monotonic
from typing import Any

from localstack.services.sqs.models import FifoQueue, SqsMessage, SqsQueue, StandardQueue
from localstack.services.sqs.provider import MessageMoveTaskManager

from dlqlab.contracts.recorded import Kind
from dlqlab.emulator.recorder import actors
from dlqlab.emulator.recorder.actors import HERE, Actor, Doing
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
        seq, ts = next(witness.numbers), witness.epoch + monotonic()
        attributes = message.get("Attributes")
        sent_id, count = message.get("MessageId"), attributes.get(_COUNT) if attributes else None
        entered = original(self, message, *args, **kwargs)
        try:
            _entered(witness, arn, entered, seq, ts, sent_id, count)
        except Exception as error:  # noqa: BLE001  (the message is in its queue)
            witness.failed(error)
        return entered

    kind.put = put


def _entered(
    witness: Witness, arn: str, entered: SqsMessage, seq: int, ts: float, sent_id: str | None, count: str | None
) -> None:
    """Args:
    sent_id, count: id and receive count that the message was sent with.
    """
    said = entered.message
    attributes, body, message_id = said["Attributes"], said["Body"], said["MessageId"]
    doing, parents = HERE.doing, None
    actor = doing.actor
    if doing.redrive is not None or _SOURCE in attributes:
        actor, parents = _sender(witness, doing, attributes.get(_SOURCE), str(sent_id), (seq, ts))
    is_new = message_id == sent_id
    who, name, request_id = actor
    row = (
        UNFINISHED_MESSAGE,
        seq,
        ts,
        arn,
        message_id,
        _SENT if is_new else _DEDUPLICATED,
        int(count or 0) if is_new else None,
        who,
        name,
        request_id,
        entered.delay_seconds if is_new else None,
        None,
        attributes.get("MessageGroupId"),
        attributes.get("MessageDeduplicationId"),
        body,
        None,
        parents,
        attributes.get("AWSTraceHeader"),
    )
    witness.journal.give(row, len(body))


def _sender(
    witness: Witness, doing: Doing, source_arn: str | None, message_id: str, stamp: Stamp
) -> tuple[Actor, Sequence[str] | None]:
    """Who lets a message enter that a redrive or a move brings, and which message it was before."""
    if doing.redrive is None:
        return (doing.actor, None) if source_arn is None else (actors.dead_letters_of(source_arn), [message_id])
    actor = actors.redrive(doing.redrive[0])
    if doing.redriven is None:
        return actor, None
    old_id, count, left = doing.redriven
    left.recorded_gone = True
    witness.message(Kind.REDRIVEN, doing.redrive[1], old_id, stamp=stamp, actor=actor, receive_count=count)
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
    arn, doing = arn_of(queue), HERE.doing
    if doing.redrive is not None:
        if not result.successful:
            message = result.dead_letter_messages[0]
            doing.redriven = message.message_id, count_of(message), message
    elif arn is not None:
        for message in result.dead_letter_messages:
            message.recorded_gone = True
            happened(witness, Kind.MOVED.value, arn, message, doing.actor)


def _mark_redrives() -> None:
    original = MessageMoveTaskManager._run

    @functools.wraps(original)
    def run(self: MessageMoveTaskManager, task: Any) -> None:
        doing = HERE.doing
        doing.redrive = task.task_id, task.source_arn
        try:
            original(self, task)
        finally:
            doing.redrive = doing.redriven = None

    MessageMoveTaskManager._run = run
