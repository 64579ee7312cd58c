"""Whether any message was worked off more than once, as far as the answers of its functions tell."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import attempts_of, ids, successes
from dlqlab.analysis.life_parts import Attempt, Stay
from dlqlab.analysis.wording import examples
from dlqlab.contracts.recorded import Kind
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.durations import duration
from dlqlab.wording import count

SETS = (
    NamedSet("done_again", SetKind.VIOLATION, "Worked off with success by one function more than once."),
    NamedSet("at_once", SetKind.VIOLATION, "Two invocations of one function had it at the same time."),
    NamedSet("dead_after_done", SetKind.VIOLATION, "Dead-lettered although an attempt at it had succeeded."),
    NamedSet("done", SetKind.ACCOUNT, "Worked off with success."),
)


@check("once", "Nothing done twice", place=40, sets=SETS)
def once_check(facts: Facts) -> Judgement:
    """Valid: no message has two successful attempts of one function, nor two at the same time."""
    stays = facts.flow.stays
    found = {
        "done_again": [stay for stay in stays if len(_by_function(successes(stay))) < len(successes(stay))],
        "at_once": [stay for stay in stays if _overlaps(stay)],
        "dead_after_done": [stay for stay in stays if stay.left == Kind.MOVED and successes(stay)],
    }
    members = {name: ids(some) for name, some in found.items()}
    members["done"] = ids(stay for stay in stays if successes(stay))
    wrong = {one for name in found for one in members[name]}
    proven = Status.VALID if members["done"] else Status.UNKNOWN
    return Judgement(
        status=Status.INVALID if wrong else proven,
        statement=_statement(members, found, len(wrong)),
        measured=float(len(wrong)),
        expected=0.0,
        unit="messages",
        n=len(members["done"]),
        members=members,
        details={"longer_than_hidden": [asdict(one) for one in _outlasting(found["done_again"] + found["at_once"])]},
    )


def _statement(members: dict[str, tuple[str, ...]], found: dict[str, list[Stay]], wrong: int) -> str:
    if not members["done"] and not wrong:
        return "no message was worked off with success, so nothing is proven"
    text = f"{count(len(members['done']), 'message')} worked off, {wrong:,} more than once"
    parts = []
    if members["done_again"]:
        parts.append(f"{len(members['done_again']):,} done again: {examples(members['done_again'])}")
    if members["at_once"]:
        parts.append(f"{len(members['at_once']):,} by two invocations at the same time: {examples(members['at_once'])}")
    if members["dead_after_done"]:
        parts.append(
            f"{len(members['dead_after_done']):,} dead-lettered after a success: {examples(members['dead_after_done'])}"
        )
    causes = _outlasting(found["done_again"] + found["at_once"])
    parts += [
        f"{one.function} took {duration(one.took_s)} where {one.queue} hides a message for {duration(one.hidden_s)}"
        for one in causes
    ]
    return "; ".join([text, *parts])


def _by_function(attempts: Iterable[Attempt]) -> set[str]:
    return {each.function for each in attempts}


def _overlaps(stay: Stay) -> bool:
    by_function: dict[str, list[Attempt]] = {}
    for each in attempts_of(stay):
        by_function.setdefault(each.function, []).append(each)
    return any(
        earlier.ended_ts is None or later.started_ts < earlier.ended_ts
        for some in by_function.values()
        for earlier, later in pairwise(sorted(some, key=lambda each: each.started_ts))
    )


@dataclass(frozen=True, slots=True)
class Outlasting:
    """A function that took longer than its queue hid the message: by then somebody else may have it."""

    function: str
    queue: str
    took_s: float
    hidden_s: float


def _outlasting(stays: Iterable[Stay]) -> list[Outlasting]:
    """The functions that took longer than their queue hid a message, the longest time of each."""
    worst: dict[tuple[str, str], tuple[float, float]] = {}
    for stay in stays:
        for delivery in stay.deliveries:
            hidden_s = max([delivery.visible_after_s or 0.0, *(each.seconds for each in delivery.hidden)])
            for each in delivery.attempts:
                took_s = (each.ended_ts or 0.0) - delivery.received_ts
                if hidden_s and took_s > hidden_s:
                    key = each.function, stay.queue
                    worst[key] = max(worst.get(key, (0.0, 0.0)), (took_s, hidden_s))
    return [Outlasting(function, queue, took_s, hidden_s) for (function, queue), (took_s, hidden_s) in worst.items()]
