"""What all hooks in queues need: which queue, which count, and a row about a message.

This runs for every message while others wait for its queue, so it calls and looks up as little as it can.
"""

from time import monotonic

from localstack import config
from localstack.services.sqs.models import SqsMessage, SqsQueue

from dlqlab.emulator.recorder.actors import Actor
from dlqlab.emulator.recorder.rows import MESSAGE
from dlqlab.emulator.recorder.witness import Stamp, Witness

UNKNOWN = object()
"""In the place of the ARN of a queue that has not been asked for its own."""
_COUNT, _GROUP = "ApproximateReceiveCount", "MessageGroupId"
"""Plain texts: members of LocalStack's enumeration are the same keys, and take a call of Python's for each look-up."""


def arn_of(queue: SqsQueue) -> str | None:
    """The queue's ARN; None for those that LocalStack keeps for itself."""
    found = queue.recorded_arn
    if found is UNKNOWN:
        found = None if queue.account_id == config.INTERNAL_RESOURCE_ACCOUNT else queue.arn
        queue.recorded_arn = found
    return found  # type: ignore[no-any-return]


def count_of(message: SqsMessage) -> int:
    """How often it has been given out, as consumers see it."""
    return int(message.message["Attributes"].get(_COUNT, "0"))


def happened(
    witness: Witness,
    kind: str,
    arn: str,
    message: SqsMessage,
    actor: Actor,
    stamp: Stamp | None = None,
    visible_after_s: float | None = None,
) -> None:
    """As ``Witness.message`` of a message without its body; the kind is the word, which takes a while to look up."""
    try:
        seq, ts = stamp or (next(witness.numbers), witness.epoch + monotonic())
        said = message.message
        attributes = said["Attributes"]
        who, name, request_id = actor
        witness.give_finished(
            (
                MESSAGE,
                seq,
                ts,
                arn,
                said["MessageId"],
                kind,
                int(attributes.get(_COUNT, "0")),
                who,
                name,
                request_id,
                None,
                visible_after_s,
                attributes.get(_GROUP),
                None,
                None,
                None,
                None,
                None,
            )
        )
    except Exception as error:  # noqa: BLE001  (what has happened has happened)
        witness.failed(error)
