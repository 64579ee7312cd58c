"""Hooks where messages enter queues: sent by anybody, moved to a dead-letter queue, redriven from it."""

import functools
from typing import Any

from localstack.aws.api.sqs import MessageSystemAttributeName as Name
from localstack.services.sqs.models import FifoQueue, SqsMessage, SqsQueue, StandardQueue
from localstack.services.sqs.provider import MessageMoveTaskManager

from dlqlab.contracts.recorded import Kind
from dlqlab.emulator.recorder import actors
from dlqlab.emulator.recorder.actors import HERE, Actor
from dlqlab.emulator.recorder.happened import arn_of, count_of, happened
from dlqlab.emulator.recorder.witness import Stamp, Witness


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
        stamp = witness.stamp()
        attributes = message.get("Attributes") or {}
        before = message.get("MessageId"), attributes.get(Name.ApproximateReceiveCount)
        entered = original(self, message, *args, **kwargs)
        try:
            _entered(witness, arn, entered, (str(before[0]), int(before[1] or 0)), stamp)
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
