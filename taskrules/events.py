"""Log events: one JSON object a line, written by the app and read by the harness. This is the one schema.

Every event carries the common fields; a field that does not apply is null. ``ts`` is the handler's own clock in
seconds: the time stamp of a log store says when the line was stored, not when it happened.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SCHEMA = 1


class EventName(StrEnum):
    """Everything that the app reports."""

    TASK_ACCEPTED = "task.accepted"
    TASK_REPLAYED = "task.replayed"
    TASK_REJECTED = "task.rejected"
    ATTEMPT_STARTED = "attempt.started"
    ATTEMPT_SUCCEEDED = "attempt.succeeded"
    ATTEMPT_FAILED = "attempt.failed"
    ATTEMPT_SKIPPED = "attempt.skipped"
    TASK_DEAD_LETTERED = "task.dead_lettered"
    TASK_REQUEUED = "task.requeued"
    BREAKER_OPENED = "breaker.opened"
    BREAKER_HALF_OPENED = "breaker.half_opened"
    BREAKER_CLOSED = "breaker.closed"


COMMON_FIELDS = (
    "event",
    "schema",
    "ts",
    "runId",
    "taskId",
    "attempt",
    "generation",
    "receiveCount",
    "messageId",
    "function",
    "requestId",
    "traceId",
    "coldStart",
)

OWN_FIELDS: Mapping[EventName, tuple[str, ...]] = {
    EventName.TASK_ACCEPTED: (),
    EventName.TASK_REPLAYED: ("status",),
    EventName.TASK_REJECTED: ("statusCode", "errors"),
    EventName.ATTEMPT_STARTED: ("batchSize",),
    EventName.ATTEMPT_SUCCEEDED: ("durationS",),
    EventName.ATTEMPT_FAILED: ("errorType", "errorMessage", "permanent", "backoffS", "durationS"),
    EventName.ATTEMPT_SKIPPED: ("reason",),
    EventName.TASK_DEAD_LETTERED: (
        "payload",
        "errorType",
        "errorMessage",
        "attempts",
        "reason",
        "firstTs",
        "lastTs",
        "archived",
    ),
    EventName.TASK_REQUEUED: ("reason",),
    EventName.BREAKER_OPENED: ("reason",),
    EventName.BREAKER_HALF_OPENED: ("reason",),
    EventName.BREAKER_CLOSED: ("reason",),
}
_FIELDS = {str(name): dict.fromkeys((*COMMON_FIELDS, *own)) for name, own in OWN_FIELDS.items()}
"""All fields of an event, in schema order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Who writes an event, and about which task, attempt and message."""

    run_id: str | None = None
    function: str | None = None
    request_id: str | None = None
    trace_id: str | None = None
    cold_start: bool | None = None
    task_id: str | None = None
    attempt: int | None = None
    generation: int | None = None
    receive_count: int | None = None
    message_id: str | None = None


class EventSchemaError(ValueError):
    """A log line says that it is an event but does not keep to the schema."""


def build_event(name: EventName, context: Context, ts: float, **own: Any) -> dict[str, Any]:
    """One event with all its fields in schema order.

    Raises:
        EventSchemaError: an own field is missing or not of this event.
    """
    expected = OWN_FIELDS[name]
    if set(own) != set(expected):
        raise EventSchemaError(f"{name} takes the fields {list(expected)}, got {sorted(own)}")
    return {
        "event": str(name),
        "schema": SCHEMA,
        "ts": round(ts, 6),
        "runId": context.run_id,
        "taskId": context.task_id,
        "attempt": context.attempt,
        "generation": context.generation,
        "receiveCount": context.receive_count,
        "messageId": context.message_id,
        "function": context.function,
        "requestId": context.request_id,
        "traceId": context.trace_id,
        "coldStart": context.cold_start,
        **{field: own[field] for field in expected},
    }


def to_line(event: Mapping[str, Any]) -> str:
    """The event as one line: newlines inside values are escaped by JSON, so a line is always one event."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)


def parse_line(line: str) -> dict[str, Any] | None:
    """The event of a log line, or None for a line that is not one of ours (START, END, REPORT, a print).

    Raises:
        EventSchemaError: the line is a JSON object with an ``event`` that is unknown or lacks fields.
    """
    text = line.strip()
    if not text.startswith("{"):
        return None
    try:
        record = json.loads(text)
    except json.JSONDecodeError:
        return None
    if not isinstance(record, dict) or "event" not in record:
        return None
    return _checked(record)


def _checked(record: dict[str, Any]) -> dict[str, Any]:
    fields = _FIELDS.get(record["event"]) if isinstance(record["event"], str) else None
    if fields is None:
        raise EventSchemaError(f"event {record['event']!r} is not in the schema: {sorted(EventName)}")
    if record.get("schema") != SCHEMA:
        raise EventSchemaError(f"{record['event']} has schema {record.get('schema')!r}, this reader knows {SCHEMA}")
    if not fields.keys() <= record.keys():
        raise EventSchemaError(f"{record['event']} lacks {[name for name in fields if name not in record]}")
    return record
