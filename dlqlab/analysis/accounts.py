"""Two accounts of the same attempts: where what the app tells and what the recorder saw do not agree. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dlqlab.analysis.told import Told, ToldAttempt
from dlqlab.analysis.witnessed import Attempt, Gone, Invocation, Parts, Witnessed
from dlqlab.contracts.recorded import ActorKind, Outcome

REACH_S = 0.1
"""An event may lie outside of its invocation by this: functions and emulator each read the clock for themselves."""
_SPOKE = frozenset({Outcome.OK, Outcome.ERROR})
"""How an invocation ends that came to its own end: without partial responses a failed batch is reported as an error."""
COMPLETED, ENDED_FAILED = "COMPLETED", "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One thing on which the accounts differ.

    ``attempt``: task, request id and place in the invocation, where it is about an attempt. ``is_absence``: the
    recorder lacks something that the app tells, which a gap in the record may explain.
    """

    kind: str
    task_id: str
    text: str
    attempt: tuple[str, str, int] | None = None
    is_absence: bool = False


def of_attempts(told: Told, seen: Witnessed) -> Iterator[Disagreement]:
    """How many attempts each invocation made of each task, how each ended, and whether its times can be."""
    for task, request_id in sorted(told.attempts.keys() | seen.attempts.keys()):
        ours, theirs = told.attempts.get((task, request_id), []), seen.attempts.get((task, request_id), [])
        for place in range(max(len(ours), len(theirs))):
            one = ours[place] if place < len(ours) else None
            other = theirs[place] if place < len(theirs) else None
            for kind, text, is_absence in _of_attempt(one, other, seen.invocations.get(request_id)):
                yield Disagreement(
                    kind=kind,
                    task_id=task,
                    text=f"{text} (invocation {request_id or 'not named'})",
                    attempt=(task, request_id, place),
                    is_absence=is_absence,
                )


def _of_attempt(
    told: ToldAttempt | None, seen: Attempt | None, invocation: Invocation | None
) -> Iterator[tuple[str, str, bool]]:
    """Kind, text and whether it is the recorder that lacks something."""
    if seen is None:
        yield "invented", "an attempt by the log, no claim of it is recorded", True
    elif told is None or told.started_ts is None:
        yield "untold", "an attempt is recorded, the log does not tell that it began", False
    elif told.end is None and seen.end is not None:
        # Whoever died after that write could not tell of it any more.
        if invocation is not None and invocation.outcome in _SPOKE:
            yield "untold", f"an attempt {seen.end} as recorded, the log tells no end of it", False
    elif told.end != seen.end:
        recorded = "no end is" if seen.end is None else f"that it {seen.end} is"
        yield "other_outcome", f"an attempt {told.end} by the log, {recorded} recorded", seen.end is None
    if told is not None and invocation is not None:
        yield from _of_times(told, invocation)


def _of_times(told: ToldAttempt, invocation: Invocation) -> Iterator[tuple[str, str, bool]]:
    for name, ts in (("start", told.started_ts), ("end", told.ended_ts)):
        early_s = 0.0 if ts is None else invocation.started_ts - ts
        late_s = 0.0 if ts is None or invocation.ended_ts is None else ts - invocation.ended_ts
        if max(early_s, late_s) > REACH_S:
            where = f"{early_s:.3f} s before" if early_s > late_s else f"{late_s:.3f} s after"
            yield "out_of_reach", f"the {name} of an attempt is told {where} its invocation", False


def of_deliveries(told: Told, seen: Witnessed, parts: Parts) -> Iterator[Disagreement]:
    """Each message that a function had and came to its end with, and each that one says it had."""
    deleted = {(one.by, one.message_id) for one in seen.gone}
    for request_id, invocation in seen.invocations.items():
        for message_id in invocation.message_ids if invocation.outcome in _SPOKE else ():
            key, task = (request_id, message_id), seen.task_of.get(message_id)
            if task is not None and key not in told.deliveries and key not in deleted:
                text = f"{invocation.function} had message {message_id}, the log does not tell what became of it"
                yield Disagreement(kind="untold", task_id=task, text=text)
    for (request_id, message_id), delivery in told.deliveries.items():
        had = seen.invocations.get(request_id)
        is_ours = delivery.function in {parts.processor, parts.monitor}
        if is_ours and (had is None or message_id not in had.message_ids):
            text = f"{delivery.function} tells of message {message_id}, which invocation {request_id} did not have"
            yield Disagreement(kind="invented", task_id=delivery.task_id, text=text, is_absence=True)


def of_deletes(told: Told, seen: Witnessed) -> Iterator[Disagreement]:
    """Each message that left by a delete was delivered to a function, which says that it is done with it."""
    for gone in seen.gone:
        text, is_absence = _unfounded(gone, told, seen)
        if text is not None:
            task = seen.task_of[gone.message_id]
            text = f"message {gone.message_id} was deleted {text}"
            yield Disagreement(kind="deleted", task_id=task, text=text, is_absence=is_absence)


def _unfounded(gone: Gone, told: Told, seen: Witnessed) -> tuple[str | None, bool]:
    """Why the delete should not have been; None where it is in order."""
    if gone.actor_kind not in {ActorKind.MAPPING, ActorKind.INVOCATION}:
        return f"by a {gone.actor_kind}", False
    had = seen.invocations.get(gone.by or "")
    if had is None or gone.message_id not in had.message_ids:
        return f"for invocation {gone.by}, which did not have it", True
    delivery = told.deliveries.get((gone.by or "", gone.message_id))
    if delivery is None:
        return f"for invocation {gone.by}, which tells of no attempt and of no reason against one", False
    if delivery.is_kept:
        return f"for invocation {gone.by}, after which it is to come again by the log", False
    return None, False


def of_effects(items: Mapping[str, tuple[str, int]], seen: Witnessed) -> Iterator[Disagreement]:
    """Each completed task has one recorded effect, each failed one none, and the table counts what was recorded.

    Args:
        items: status and number of effects by task id, as the table has them.
    """
    for task, (status, counted) in items.items():
        recorded = seen.effects[task]
        wanted = {COMPLETED: 1, ENDED_FAILED: 0}.get(status, recorded)
        if recorded != wanted or recorded != counted:
            text = f"{recorded} effects recorded, {counted} in the table, {status}"
            is_absence = recorded < max(wanted, counted)
            yield Disagreement(kind="other_effects", task_id=task, text=text, is_absence=is_absence)


def of_dead_letters(told: Told, seen: Witnessed, parts: Parts) -> Iterator[Disagreement]:
    """What the log says was buried was sent to the dead-letter queue, what it says was archived was written."""
    buried = {
        (one.by, task) for task, messages in seen.sent.items() for one in messages if one.queue == parts.dead_letters
    }
    archives: dict[str, set[str]] = defaultdict(set)
    for request_id, archive_id in seen.archived:
        archives[request_id].add(archive_id)
    for (request_id, message_id), delivery in told.deliveries.items():
        task, text = delivery.task_id, None
        had = seen.invocations.get(request_id)
        if had is None or message_id not in had.message_ids:
            continue  # told of already
        is_over = had.outcome in _SPOKE
        if delivery.is_buried and not delivery.is_kept and is_over and (request_id, task) not in buried:
            text = f"by the log message {message_id} was sent to the dead-letter queue, the record has no such message"
        elif delivery.letter is not None and not any(
            one == f"{task}#{delivery.letter}" or seen.task_of.get(one) == task for one in archives[request_id]
        ):
            text = f"by the log message {message_id} was archived, the record has no such write"
        if text is not None:
            yield Disagreement(kind="other_dead_letter", task_id=task, text=text, is_absence=True)
