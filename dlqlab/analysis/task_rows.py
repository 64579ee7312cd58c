"""A task in one row: what people look for in a list before they look at its life."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dlqlab.analysis.deletions import Deletion, deletion_of
from dlqlab.analysis.life_parts import Fate
from dlqlab.analysis.lives import Life
from dlqlab.analysis.reasons import Reason, work_stays
from dlqlab.contracts.recorded import Kind

DEAD_LETTERED = "dead-lettered"
_OUTCOMES = {
    Kind.MOVED: DEAD_LETTERED,
    Kind.REDRIVEN: "redriven",
    Kind.FILTERED: "filtered out",
    Kind.EXPIRED: "lost: expired",
    Kind.PURGED: "lost: purged",
}
_DELETED = {one: f"lost: {one.replace('_', ' ')}" for one in Deletion} | {Deletion.DONE: "done"}
NO_MESSAGE = "no message"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """One task. ``took_s`` is the time from its entry into a queue to when its last message left that which it was to
    be worked off in, None where it has not; ``ids`` are all that it can be asked for by beside its key.
    """

    key: str
    why: tuple[str, ...]
    attempts: int
    receives: int
    outcome: str
    took_s: float | None
    last_error: str | None
    ids: tuple[str, ...]


def task_row(key: str, why: tuple[str, ...], life: Life, reasons: Sequence[Reason]) -> TaskRow:
    """The row of a task.

    Args:
        key: as it is called.
        why: the reasons for which it is shown.
        life: its life.
        reasons: why its messages are where they are, in order.
    """
    deliveries = [each for stay in work_stays(life) for each in stay.deliveries]
    errors = [each.last_error for each in reasons if each.last_error]
    return TaskRow(
        key=key,
        why=why,
        attempts=sum(each.fate in {Fate.DONE, Fate.FAILED} for each in deliveries),
        receives=len(deliveries),
        outcome=outcome(life),
        took_s=took_s(life),
        last_error=errors[-1] if errors else None,
        ids=tuple(each for each in dict.fromkeys(_ids(life)) if each != key),
    )


def outcome(life: Life) -> str:
    """What became of its last message where it was to be worked off."""
    stays = work_stays(life)
    if not stays:
        return NO_MESSAGE
    last = stays[-1]
    if last.left == Kind.DELETED:
        return _DELETED[deletion_of(last)]
    return _OUTCOMES[Kind(last.left)] if last.left else f"in {last.queue}"


def took_s(life: Life) -> float | None:
    stays = work_stays(life)
    entered = [stay.sent_ts for stay in stays if stay.sent_ts is not None]
    left = [stay.left_ts for stay in stays]
    if not entered or None in left:
        return None
    return max(ts for ts in left if ts is not None) - min(entered)


def _ids(life: Life) -> Iterator[str]:
    for stay in life.stays:
        yield stay.message_id
        for delivery in stay.deliveries:
            yield from (each.request_id for each in delivery.attempts)
    for request in life.requests:
        yield from filter(None, [request.call.request_id, *(each.request_id for each in request.attempts)])
    yield from (each.request_id for each in life.others)
