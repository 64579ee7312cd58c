"""Calls of functions that failed for good, and that the function's answer says nothing of."""

from collections.abc import Sequence
from http import HTTPStatus

from dlqlab.analysis.batch_sends import is_silent
from dlqlab.analysis.flow import Flow, subjects_of
from dlqlab.analysis.recorded_rows import Row
from dlqlab.analysis.writes import WRITES

_ANSWERS = frozenset(
    {
        "ConditionalCheckFailedException",
        "TransactionCanceledException",
        "ExecutionAlreadyExists",
        "PreconditionFailed",
        "ConditionalRequestConflict",
    }
)
"""Errors that say that it was done before: who makes the work idempotent goes on after them."""


def swallowed(flow: Flow) -> tuple[str, ...]:
    """The messages for which a write failed, none succeeded after it, and the answer was success all the same; of a
    batch the invocation's request id.
    """
    writes: dict[str, list[Row]] = {}
    for call in flow.calls:
        if call["request_id"] and call["operation"] in WRITES.get(call["service"], ()):
            writes.setdefault(call["request_id"], []).append(call)
    silent = (
        row for row in flow.invocations if is_silent(row) and _ends_in_a_failure(writes.get(row["request_id"], ()))
    )
    return tuple(dict.fromkeys(name for row in silent for name in subjects_of(row)))


def _ends_in_a_failure(writes: Sequence[Row]) -> bool:
    """Whether the last write of an invocation failed: then nothing was done in its place."""
    last = max(writes, key=lambda call: call["ts"], default=None)
    return last is not None and _has_failed(last)


def _has_failed(call: Row) -> bool:
    status = call["status"] or 0
    return not HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST and call["error_code"] not in _ANSWERS
