"""Hooks in LocalStack's queues: every message that enters, is given out, comes back, is hidden, and leaves.

Each hook takes its place in the order before others can see what happens, and writes it down once it has happened. They
go around whatever patches have made of LocalStack's methods, so that they see what really becomes of a message.
"""

from localstack.services.sqs.models import SqsMessage, SqsQueue

from dlqlab.emulator.recorder import delivering, entering, leaving
from dlqlab.emulator.recorder.happened import UNKNOWN
from dlqlab.emulator.recorder.witness import Witness


def install(witness: Witness) -> None:
    """Hook into the models of queues, and into the few steps of the service that tell what a step is part of."""
    SqsQueue.recorded_arn = UNKNOWN
    SqsMessage.recorded_out_of = None  # the queue that it was received from and has not come back to
    SqsMessage.recorded_gone = False  # out of its queue, although LocalStack may still have it somewhere
    entering.install(witness)
    delivering.install(witness)
    leaving.install(witness)
