"""Batches that functions send, some entries of which were refused: the call succeeds, and only its answer says so."""

from http import HTTPStatus

from dlqlab.analysis.flow import Flow
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
    lost = {
        call["request_id"]: None
        for call in flow.calls
        if (call["service"], call["operation"]) in _SENDS
        and call["error_code"]
        and call["status"] == HTTPStatus.OK
        and call["function"]
        and flow.is_own_caller(call["function"])
        and not _is_made_good(flow, call)
    }
    rows = {row["request_id"]: row for row in flow.every_invocation if row["request_id"] in lost}
    ended_well = [request_id for request_id in lost if request_id in rows and rows[request_id]["outcome"] == Outcome.OK]
    return tuple(dict.fromkeys(name for request_id in ended_well for name in _names(rows[request_id])))


def _is_made_good(flow: Flow, batch: Row) -> bool:
    """Whether the same invocation sent to the same place later, and that was taken."""
    again = _SENDS[batch["service"], batch["operation"]]
    return any(
        call["request_id"] == batch["request_id"]
        and call["service"] == batch["service"]
        and call["operation"] in {again, batch["operation"]}
        and call["resource"] == batch["resource"]
        and call["ts"] > batch["ts"]
        and not call["error_code"]
        for call in flow.calls
    )


def _names(row: Row) -> tuple[str, ...]:
    if row["reports_failures"] and row["named_ids"]:
        return ()  # the function says that something is to come again
    ids = tuple(row["message_ids"] or ())
    return ids if len(ids) == 1 else (row["request_id"],)
