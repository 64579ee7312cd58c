"""The flight recorder's tables, and the form in which the emulator leaves them on disk.

Five tables, ``messages``, ``invocations``, ``calls``, ``bodies`` and ``faults``. Times are seconds since the epoch and
end in ``_ts``, durations are in seconds and end in ``_s``; a nullable column is null wherever it is not known. Rows
stand in the order of their times, and those of one message in the order in which they happened.

**On disk** a record is one folder in the emulator's state directory, ``recording``, with segments ``000001.rec``,
``000002.rec`` and so on. A segment is a sequence of chunks, each a head of 12 bytes (``<4sII``: ``RECD``, the payload's
length, its CRC-32) and a payload of rows. Chunks are appended at most ``BEHIND_MAX_S`` after what they tell of; a chunk
that was being written when the emulator was killed is recognised and left out. The rows inside chunks are the
recorder's own: ``dlqlab.emulator.recorder.reader.read`` makes tables of them, and is the only way in::

    def read(folder: Path, *, cell: int | None = None) -> Recording
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

_TEXT, _REAL, _WHOLE, _FLAG, _TEXTS = pa.string(), pa.float64(), pa.int64(), pa.bool_(), pa.list_(pa.string())


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Arrow type, what it says, its unit, and whether it may be null."""

    dtype: pa.DataType
    meaning: str
    unit: str = ""
    nullable: bool = True


_EPOCH = "s since the epoch"
_CELL = Column(_WHOLE, "emulator that the row is from, counted from 0; null for a run on one")
_FAULT = Column(_TEXT, "the fault from outside that struck it, as ``faults.fault``; the first of several")
_TRACE = "root of the AWS X-Ray trace header"

MESSAGES: Mapping[str, Column] = {
    "ts": Column(_REAL, "when it happened", _EPOCH, nullable=False),
    "queue": Column(_TEXT, "ARN of the queue", nullable=False),
    "message_id": Column(
        _TEXT, "unique in its queue; a dead letter keeps its id, a redriven message gets another", nullable=False
    ),
    "kind": Column(_TEXT, "what happened: see Kind", nullable=False),
    "receive_count": Column(
        _WHOLE,
        "how often it has been given to a consumer, as ApproximateReceiveCount tells; null "
        "for not_deleted and deduplicated",
    ),
    "actor_kind": Column(_TEXT, "who did it: see ActorKind", nullable=False),
    "actor": Column(_TEXT, "who did it, by name: see ActorKind"),
    "request_id": Column(
        _TEXT,
        "invocation: Lambda's request id; mapping: of the invocation that had the message, "
        "null before it; client: the X-Request-Id or amz-sdk-invocation-id that it sent; service: of whoever it acts "
        "for, as the publisher of what SNS delivers",
    ),
    "delay_s": Column(_REAL, "sent: until it is visible", "s"),
    "visible_after_s": Column(_REAL, "received, hidden: until it is visible again", "s"),
    "group_id": Column(_TEXT, "MessageGroupId, where it has one"),
    "dedup_id": Column(_TEXT, "MessageDeduplicationId, given or made of the body; FIFO queues only"),
    "body_sha256": Column(_TEXT, "sent, deduplicated: hex SHA-256 of the body in UTF-8, as it was sent"),
    "body_bytes": Column(_WHOLE, "sent, deduplicated: length of the body in UTF-8", "bytes"),
    "task_key": Column(
        _TEXT,
        "the task that it belongs to: the key where the pipeline declares one, else the id of the first message of its "
        "chain; null where the record cannot tell",
    ),
    "parent_ids": Column(
        _TEXTS,
        "sent: the messages that it may come from, one of them where there are several. By an invocation: those that "
        "this was given, fewer where trace header or task key tells; a dead letter or redriven message: one. Null "
        "where it has no parent, as for what clients send",
    ),
    "trace_id": Column(_TEXT, f"sent, deduplicated: {_TRACE} that it carries"),
    "fault": _FAULT,
    "cell": _CELL,
}

INVOCATIONS: Mapping[str, Column] = {
    "request_id": Column(
        _TEXT, "Lambda's; an asynchronous invocation that is tried again has several rows", nullable=False
    ),
    "function": Column(_TEXT, "its name", nullable=False),
    "environment": Column(
        _TEXT, "execution environment; the name of its log stream ends with it. Null where there was none"
    ),
    "source": Column(
        _TEXT, "mapping | client | api gateway | function url | invocation | else the service, as sns, events, s3"
    ),
    "source_arn": Column(_TEXT, "mapping: the queue; else on whose behalf it was invoked, where that is known"),
    "started_ts": Column(_REAL, "when Lambda was asked for it", _EPOCH, nullable=False),
    "ended_ts": Column(_REAL, "null where it had not ended when the record did", _EPOCH),
    "init_s": Column(_REAL, "how long the init took; null where its environment was warm", "s"),
    "duration_s": Column(
        _REAL,
        "from when the environment had the event until it had the answer, as the REPORT line "
        "tells; null where no handler ran",
        "s",
    ),
    "outcome": Column(_TEXT, "see Outcome; null where it had not ended"),
    "error_type": Column(_TEXT, "errorType of the error document"),
    "error_message": Column(_TEXT, "errorMessage of the error document, redacted, its first 1,000 characters"),
    "message_ids": Column(_TEXTS, "mapping: the messages that it was given, in order"),
    "failed_ids": Column(
        _TEXTS,
        "mapping: those that stay in the queue: all after an error, else what "
        "batchItemFailures names where that is asked for",
    ),
    "named_ids": Column(
        _TEXTS,
        "mapping: those that batchItemFailures of the answer names, also where that is not asked for; null where the "
        "function gave no answer, or one without batchItemFailures for which nobody asks",
    ),
    "misread_ids": Column(
        _TEXTS,
        "mapping: those that the answer calls failed in a form that Lambda does not read: under another name than "
        "batchItemFailures, or all by a statusCode of 400 and above; null where the function gave no answer",
    ),
    "reports_failures": Column(_FLAG, "mapping: ReportBatchItemFailures is on"),
    "memory_mb": Column(_REAL, "most that the environment's process has used so far", "MiB"),
    "client_request_id": Column(_TEXT, "of the HTTP request behind it, as in calls.request_id"),
    "trace_id": Column(_TEXT, f"{_TRACE} that it was given"),
    "fault": _FAULT,
    "cell": _CELL,
}

CALLS: Mapping[str, Column] = {
    "ts": Column(_REAL, "when the request was there", _EPOCH, nullable=False),
    "duration_s": Column(_REAL, "until its answer was made", "s", nullable=False),
    "request_id": Column(
        _TEXT,
        "invocation: Lambda's request id, null during an init or after the answer; client: the "
        "X-Request-Id or amz-sdk-invocation-id that it sent; one is made up for a request to a "
        "REST API or function URL that has none; service: as in messages",
    ),
    "function": Column(_TEXT, "the function that called; null for others"),
    "actor_kind": Column(_TEXT, "who called: see ActorKind", nullable=False),
    "actor": Column(_TEXT, "who called, by name: see ActorKind"),
    "service": Column(
        _TEXT,
        "as AWS signs it: sqs, dynamodb, lambda ...; execute-api for a deployed REST API, "
        "lambda-url for a function URL",
        nullable=False,
    ),
    "operation": Column(_TEXT, "SendMessage, PutItem ...; the HTTP method for execute-api and lambda-url"),
    "resource": Column(_TEXT, "queue URL, table, function, topic ...; the path for execute-api and lambda-url"),
    "item_key": Column(
        _TEXT,
        "DynamoDB: the item's key as JSON, where the call is about one item; SQS: the message id "
        "that the receipt handle is of",
    ),
    "update": Column(
        _TEXT,
        "DynamoDB: the UpdateExpression, by which one write of an item can be told from another; it has no values",
    ),
    "status": Column(_WHOLE, "HTTP status of the answer", nullable=False),
    "error_code": Column(_TEXT, "AWS's, where the answer is an error, or refuses entries of a batch: of the first"),
    "trace_id": Column(_TEXT, f"{_TRACE} of the request"),
    "fault": _FAULT,
    "cell": _CELL,
}

BODIES: Mapping[str, Column] = {
    "body_sha256": Column(_TEXT, "of the body as it was sent; each stands here once", nullable=False),
    "body": Column(_TEXT, "the body, redacted as log lines are; its beginning where it is cut", nullable=False),
    "body_bytes": Column(_WHOLE, "length as it was sent, in UTF-8", "bytes", nullable=False),
    "is_redacted": Column(_FLAG, "something was taken out", nullable=False),
    "is_cut": Column(_FLAG, "the end was taken off, because it is over the limit for one body", nullable=False),
}

FAULTS: Mapping[str, Column] = {
    "ts": Column(_REAL, "when it struck", _EPOCH, nullable=False),
    "fault": Column(_TEXT, "its name in the plan", nullable=False),
    "kind": Column(_TEXT, "what was done", nullable=False),
    "task_key": Column(_TEXT, "what its draw went by: the task's key, else an id", nullable=False),
    "function": Column(_TEXT, "the function that was invoked, or that called"),
    "queue": Column(_TEXT, "ARN of the message's queue"),
    "message_id": Column(_TEXT, "the message that it struck"),
    "receive_count": Column(_WHOLE, "how often that had been received"),
    "request_id": Column(_TEXT, "the invocation that it struck, or that called"),
    "service": Column(_TEXT, "of a call or request, as ``calls.service``"),
    "operation": Column(_TEXT, "as ``calls.operation``"),
    "resource": Column(_TEXT, "as ``calls.resource``"),
    "nth": Column(_WHOLE, "of a call: which of its operation it was in the invocation, from 1"),
    "attempt": Column(_WHOLE, "of a call or request: which attempt of the client it was, from 1"),
    "cell": _CELL,
}

TABLES: Mapping[str, Mapping[str, Column]] = {
    "messages": MESSAGES,
    "invocations": INVOCATIONS,
    "calls": CALLS,
    "bodies": BODIES,
    "faults": FAULTS,
}


def schema(table: str) -> pa.Schema:
    """A table's Arrow schema; meaning and unit are in the metadata of its fields."""
    return pa.schema(
        pa.field(name, column.dtype, column.nullable, {"meaning": column.meaning, "unit": column.unit})
        for name, column in TABLES[table].items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What an emulator recorded, as tables of the schemas above."""

    messages: pa.Table
    invocations: pa.Table
    calls: pa.Table
    bodies: pa.Table
    faults: pa.Table
    gaps: tuple[str, ...]
    """Why the record does not have everything, in sentences; empty where it has."""
    is_ended: bool
    """Whether the emulator ended in good order, and with it the record."""
