"""What all hooks in queues need: which queue, which count, and a row about a message."""

from localstack import config
from localstack.aws.api.sqs import MessageSystemAttributeName as Name
from localstack.services.sqs.models import SqsMessage, SqsQueue

from dlqlab.contracts.recorded import Kind
from dlqlab.emulator.recorder.actors import Actor
from dlqlab.emulator.recorder.witness import Stamp, Witness

_UNKNOWN = object()


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


def happened(
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
