"""The rows of the record on disk: a tag, then values in the order given here. Pure.

``seq`` counts all rows of one emulator and is taken when the thing happens: rows are written by several threads, and
may stand in a file in another order. ``_header`` is a whole X-Ray trace header.
"""

MESSAGE = "m"
MESSAGE_FIELDS = (
    "seq",
    "ts",
    "queue",
    "message_id",
    "kind",
    "receive_count",
    "actor_kind",
    "actor",
    "request_id",
    "delay_s",
    "visible_after_s",
    "group_id",
    "dedup_id",
    "body_sha256",
    "body_bytes",
    "parent_ids",
    "trace_header",
)

STARTED = "s"
STARTED_FIELDS = (
    "seq",
    "started_ts",
    "request_id",
    "function",
    "source",
    "source_arn",
    "message_ids",
    "reports_failures",
    "client_request_id",
)
"""An invocation has begun; its ``seq`` is its name in ``ENDED``, because a request id can have several."""

ENDED = "e"
ENDED_FIELDS = (
    "started_seq",
    "ended_ts",
    "environment",
    "init_s",
    "duration_s",
    "outcome",
    "error_type",
    "error_message",
    "failed_ids",
    "named_ids",
    "misread_ids",
    "memory_mb",
    "trace_header",
)

CALL = "c"
CALL_FIELDS = (
    "seq",
    "ts",
    "duration_s",
    "request_id",
    "function",
    "actor_kind",
    "actor",
    "service",
    "operation",
    "resource",
    "item_key",
    "update",
    "status",
    "error_code",
    "trace_header",
)

BODY = "b"
BODY_FIELDS = ("body_sha256", "body", "body_bytes", "is_redacted", "is_cut")

FAULT = "f"
FAULT_FIELDS = (
    "seq",
    "ts",
    "fault",
    "kind",
    "task_key",
    "function",
    "queue",
    "message_id",
    "receive_count",
    "request_id",
    "service",
    "operation",
    "resource",
    "nth",
    "attempt",
)

LOST = "l"
"""Reason, and how many rows have been lost for it so far."""

CLOSED = "z"
"""The emulator ends in good order: the last row."""

UNFINISHED_MESSAGE = "M"
"""In memory only: a message's row that has the body in the place of its hash."""
UNFINISHED_ENDED = "E"
"""In memory only: an ``ENDED`` row that has the error document in the place of the error's type, the list of the
message ids and whether failures are reported in those of the ids, and after all others the answer."""
UNFINISHED_CALL = "C"
"""In memory only: the beginning of a ``SERVED_CALL`` row, the request (method, address, body), time and status of its
answer, the answer's body if it is an error's, and what was found out meanwhile (``calls.Told``) or None."""
ASKED = "a"
"""On disk, an invocation that has begun, of which whoever reads it makes a row of ``STARTED``: seq, time, request id,
function, what told who asked (``askers.Asker``) or None, and of a batch the message ids and whether failures are
reported, else None."""
SERVED_CALL = "k"
"""On disk, a call that was served as its body asks for it; whoever reads it makes a row of ``CALL`` of it: seq, time,
actor (kind, name, request id), service, the header X-Amz-Target, trace header, resource, the key that the call has or
a receipt handle, update expression, time of the answer, status as the status line has it. Of a request to an HTTP API
or a function URL the resource is its path, redacted, and the key its method."""
