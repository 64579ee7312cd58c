"""Hooks where messages are given out, come back, and are hidden."""

import functools

from localstack.services.sqs.models import MessageGroup, SqsMessage, SqsQueue, StandardQueue

from dlqlab.contracts.recorded import Kind
from dlqlab.emulator.recorder.actors import HERE
from dlqlab.emulator.recorder.happened import arn_of, count_of, happened
from dlqlab.emulator.recorder.witness import Witness

_RECEIVED = Kind.RECEIVED.value


def install(witness: Witness) -> None:
    _on_receiving(witness)
    _on_returning(witness)
    _on_hiding(witness)


def _on_receiving(witness: Witness) -> None:
    original = SqsQueue.create_receipt_handle  # of a receive, before anybody else can have the message again

    @functools.wraps(original)
    def create_receipt_handle(self: SqsQueue, message: SqsMessage) -> str:
        try:
            doing = HERE.doing
            if doing.redrive is not None:
                doing.redriven = message.message_id, count_of(message) - 1, message
            elif (arn := arn_of(self)) is not None:
                timeout_s = message.visibility_timeout
                happened(witness, _RECEIVED, arn, message, doing.actor, None, timeout_s)
                if timeout_s == 0 and isinstance(self, StandardQueue):
                    happened(witness, Kind.RETURNED.value, arn, message, doing.actor)  # it never goes in flight
                else:
                    message.recorded_out_of = arn
        except Exception as error:  # noqa: BLE001  (it must be given out)
            witness.failed(error)
        return original(self, message)  # type: ignore[no-any-return]

    SqsQueue.create_receipt_handle = create_receipt_handle


def _on_returning(witness: Witness) -> None:
    put_message, push = StandardQueue._put_message, MessageGroup.push

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

    StandardQueue._put_message = standard
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
        arn, doing = arn_of(self), HERE.doing
        if arn is None or doing.redrive is not None:
            original(self, receipt_handle, visibility_timeout)
            return
        with self.mutex:
            message = self.receipts.get(receipt_handle)
            is_in_flight = message is not None and message in self.inflight
            stamp = witness.stamp()
            original(self, receipt_handle, visibility_timeout)
            if is_in_flight:
                happened(witness, Kind.HIDDEN.value, arn, message, doing.actor, stamp, float(visibility_timeout))

    SqsQueue.update_visibility_timeout = update_visibility_timeout
