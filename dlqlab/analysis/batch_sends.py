"""Batches that functions send, some entries of which were refused: the call succeeds, and only its answer says so."""

from collections.abc import Sequence
from http import HTTPStatus

from dlqlab.analysis.flow import Flow, subjects_of
from dlqlab.analysis.recorded_rows import Row
from dlqlab.contracts.recorded import Outcome

_SENDS = {
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sns", "PublishBatch"): "Publish",
    ("events", "PutEvents"): "PutEvents",
}
"""The call that sends a batch, and the one that sends one entry again."""


def refused(flow: Flow) -> tuple[str, ...]:
    """The messages whose functions lost entries of a batch so; where there are several or none, their request id."""
    sends: dict[str, list[Row]] = {}
    for call in flow.calls:
        if call["request_id"] and call["function"] and flow.is_own_caller(call["function"]) and _is_send(call):
            sends.setdefault(call["request_id"], []).append(call)
    lost = [request_id for request_id, some in sends.items() if _is_lost(some)]
    rows = {row["request_id"]: row for row in flow.every_invocation if row["request_id"] in sends} if lost else {}
    silent = [rows[one] for one in lost if one in rows and is_silent(rows[one])]
    return tuple(dict.fromkeys(name for row in silent for name in subjects_of(row)))


def _is_send(call: Row) -> bool:
    return any(
        call["service"] == service and call["operation"] in {batch, one} for (service, batch), one in _SENDS.items()
    )


def _is_lost(sends: Sequence[Row]) -> bool:
    """Whether, of the sends of one invocation, a batch had refused entries, and none later made it good."""
    return any(
        (call["service"], call["operation"]) in _SENDS
        and call["error_code"]
        and call["status"] == HTTPStatus.OK
        and not any(_makes_good(later, call) for later in sends)
        for call in sends
    )


def _makes_good(later: Row, batch: Row) -> bool:
    """Whether it went to the same place after that batch, and was taken."""
    return (
        (later["service"], later["resource"]) == (batch["service"], batch["resource"])
        and later["operation"] in {batch["operation"], _SENDS[batch["service"], batch["operation"]]}
        and later["ts"] > batch["ts"]
        and not later["error_code"]
    )


def is_silent(row: Row) -> bool:
    """Whether the function answered as if all were well, and named no message that is to come again."""
    is_told = row["reports_failures"] and row["named_ids"]
    return row["outcome"] == Outcome.OK and not is_told and not row.get("misread_ids")
