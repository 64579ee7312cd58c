"""What became of each message each time that it was received: from rows of a recording to stays and deliveries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from dlqlab.analysis.life_parts import Attempt, Delivery, Fate, Hiding, Stay
from dlqlab.analysis.recorded_rows import Row
from dlqlab.contracts.recorded import LEAVES, ActorKind, Kind, Outcome
from dlqlab.durations import duration

_ARN_PARTS = 5
_STRUCK = frozenset({Kind.RECEIVED, Kind.NOT_DELETED})
"""Rows of a delivery that a fault from outside can strike."""

type Attempts = Mapping[str, Sequence[Attempt]]
"""The invocations that were given a message, by message id, in the order of their starts."""


def name_of(arn: str | None) -> str:
    """A queue's or topic's own name."""
    return (arn or "").rpartition(":")[2] if arn and arn.count(":") >= _ARN_PARTS else arn or ""


def who_did(row: Row) -> str:
    """Who did it, short enough for a line: a client by the product of its user agent, an ARN by its name."""
    kind, actor = row["actor_kind"], row["actor"] or ""
    if kind == ActorKind.CLIENT:
        return f"a client ({actor.partition(' ')[0]})" if actor else "a client"
    if kind == ActorKind.MAPPING:
        return "the mapping"
    if kind == ActorKind.SERVICE:
        service, _, arn = actor.partition(" ")
        service = "redrive task" if service == "redrive" else service
        return f"{service} {name_of(arn)}" if arn else name_of(service)
    return actor or "a function"


def stays(rows: Sequence[Row], attempts: Attempts, bodies: Mapping[str, str]) -> list[Stay]:
    """The stays of messages whose rows these are, in the order in which they began.

    Args:
        rows: all rows of these messages, in order.
        attempts: the invocations that had them.
        bodies: by message id, as far as they are kept.
    """
    by_stay: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_stay.setdefault((row["queue"], row["message_id"]), []).append(row)
    return [
        _stay(some, attempts.get(message_id, ()), bodies.get(message_id)) for (_, message_id), some in by_stay.items()
    ]


def _stay(rows: Sequence[Row], attempts: Sequence[Attempt], body: str | None) -> Stay:
    sent = next((row for row in rows if row["kind"] == Kind.SENT), None)
    left = next((row for row in rows if row["kind"] in LEAVES), None)
    given = sent or {}
    before_leaving = [row["kind"] for row in rows if row["kind"] in {Kind.RECEIVED, Kind.RETURNED}]
    return Stay(
        message_id=rows[0]["message_id"],
        queue=name_of(rows[0]["queue"]),
        sent_ts=given.get("ts"),
        delay_s=given.get("delay_s") or 0.0,
        sender_kind=given.get("actor_kind"),
        sender=who_did(sent) if sent else None,
        sender_request_id=given.get("request_id"),
        parent_ids=tuple(given.get("parent_ids") or ()),
        trace_id=given.get("trace_id"),
        group_id=given.get("group_id"),
        body=body,
        deliveries=_deliveries(rows, attempts),
        left=left["kind"] if left else None,
        left_ts=left["ts"] if left else None,
        left_by=who_did(left) if left else None,
        left_late=bool(left and left["kind"] == Kind.DELETED and before_leaving[-1:] == [Kind.RETURNED]),
        late_deletes=tuple(row["ts"] for row in rows if row["kind"] == Kind.NOT_DELETED),
        fault=(sent or {}).get("fault") or (left or {}).get("fault"),
    )


def _deliveries(rows: Sequence[Row], attempts: Sequence[Attempt]) -> tuple[Delivery, ...]:
    """A receive and what follows, up to the next one; the invocations that began in between had this delivery."""
    starts = [at for at, row in enumerate(rows) if row["kind"] == Kind.RECEIVED]
    found = []
    for start, following in pairwise([*starts, len(rows)]):
        own = rows[start:following]
        until = rows[following]["ts"] if following < len(rows) else float("inf")
        left = next((row["ts"] for row in own if row["kind"] in LEAVES), None)
        until = until if left is None else min(until, left)
        had = [each for each in attempts if own[0]["ts"] <= each.started_ts < until]
        found.append(_delivery(own, _visible_since(rows[:start]), had))
    return tuple(found)


def _visible_since(before: Sequence[Row]) -> float | None:
    for row in reversed(before):
        if row["kind"] in {Kind.RETURNED, Kind.SENT}:
            return float(row["ts"]) + float(row["delay_s"] or 0)
    return None


def _delivery(rows: Sequence[Row], visible_since: float | None, attempts: Iterable[Attempt]) -> Delivery:
    received, *after = rows
    hidden = tuple(
        Hiding(ts=row["ts"], seconds=row["visible_after_s"] or 0.0, by=who_did(row), request_id=row["request_id"])
        for row in after
        if row["kind"] == Kind.HIDDEN
    )
    end = next((row for row in after if row["kind"] == Kind.RETURNED or row["kind"] in LEAVES), None)
    gone = next((row for row in after if row["kind"] in {Kind.DELETED, Kind.FILTERED}), None)
    counts = received["receive_count"], end["receive_count"] if end else None
    delivery = Delivery(
        receive_count=received["receive_count"],
        received_ts=received["ts"],
        waited_s=None if visible_since is None else max(0.0, received["ts"] - visible_since),
        visible_after_s=received["visible_after_s"],
        actor_kind=received["actor_kind"],
        actor=who_did(received),
        hidden=hidden,
        ended_ts=end["ts"] if end else None,
        ended=end["kind"] if end else None,
        ended_by=who_did(end) if end else None,
        is_counted=None in counts or counts[1] >= counts[0],
        attempts=tuple(attempts),
        fault=next((row["fault"] for row in rows if row["kind"] in _STRUCK and row.get("fault")), None),
    )
    fate, reason = _fate(delivery, gone)
    dropped = next((row["fault"] for row in after if row["kind"] == Kind.NOT_DELETED and row.get("fault")), None)
    if dropped and fate is Fate.OPEN:
        reason = f"the function was done with it, and its delete was dropped by fault {dropped}"
    return replace(delivery, fate=fate, reason=reason)


def _fate(delivery: Delivery, gone: Row | None) -> tuple[Fate, str]:
    ran = [each for each in delivery.attempts if each.has_run]
    failed = [each for each in ran if each.has_failed]
    if gone is not None and gone["kind"] == Kind.FILTERED:
        return Fate.NOT_TRIED, "no filter of its mapping matches it"
    if failed:
        fate, reason = how_it_failed(failed[-1])
        return fate, f"{reason}; deleted all the same by {who_did(gone)}" if gone is not None else reason
    if gone is not None:
        return Fate.DONE, f"deleted by {who_did(gone)}"
    if ran:
        return Fate.OPEN, "the function was done with it, and no delete is recorded"
    if any(each.outcome is None for each in delivery.attempts):
        return Fate.OPEN, "its invocation has no end in the record"
    return _untried(delivery)


def how_it_failed(attempt: Attempt) -> tuple[Fate, str]:
    """Of an attempt that failed: whether the function got to the message, and what went wrong."""
    match attempt.outcome:
        case Outcome.OK if attempt.is_misread:
            text = "the function's answer calls it failed in a form that Lambda does not read"
        case Outcome.OK if not attempt.failed:
            text = "the function named it in batchItemFailures, which its mapping does not ask for"
        case Outcome.OK if attempt.is_answer_unread:
            text = f"Lambda could not read the function's answer, so that all {attempt.batch} of the batch failed"
        case Outcome.OK:
            text = "the function reported it as failed"
        case Outcome.TIMEOUT:
            took = f" after {duration(attempt.duration_s)}" if attempt.duration_s else ""
            text = f"the function was timed out{took}"
        case Outcome.CRASH:
            text = f"the function's process ended in the middle{f': {attempt.error}' if attempt.error else ''}"
        case _:
            text = f"the function failed{f': {attempt.error}' if attempt.error else ''}"
    if attempt.is_about is False:
        return (
            Fate.NOT_TRIED,
            f"{text}, with its batch of {attempt.batch}: calls were about its batch mates, none about it",
        )
    if attempt.batch > 1 and attempt.outcome != Outcome.OK:
        text += f", with its batch of {attempt.batch}"
    return Fate.FAILED, text


def _untried(delivery: Delivery) -> tuple[Fate, str]:
    outcomes = [each.outcome for each in delivery.attempts]
    if Outcome.THROTTLED in outcomes:
        return Fate.NOT_TRIED, "no environment was free"
    if Outcome.INIT_ERROR in outcomes:
        error = delivery.attempts[-1].error
        return Fate.NOT_TRIED, f"the function could not be initialised{f': {error}' if error else ''}"
    if delivery.ended is None:
        return Fate.OPEN, f"{delivery.actor} has it"
    if delivery.actor_kind == ActorKind.MAPPING:
        if not delivery.is_counted:
            return Fate.NOT_TRIED, "its mapping put it back, and the receive does not count"
        return Fate.NOT_TRIED, "no invocation of it is recorded"
    return Fate.NOT_TRIED, f"{delivery.actor} received it and did not delete it"
