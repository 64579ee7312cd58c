"""Whether every dead letter is explained, and how many there are: grouped by the function and error behind them."""

from dataclasses import dataclass

from dlqlab.analysis.causes import shape
from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.deliveries import how_it_failed
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, failures, ids, is_moved_here, successes
from dlqlab.analysis.life_parts import Fate, Stay
from dlqlab.analysis.statistics import Interval, wilson
from dlqlab.analysis.wording import examples, rate
from dlqlab.contracts.recorded import ActorKind, Kind
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count, percent

LISTED_MAX, SAID_MAX = 50, 3
"""Causes in the details; the rest is counted."""
SETS = (
    NamedSet("dead_lettered", SetKind.ACCOUNT, "Moved to a dead-letter queue by its redrive policy."),
    NamedSet("buried_by_a_function", SetKind.ACCOUNT, "Sent to a dead-letter queue by a function, or by a service."),
    NamedSet("written_by_a_client", SetKind.REPORTED, "Sent straight to a dead-letter queue from outside."),
    NamedSet("unexplained", SetKind.VIOLATION, "Dead-lettered, and no receive of it says why."),
    NamedSet(
        "short_lived",
        SetKind.VIOLATION,
        "Left in a dead-letter queue that keeps messages for a shorter time than the queue that they come from.",
    ),
    NamedSet("lost_there", SetKind.VIOLATION, "Expired or purged in the dead-letter queue, unseen by any consumer."),
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why messages were dead-lettered: queue, function, and the error's type and shape, or why it was not tried."""

    queue: str
    function: str
    why: str


@check("dead_letters", "Every dead letter explained", place=90, sets=SETS)
def dead_letters_check(facts: Facts) -> Judgement:
    """Valid: each dead letter has its failed attempts, and their share is the promised one where one is promised."""
    flow = facts.flow
    moved = list(flow.moved_from.values())
    letters = flow.letters
    causes = causes_of(flow)
    members = {
        "dead_lettered": ids(moved),
        "buried_by_a_function": ids(one for one in letters if _is_sent(one) and one.sender_kind != ActorKind.CLIENT),
        "written_by_a_client": ids(one for one in letters if _is_sent(one) and one.sender_kind == ActorKind.CLIENT),
        "unexplained": ids(one for one in moved if cause_of(one) is None),
        "short_lived": ids(one for one in letters if one.left is None and one.queue in _short_lived(flow)),
        "lost_there": ids(one for one in letters if one.left in {Kind.EXPIRED, Kind.PURGED}),
    }
    interval = _share(flow, len(members["dead_lettered"]), facts.scenario.judge.confidence)
    status, said = _judged(flow, members, interval)
    return Judgement(
        status=status,
        statement="; ".join([_statement(members, causes, interval, said), *_short_lived(flow).values()]),
        measured=interval.estimate if interval else None,
        expected=flow.promise.dead_letter_rate,
        unit="ratio",
        interval=(interval.low, interval.high) if interval else None,
        confidence=interval.confidence if interval else None,
        n=len(flow.work),
        members=members,
        details={
            "causes": [
                {
                    "queue": cause.queue,
                    "function": cause.function,
                    "why": cause.why,
                    "n": len(some),
                    "messages": some[:3],
                }
                for cause, some in list(causes.items())[:LISTED_MAX]
            ],
            "causes_n": len(causes),
        },
    )


def causes_of(flow: Flow) -> dict[Cause, list[str]]:
    """The messages that were dead-lettered by cause, the most frequent first."""
    found: dict[Cause, list[str]] = {}
    for stay in flow.moved_from.values():
        cause = cause_of(stay)
        if cause is not None:
            found.setdefault(cause, []).append(stay.message_id)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def cause_of(stay: Stay) -> Cause | None:
    """Of its last failed attempt; without one of its last receive, or that it stayed although it was worked off."""
    failed = failures(stay)
    if failed:
        last = failed[-1]
        why = last.error if last.error and not last.is_named else how_it_failed(last)[1]
        return Cause(stay.queue, last.function, shape(why))
    receives = [each for each in stay.deliveries if each.fate is not Fate.OPEN]
    if receives:
        return Cause(stay.queue, receives[-1].actor, shape(receives[-1].reason))
    done = successes(stay)
    return Cause(stay.queue, done[-1].function, "worked off, and not deleted") if done else None


def _short_lived(flow: Flow) -> dict[str, str]:
    """Dead-letter queues, by name, that keep messages for a shorter time than their source, and that in words.

    In a standard queue the time counts from the first send, so that some of a dead letter's time is over when it comes
    (SQS developer guide, "Using dead-letter queues": understanding message retention periods).
    """
    queues = {queue.role: queue for queue in flow.topology.queues} if flow.topology else {}
    found = {}
    for source in queues.values():
        letters = queues.get(source.dead_letters or "")
        if letters and letters.retention_s and source.retention_s and letters.retention_s < source.retention_s:
            kept = f"{letters.name} keeps messages for {letters.retention_s:,} s"
            found[letters.name] = f"{kept}, and its source {source.name} for {source.retention_s:,} s"
    return found


def _is_sent(stay: Stay) -> bool:
    return stay.sender_kind is not None and not is_moved_here(stay)


def _share(flow: Flow, moved: int, confidence: float) -> Interval | None:
    entered = len(ids(flow.work))
    return wilson(min(moved, entered), entered, confidence) if entered else None


def _judged(flow: Flow, members: dict[str, tuple[str, ...]], interval: Interval | None) -> tuple[Status, str]:
    if members["unexplained"] or members["lost_there"] or members["short_lived"]:
        return Status.INVALID, ""
    promised = flow.promise.dead_letter_rate
    if interval is None:
        return Status.UNKNOWN, ""
    if promised is None:
        return Status.VALID, ""
    fits = interval.contains(promised)
    return (Status.VALID if fits else Status.INVALID), f"{'as' if fits else 'not as'} promised, {percent(promised)}"


def _statement(
    members: dict[str, tuple[str, ...]], causes: dict[Cause, list[str]], interval: Interval | None, said: str
) -> str:
    if interval is None:
        return "no message entered a queue, so nothing is proven"
    parts = [f"DLQ {rate(interval, 'message')}", said] if said else [f"DLQ {rate(interval, 'message')}"]
    parts += [
        f"{count(len(some), 'time')} {cause.function}: {cause.why}" for cause, some in list(causes.items())[:SAID_MAX]
    ]
    if len(causes) > SAID_MAX:
        parts.append(f"{count(len(causes) - SAID_MAX, 'other cause')}")
    for name, text in (
        ("buried_by_a_function", "sent there by a function"),
        ("unexplained", "without an explanation"),
        ("lost_there", "lost there, unseen by any consumer"),
        ("short_lived", "there for a shorter time than their source keeps messages"),
    ):
        if members[name]:
            parts.append(f"{len(members[name]):,} {text}: {examples(members[name])}")
    return "; ".join(parts)
