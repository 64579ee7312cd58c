"""Whether every receive was an attempt: one that counts though no code ran brings a message nearer to its end."""

from collections import Counter

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, attempts_of, counted, ids
from dlqlab.analysis.life_parts import Delivery, Fate, Stay
from dlqlab.analysis.wording import examples
from dlqlab.contracts.recorded import Kind
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count

SETS = (
    NamedSet("dead_untried", SetKind.VIOLATION, "Dead-lettered though no function ever had it."),
    NamedSet(
        "tried_too_little",
        SetKind.VIOLATION,
        "Dead-lettered after fewer attempts than its queue allows receives: some of them burnt without an attempt.",
    ),
    NamedSet("tried_too_often", SetKind.VIOLATION, "Tried more often than is promised."),
    NamedSet("burnt", SetKind.REPORTED, "At least one receive that counts went by without an attempt."),
)


@check("attempts", "Every receive an attempt", place=50, sets=SETS)
def attempts_check(facts: Facts) -> Judgement:
    """Valid: no message was dead-lettered by receives at which no code ran, and none tried more often than promised."""
    flow = facts.flow
    consumed = [stay for stay in flow.stays if stay.queue in flow.consumed_queues and counted(stay.deliveries)]
    moved = [stay for stay in consumed if stay.left == Kind.MOVED]
    members = {
        "dead_untried": ids(stay for stay in moved if not _tried(stay)),
        "tried_too_little": ids(stay for stay in moved if 0 < _tried(stay) < len(counted(stay.deliveries))),
        "tried_too_often": ids(stay for stay in consumed if _is_over(flow, stay)),
        "burnt": ids(stay for stay in consumed if _burnt(stay)),
    }
    wrong = [name for name in ("dead_untried", "tried_too_little", "tried_too_often") if members[name]]
    receives = sum(len(counted(stay.deliveries)) for stay in consumed)
    proven = Status.VALID if receives else Status.UNKNOWN
    reasons = Counter(each.reason for stay in consumed for each in _burnt(stay))
    return Judgement(
        status=Status.INVALID if wrong else proven,
        statement=_statement(members, reasons, receives),
        measured=float(sum(reasons.values())),
        expected=0.0,
        unit="receives without an attempt",
        n=receives,
        members=members,
        details={"reasons": dict(reasons.most_common())},
    )


def _statement(members: dict[str, tuple[str, ...]], reasons: Counter[str], receives: int) -> str:
    if not receives:
        return "no mapping received a message, so nothing is proven"
    burnt = sum(reasons.values())
    parts = [f"{count(receives, 'receive')}, {burnt:,} without an attempt"]
    parts += [f"{count(n, 'time')} {why}" for why, n in reasons.most_common(3)]
    said = {
        "dead_untried": "dead-lettered without a single attempt",
        "tried_too_little": "dead-lettered with receives to spare that no code saw",
        "tried_too_often": "tried more often than is promised",
    }
    parts += [
        f"{len(members[name]):,} {text}: {examples(members[name])}" for name, text in said.items() if members[name]
    ]
    return "; ".join(parts)


def _tried(stay: Stay) -> int:
    return sum(any(each.has_run for each in delivery.attempts) for delivery in counted(stay.deliveries))


def _burnt(stay: Stay) -> list[Delivery]:
    """Receives that count, that ended, and at which no code ran. A filter's delete is another check's."""
    return [
        each
        for each in counted(stay.deliveries)
        if each.ended not in {None, Kind.FILTERED, Kind.PURGED, Kind.EXPIRED, Kind.DELETED}
        and each.fate is Fate.NOT_TRIED
        and not any(attempt.has_run for attempt in each.attempts)
    ]


def _is_over(flow: Flow, stay: Stay) -> bool:
    promised = flow.promise.attempts
    return (
        promised is not None and stay.queue not in flow.dead_letter_queues and len(list(attempts_of(stay))) > promised
    )
