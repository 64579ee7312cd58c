"""Why a message is where it is: each receive with what became of it, in sentences."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlqlab.analysis.deletions import Deletion, deletion_of
from dlqlab.analysis.life_parts import Attempt, Delivery, Fate, Stay
from dlqlab.analysis.lives import Life
from dlqlab.analysis.log_lines import Line, about, error_in
from dlqlab.contracts.recorded import Kind
from dlqlab.wording import count

_TIMES = ("never", "once", "twice")
_LEFT = {
    Kind.DELETED: "is done: worked off in {queue} by {by}",
    Kind.MOVED: "was moved from {queue} to its dead-letter queue",
    Kind.REDRIVEN: "was redriven from {queue}: another message was sent in its place",
    Kind.FILTERED: "was filtered out: no filter of the mapping of {queue} matches it",
    Kind.EXPIRED: "is lost: its retention period in {queue} was over",
    Kind.PURGED: "is lost: {queue} was purged or deleted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive:
    """One receive: its count, when, how it went and why, and the error that is known of it."""

    receive_count: int | None
    ts: float
    fate: Fate
    reason: str
    error: str | None
    request_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a message is where it is. ``queue`` is the one whose consumer had to work on it.

    ``max_receive_count`` is None where it is not known; ``last_lines`` are the log lines of the last failed attempt.
    """

    message_id: str
    link: str
    queue: str
    where: str
    summary: str
    receives: tuple[Receive, ...]
    max_receive_count: int | None
    last_error: str | None
    last_request_id: str | None
    last_lines: tuple[str, ...]
    notes: tuple[str, ...]


type Logged = Mapping[str, Sequence[Line]]
"""The log lines of invocations, by request id."""


def work_stays(life: Life) -> list[Stay]:
    """The stays to be explained: of each message the first in the record, before it was moved, in order."""
    first: dict[str, Stay] = {}
    for stay in life.stays:
        first.setdefault(stay.message_id, stay)
    return list(first.values())


def failed_attempts(stay: Stay) -> list[Attempt]:
    """The attempts whose log lines say why it failed."""
    return [each for delivery in stay.deliveries for each in delivery.attempts if each.failed and each.has_run]


def reason(life: Life, stay: Stay, logged: Logged, max_receive_count: int | None = None) -> Reason:
    """Why the message of this stay is where it is.

    Args:
        life: what the message belongs to.
        stay: one of ``work_stays``.
        logged: the log lines of its failed attempts, as far as there are any.
        max_receive_count: of the queue's redrive policy, where that is known.
    """
    errors = {
        each.request_id: each.error or error_in(about(logged.get(each.request_id, ()), stay.message_id, each))
        for each in failed_attempts(stay)
    }
    failed = failed_attempts(stay)
    last = failed[-1] if failed else None
    lines = about(logged.get(last.request_id, ()), stay.message_id, last) if last else ()
    last_error = errors.get(last.request_id) if last else None
    return Reason(
        message_id=stay.message_id,
        link=stay.link,
        queue=stay.queue,
        where=where(life, stay.message_id),
        summary=summary(stay.deliveries),
        receives=tuple(_receive(each, errors) for each in stay.deliveries),
        max_receive_count=max_receive_count,
        last_error=last_error,
        last_request_id=last.request_id if last else None,
        last_lines=tuple(line.text for line in lines),
        notes=life.notes,
    )


def where(life: Life, message_id: str) -> str:
    """Where the message is now, from its stays: ``is in dead-letters, moved there from tasks``."""
    own = [stay for stay in life.stays if stay.message_id == message_id]
    last = own[-1]
    moved = f"moved from {own[0].queue} to {last.queue}"
    if last.left is None:
        return f"is in {last.queue}, moved there from {own[0].queue}" if len(own) > 1 else f"is in {last.queue}"
    by = _taken_by(last)
    if len(own) > 1 and last.left == Kind.DELETED:
        return f"was dead-lettered: {moved}, and taken from there by {by}"
    if last.left == Kind.DELETED and deletion_of(last) is not Deletion.DONE:
        return f"is lost: deleted from {last.queue} by {by}, and no attempt at it succeeded"
    end = _LEFT[Kind(last.left)].format(queue=last.queue, by=by)
    return f"{end}{', after its visibility timeout was over' if last.left_late else ''}"


def _taken_by(stay: Stay) -> str:
    """The function whose mapping deleted it, or whoever did."""
    done = [each for delivery in stay.deliveries[-1:] for each in delivery.attempts if each.has_run and not each.failed]
    return done[-1].function if done else stay.left_by or "nobody that is known"


def summary(deliveries: Sequence[Delivery]) -> str:
    """``received 3 times, tried once: failed; not tried twice: no environment was free``."""
    if not deliveries:
        return "never received"
    tried = sum(map(_is_tried, deliveries))
    parts = [f"received {times(len(deliveries))}, {f'tried {times(tried)}' if tried else 'never tried'}"]
    parts += [
        f"{times(n)} {why}"
        for why, n in Counter(each.reason for each in deliveries if each.fate is not Fate.DONE).items()
    ]
    uncounted = sum(not each.is_counted for each in deliveries)
    text = f"{parts[0]}{': ' if parts[1:] else ''}{'; '.join(parts[1:])}"
    return f"{text}; {count(uncounted, 'receive')} not counted" if uncounted else text


def _is_tried(delivery: Delivery) -> bool:
    """Whether a function had it: also where nobody knows what became of it then."""
    if delivery.fate is Fate.OPEN:
        return any(each.has_run for each in delivery.attempts)
    return delivery.fate in {Fate.DONE, Fate.FAILED}


def times(n: int) -> str:
    """``once``, ``twice``, ``3 times``."""
    return _TIMES[n] if n < len(_TIMES) else f"{n:,} times"


def _receive(delivery: Delivery, errors: Mapping[str, str | None]) -> Receive:
    known = [error for each in delivery.attempts if (error := errors.get(each.request_id))]
    return Receive(
        receive_count=delivery.receive_count,
        ts=delivery.received_ts,
        fate=delivery.fate,
        reason=delivery.reason,
        error=known[-1] if known and known[-1] not in delivery.reason else None,
        request_ids=tuple(each.request_id for each in delivery.attempts),
    )
