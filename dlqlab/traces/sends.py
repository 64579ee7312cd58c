"""Spans of messages that enter a queue, whoever sends them: a client, a function, a service, SQS itself by a move.

Names and attributes as of ``deliveries``.
"""

from collections.abc import Sequence

from opentelemetry.semconv._incubating.attributes import messaging_attributes as messaging

from dlqlab.contracts.recorded import ActorKind
from dlqlab.traces.deliveries import actor_name, events, message_attributes, queue_name
from dlqlab.traces.index import Index, Sent
from dlqlab.traces.model import About, Kind, Link, Place, Row, Span, attributes

_SEND = messaging.MessagingOperationTypeValues.SEND.value


def call_of(row: Row, calls: Sequence[Row]) -> Row | None:
    """The call of SQS by which a message was sent: of the same request, and under way when it was."""
    return next(
        (
            call
            for call in calls
            if call["service"] == "sqs"
            and call["request_id"] == row["request_id"]
            and call["ts"] <= row["ts"] <= call["ts"] + call["duration_s"]
        ),
        None,
    )


def span(index: Index, sent: Sent, row: Row, *, call: Row | None, parent: Place | None, before: Sequence[Row]) -> Span:
    """Of one message.

    Args:
        call: by which it was sent; the span has its times.
        before: rows about the message before anybody received it.
    """
    start_ts, end_ts = (call["ts"], call["ts"] + call["duration_s"]) if call else (row["ts"], row["ts"])
    return Span(
        at=sent.place,
        about=About.SEND,
        name=f"{_SEND} {queue_name(row['queue'])}",
        kind=Kind.PRODUCER,
        service=actor_name(row),
        start_ts=start_ts,
        end_ts=end_ts,
        parent_id=parent.span_id if parent else None,
        attributes={
            **message_attributes(row, _SEND),
            **attributes(
                (messaging.MESSAGING_MESSAGE_BODY_SIZE, row["body_bytes"]),
                ("dlqlab.group_id", row["group_id"]),
                ("dlqlab.delay_s", row["delay_s"] or None),
                ("dlqlab.sender", row["actor"]),
            ),
        },
        events=events([one for one in before if one is not row]),
        links=_links(index, sent, row),
    )


def _links(index: Index, sent: Sent, row: Row) -> tuple[Link, ...]:
    """The messages that it may come from, and the invocation that sent it where that is of another trace."""
    parents = [
        Link(one.place, attributes((messaging.MESSAGING_MESSAGE_ID, one.message_id))) for one in index.parents(row)
    ]
    is_sent_by_function = row["actor_kind"] == ActorKind.INVOCATION
    ran = index.invocation(row["cell"], row["request_id"], row["ts"]) if is_sent_by_function else None
    return (*parents, *([Link(ran.place)] if ran and ran.trace_id != sent.trace_id else []))
