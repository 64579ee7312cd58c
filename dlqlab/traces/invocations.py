"""Spans of functions: each invocation, and the init in it.

Names and attributes: "Instrumenting AWS Lambda" and "Semantic conventions for FaaS spans" of OpenTelemetry.
"""

from collections.abc import Iterator

from opentelemetry.semconv._incubating.attributes import faas_attributes as faas
from opentelemetry.semconv._incubating.attributes import messaging_attributes as messaging
from opentelemetry.semconv.attributes import error_attributes as errors
from opentelemetry.semconv.attributes import exception_attributes as exceptions

from dlqlab.contracts.recorded import Outcome
from dlqlab.traces import ids
from dlqlab.traces.deliveries import SQS, queue_name
from dlqlab.traces.index import Index
from dlqlab.traces.model import About, Event, Kind, Link, Place, Row, Span, attributes

_PUBSUB = faas.FaasTriggerValues.PUBSUB.value
_TRIGGERS = {
    "mapping": _PUBSUB,
    "sns": _PUBSUB,
    "api gateway": faas.FaasTriggerValues.HTTP.value,
    "function url": faas.FaasTriggerValues.HTTP.value,
    "s3": faas.FaasTriggerValues.DATASOURCE.value,
}


def place(index: Index, row: Row) -> Place:
    """Of an invocation's span.

    Raises:
        KeyError: the index was not made of this row.
    """
    ran = index.invocation(row["cell"], row["request_id"], row["started_ts"])
    if ran is None:
        raise KeyError(row["request_id"])
    return ran.place


def route(row: Row) -> str | None:
    """Of the REST API's method that invoked the function: ``/tasks``."""
    if row["source"] != "api gateway" or not row["source_arn"]:
        return None
    parts = row["source_arn"].rpartition(":")[2].split("/", 3)  # API, stage, method, path
    return "/" + parts[3] if len(parts) > 3 else "/"  # noqa: PLR2004  (as the comment says)


def spans(index: Index, row: Row, parent: Place | None) -> Iterator[Span]:
    """Of one invocation; its links lead to each message that it was given."""
    at = place(index, row)
    is_open = row["outcome"] is None
    end_ts = row["ended_ts"] or row["started_ts"] + (row["duration_s"] or 0.0)
    error = None if is_open or row["outcome"] == Outcome.OK else row["error_message"] or row["outcome"]
    yield Span(
        at=at,
        about=About.INVOCATION,
        name=row["function"],
        kind=Kind.SERVER,
        service=row["function"],
        start_ts=row["started_ts"],
        end_ts=end_ts,
        parent_id=parent.span_id if parent else None,
        attributes=_attributes(row, error),
        events=_exception(row, end_ts) if error is not None else (),
        links=_links(index, row),
        error=error,
        is_ended=not is_open,
    )
    if row["init_s"] is not None:
        yield _init(at, row, end_ts)


def error_type(row: Row) -> str:
    """Of an invocation that failed."""
    return str(row["error_type"] or row["outcome"])


def _attributes(row: Row, error: str | None) -> dict[str, str | bool | int | float | tuple[str, ...]]:
    given = row["message_ids"]
    queue = queue_name(row["source_arn"]) if given else None
    return dict(
        attributes(
            (faas.FAAS_NAME, row["function"]),
            (faas.FAAS_INVOCATION_ID, row["request_id"]),
            (faas.FAAS_TRIGGER, _TRIGGERS.get(row["source"], faas.FaasTriggerValues.OTHER.value)),
            (faas.FAAS_COLDSTART, row["init_s"] is not None),
            (faas.FAAS_INSTANCE, row["environment"]),
            (messaging.MESSAGING_SYSTEM, SQS if given else None),
            (
                messaging.MESSAGING_OPERATION_TYPE,
                messaging.MessagingOperationTypeValues.PROCESS.value if given else None,
            ),
            (messaging.MESSAGING_DESTINATION_NAME, queue),
            (messaging.MESSAGING_BATCH_MESSAGE_COUNT, len(given) if given else None),
            ("dlqlab.outcome", row["outcome"]),
            ("dlqlab.source", row["source"]),
            ("dlqlab.failed_message_ids", row["failed_ids"] or None),
            ("dlqlab.memory_mb", row["memory_mb"]),
            (errors.ERROR_TYPE, error_type(row) if error is not None else None),
        )
    )


def _exception(row: Row, ts: float) -> tuple[Event, ...]:
    """Of a function that said what went wrong; a throttled one said nothing."""
    if not row["error_type"] and not row["error_message"]:
        return ()
    named = attributes(
        (exceptions.EXCEPTION_TYPE, row["error_type"]), (exceptions.EXCEPTION_MESSAGE, row["error_message"])
    )
    return (Event(ts, "exception", named),)


def _links(index: Index, row: Row) -> tuple[Link, ...]:
    sent = [index.message(row["cell"], row["source_arn"], each) for each in row["message_ids"] or ()]
    return tuple(Link(one.place, attributes((messaging.MESSAGING_MESSAGE_ID, one.message_id))) for one in sent if one)


def _init(at: Place, row: Row, end_ts: float) -> Span:
    """It ends when the handler begins, or with the invocation where none ran."""
    ready_ts = max(row["started_ts"], end_ts - (row["duration_s"] or 0.0))
    return Span(
        at=Place(at.trace_id, ids.span_id("init", at.span_id)),
        about=About.INIT,
        name=f"init {row['function']}",
        kind=Kind.INTERNAL,
        service=row["function"],
        start_ts=max(row["started_ts"], ready_ts - row["init_s"]),
        end_ts=ready_ts,
        parent_id=at.span_id,
        attributes=attributes((faas.FAAS_NAME, row["function"]), (faas.FAAS_INSTANCE, row["environment"])),
        error=row["error_message"] or row["outcome"] if row["outcome"] == Outcome.INIT_ERROR else None,
    )
