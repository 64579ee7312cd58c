"""Spans of messages that are given out: from the receive until the invocation has ended, or the message is settled.

Names and attributes: "Semantic conventions for messaging spans" and "Semantic conventions for AWS SQS" of
OpenTelemetry. What has no name there begins with ``dlqlab.``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opentelemetry.semconv._incubating.attributes import messaging_attributes as messaging
from opentelemetry.semconv.attributes import error_attributes as errors

from dlqlab.contracts.recorded import LEAVES, ActorKind, Outcome
from dlqlab.contracts.recorded import Kind as Happened
from dlqlab.traces import ids
from dlqlab.traces.index import Index
from dlqlab.traces.model import About, Attributes, Event, Kind, Link, Place, Row, Span, attributes

SQS = messaging.MessagingSystemValues.AWS_SQS.value
BATCH_ITEM_FAILURE = "batch_item_failure"
"""``error.type`` of a message that a function named in its partial batch response."""
_ENDS = frozenset({*LEAVES, Happened.RETURNED})
_OPERATIONS = messaging.MessagingOperationTypeValues


@dataclass(slots=True)
class Delivery:
    """A receive, what became of the message until the next one, and the invocations that had it meanwhile."""

    received: Row
    after: list[Row] = field(default_factory=list)
    invocations: list[Row] = field(default_factory=list)

    def place(self, trace: str) -> Place:
        row = self.received
        names = (row["cell"], row["queue"], row["message_id"], row["ts"])
        return Place(trace, ids.span_id("delivery", *names))


def deliveries_of(rows: Sequence[Row], invocations: Sequence[Row]) -> tuple[list[Row], list[Delivery]]:
    """A message's rows in one queue: those before its first receive, and its deliveries.

    Args:
        invocations: that were given the message, in the order of their starts.
    """
    before: list[Row] = []
    found: list[Delivery] = []
    for row in rows:
        if row["kind"] == Happened.RECEIVED:
            found.append(Delivery(row))
        else:
            (found[-1].after if found else before).append(row)
    for invocation in invocations:
        had = [delivery for delivery in found if delivery.received["ts"] <= invocation["started_ts"]]
        if had:
            had[-1].invocations.append(invocation)
    return before, found


def span(index: Index, trace: str, delivery: Delivery, parent: Place | None) -> Span:
    """Of one delivery; an invocation of another trace, as of a batch mate, is linked."""
    row, error = delivery.received, _error_type(delivery)
    is_process = bool(delivery.invocations)
    operation = (_OPERATIONS.PROCESS if is_process else _OPERATIONS.RECEIVE).value
    end_ts, is_ended = _end(delivery)
    return Span(
        at=delivery.place(trace),
        about=About.DELIVERY,
        name=f"{operation} {queue_name(row['queue'])}",
        kind=Kind.CONSUMER,
        service=delivery.invocations[-1]["function"] if is_process else actor_name(row),
        start_ts=row["ts"],
        end_ts=end_ts,
        parent_id=parent.span_id if parent else None,
        attributes={
            **message_attributes(row, operation),
            **attributes(
                ("dlqlab.receive_count", row["receive_count"]),
                ("dlqlab.visible_after_s", row["visible_after_s"]),
                (errors.ERROR_TYPE, error),
            ),
        },
        events=events(delivery.after),
        links=_links(index, trace, delivery, parent),
        error=error,
        is_ended=is_ended,
    )


def events(rows: Sequence[Row]) -> tuple[Event, ...]:
    """What happened to a message meanwhile."""
    return tuple(
        Event(
            row["ts"],
            f"message.{row['kind']}",
            attributes(
                ("dlqlab.actor_kind", row["actor_kind"]),
                ("dlqlab.actor", row["actor"]),
                ("dlqlab.receive_count", row["receive_count"]),
                ("dlqlab.visible_after_s", row["visible_after_s"]),
            ),
        )
        for row in rows
    )


def message_attributes(row: Row, operation: str) -> Attributes:
    """Of a span about one message."""
    return attributes(
        (messaging.MESSAGING_SYSTEM, SQS),
        (messaging.MESSAGING_DESTINATION_NAME, queue_name(row["queue"])),
        (messaging.MESSAGING_MESSAGE_ID, row["message_id"]),
        (messaging.MESSAGING_OPERATION_NAME, operation),
        (messaging.MESSAGING_OPERATION_TYPE, operation),
        ("dlqlab.queue_arn", row["queue"]),
    )


def actor_name(row: Row) -> str:
    """Who did something to a message, as the service of a span."""
    if row["actor_kind"] == ActorKind.INVOCATION:
        return str(row["actor"])
    if row["actor_kind"] == ActorKind.SERVICE:
        name = str(row["actor"] or "sqs").partition(" ")[0]
        return _SERVICES.get(name, "SQS" if name.startswith("arn:") else name)
    return "Lambda" if row["actor_kind"] == ActorKind.MAPPING else "client"


_SERVICES: Mapping[str, str] = {
    "sqs": "SQS",
    "redrive": "SQS",
    "sns": "SNS",
    "events": "EventBridge",
    "s3": "S3",
    "apigateway": "API Gateway",
}


def queue_name(arn: str | None) -> str | None:
    return arn.rpartition(":")[2] if arn else None


def _end(delivery: Delivery) -> tuple[float, bool]:
    """The last invocation's end, else that of the delivery itself; the last that is known where neither is over."""
    ended = [row["ended_ts"] for row in delivery.invocations]
    if ended and None not in ended:
        return max(ended), True
    settled = [row["ts"] for row in delivery.after if row["kind"] in _ENDS]
    if settled and not ended:
        return settled[0], True
    last = [row["ts"] for row in delivery.after] + [row["started_ts"] for row in delivery.invocations]
    return max(last, default=delivery.received["ts"]), False


def _error_type(delivery: Delivery) -> str | None:
    """Of the last invocation, where this message stays in the queue because of it."""
    if not delivery.invocations:
        return None
    row = delivery.invocations[-1]
    if delivery.received["message_id"] not in (row["failed_ids"] or ()):
        return None
    return BATCH_ITEM_FAILURE if row["outcome"] == Outcome.OK else row["error_type"] or row["outcome"]


def _links(index: Index, trace: str, delivery: Delivery, sent: Place | None) -> tuple[Link, ...]:
    ran = [index.invocation(row["cell"], row["request_id"], row["started_ts"]) for row in delivery.invocations]
    elsewhere = [Link(one.place) for one in ran if one and one.trace_id != trace]
    message = attributes((messaging.MESSAGING_MESSAGE_ID, delivery.received["message_id"]))
    return (*([Link(sent, message)] if sent else []), *elsewhere)
