"""Invocations with the calls that they made, and which call is about which message of a batch."""

from collections.abc import Iterable, Mapping, Sequence

from dlqlab.analysis.leaves import key_values, values_of
from dlqlab.analysis.life_parts import Attempt, Call
from dlqlab.analysis.recorded_rows import Row


def call_of(row: Row) -> Call:
    return Call(
        ts=row["ts"],
        duration_s=row["duration_s"],
        who=row["function"] or row["actor"],
        service=row["service"],
        operation=row["operation"],
        resource=row["resource"],
        item_key=row["item_key"],
        status=row["status"],
        error_code=row["error_code"],
        request_id=row["request_id"],
        fault=row.get("fault"),
    )


def attempt_of(
    invocation: Row,
    calls: Sequence[Row],
    message_id: str | None,
    bodies: Mapping[str, str],
    next_started_ts: float | None,
) -> Attempt:
    """One invocation as one of its messages sees it.

    Args:
        invocation: its row.
        calls: those that it made.
        message_id: the message; None for an invocation that was given none.
        bodies: of all messages of the batch, as far as they are kept.
        next_started_ts: when the next invocation of its environment started; None where there is none.
    """
    batch = invocation["message_ids"] or ()
    own, mates = list(calls), 0
    is_about = None
    if message_id is not None and len(batch) > 1:
        owners = [_owners(row, batch, bodies) for row in calls]
        own = [row for row, whose in zip(calls, owners, strict=True) if len(whose) != 1 or message_id in whose]
        mates = len(calls) - len(own)
        named = {message for whose in owners if len(whose) == 1 for message in whose}
        is_about = message_id in named if named else None
    return Attempt(
        request_id=invocation["request_id"],
        function=invocation["function"],
        environment=invocation["environment"],
        source=invocation["source"],
        started_ts=invocation["started_ts"],
        ended_ts=invocation["ended_ts"],
        init_s=invocation["init_s"],
        duration_s=invocation["duration_s"],
        outcome=invocation["outcome"],
        error_type=invocation["error_type"],
        error_message=invocation["error_message"],
        message_ids=tuple(batch),
        failed=None if message_id is None else message_id in (invocation["failed_ids"] or ()),
        client_request_id=invocation["client_request_id"],
        calls=tuple(call_of(row) for row in own),
        calls_of_mates=mates,
        is_about=is_about,
        reports_failures=invocation["reports_failures"],
        is_named=None
        if message_id is None or invocation["named_ids"] is None
        else message_id in invocation["named_ids"],
        is_misread=message_id in (invocation.get("misread_ids") or ()),
        next_started_ts=next_started_ts,
        fault=invocation.get("fault"),
    )


def _owners(call: Row, batch: Iterable[str], bodies: Mapping[str, str]) -> set[str]:
    """The messages whose id, or a value of whose body, is in the key of the call's item."""
    if not call["item_key"]:
        return set()
    values = key_values(call["item_key"])
    return {each for each in batch if each in values or not values.isdisjoint(values_of(bodies.get(each, "")))}
