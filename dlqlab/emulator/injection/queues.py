"""What is done to messages: deletes that are dropped, messages that come twice, late, in another order, or never.

A message's own delay, and a second delivery, are of standard queues only: a FIFO queue has neither, and there these
faults strike nothing.
"""

import functools
import math
from typing import Any

from localstack.services.sqs.models import FifoQueue, SqsMessage, SqsQueue, StandardQueue

from dlqlab.contracts.injection import REORDER_DRAW, Case, Fault, Kind, Place, matches
from dlqlab.emulator.injection.state import HOLDER, InForce
from dlqlab.emulator.sqs import message_retention

_AS_LONG_AS_CAN_BE_S = 900
_LATE = frozenset({Kind.LATE, Kind.REORDER, Kind.EXPIRED})


def install() -> None:
    """Strike messages from now on, where a plan says so."""
    _drop_deletes()
    _give_twice()
    for kind in (StandardQueue, FifoQueue):
        _on_entering(kind)


def _drop_deletes() -> None:
    original = SqsQueue.remove

    @functools.wraps(original)
    def remove(self: SqsQueue, receipt_handle: str) -> None:
        in_force = _in_force()
        message = self.receipts.get(receipt_handle) if in_force else None
        if in_force and message is not None and not message.deleted:
            case = _case(in_force, message)
            if _strike(in_force, self, message, case, frozenset({Kind.DELETE_DROPPED})):
                return
        original(self, receipt_handle)

    SqsQueue.remove = remove


def _give_twice() -> None:
    original, hide = StandardQueue.receive, SqsQueue.update_visibility_timeout

    @functools.wraps(original)
    def receive(self: StandardQueue, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        in_force = _in_force()
        if in_force:
            for message, handle in zip(result.successful, result.receipt_handles, strict=True):
                case = _case(in_force, message)
                fault = _strike(in_force, self, message, case, frozenset({Kind.DUPLICATE}))
                if fault and message in self.inflight:
                    hide(self, handle, math.ceil(fault.seconds))
        return result

    StandardQueue.receive = receive


def _on_entering(kind: type[SqsQueue]) -> None:
    original = kind.put

    @functools.wraps(original)
    def put(self: SqsQueue, message: dict[str, Any], *args: Any, **kwargs: Any) -> SqsMessage:
        in_force = HOLDER.in_force
        if in_force is None:
            return original(self, message, *args, **kwargs)
        in_force.entered(self.name)
        fault, case = None, _case_of(in_force, message)
        if isinstance(self, StandardQueue) and in_force.has(Place.QUEUE):
            fault = _struck(in_force, self.name, case, _LATE)
        if fault is None:
            return original(self, message, *args, **kwargs)
        _tell(in_force, fault, self, str(message.get("MessageId")), case)
        return _put_late(self, fault, in_force.draw(fault, case, REORDER_DRAW), original, message, *args, **kwargs)

    kind.put = put


def _put_late(
    queue: SqsQueue,
    fault: Fault,
    drawn: float,
    put: Any,
    message: dict[str, Any],
    visibility_timeout: int | None = None,
    message_deduplication_id: str | None = None,
    message_group_id: str | None = None,
    delay_seconds: int | None = None,
) -> SqsMessage:
    """Put a message with a delay of its own on top of its sender's; one that shall expire is taken out again."""
    asked_s = queue.delay_seconds if delay_seconds is None else delay_seconds
    more_s = fault.seconds * drawn if fault.kind is Kind.REORDER else fault.seconds
    delay_s = _AS_LONG_AS_CAN_BE_S if fault.kind is Kind.EXPIRED else asked_s + more_s
    entered: SqsMessage = put(
        queue, message, visibility_timeout, message_deduplication_id, message_group_id, delay_s or None
    )
    if fault.kind is Kind.EXPIRED:
        with queue.mutex:
            message_retention._drop(queue, entered)
        entered.delay_seconds = asked_s
    return entered


def _in_force() -> InForce | None:
    in_force = HOLDER.in_force
    return in_force if in_force is not None and in_force.has(Place.QUEUE) else None


def _case(in_force: InForce, message: SqsMessage) -> Case:
    return _case_of(in_force, message.message)


def _case_of(in_force: InForce, message: dict[str, Any]) -> Case:
    message_id = str(message.get("MessageId"))
    count = int((message.get("Attributes") or {}).get("ApproximateReceiveCount") or 0)
    key = in_force.key_of(str(message.get("Body", "")))
    return Case(key=key or message_id, message_id=message_id, receive_count=max(1, count))


def _struck(in_force: InForce, queue: str, case: Case, kinds: frozenset[Kind]) -> Fault | None:
    return in_force.struck(Place.QUEUE, case, lambda one: one.kind in kinds and matches(one.queue, queue))


def _strike(
    in_force: InForce, queue: SqsQueue, message: SqsMessage, case: Case, kinds: frozenset[Kind]
) -> Fault | None:
    fault = _struck(in_force, queue.name, case, kinds)
    if fault:
        _tell(in_force, fault, queue, message.message_id, case)
    return fault


def _tell(in_force: InForce, fault: Fault, queue: SqsQueue, message_id: str, case: Case) -> None:
    in_force.tell(fault, case, queue=queue.arn, message_id=message_id, receive_count=case.receive_count)
