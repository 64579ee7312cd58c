"""Whether what a plan of faults from outside decides came about, task by task, and what the code failed by itself.

What the plan does not decide is estimated: the attempts that nothing struck fail at the code's own rate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.fault_windows import PUT_WITHIN_S, InForce
from dlqlab.analysis.flow import ids
from dlqlab.analysis.injected import Foreseen, Oracle, is_taken_along
from dlqlab.analysis.life_parts import Stay
from dlqlab.analysis.statistics import Interval, wilson
from dlqlab.analysis.wording import examples, rate
from dlqlab.contracts.injection import Plan
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.recorded import Kind
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count

SETS = (
    NamedSet("failed_by_plan", SetKind.ACCOUNT, "A fault of the plan failed a delivery of it, as foreseen."),
    NamedSet("taken_along", SetKind.ACCOUNT, "Failed together with a mate of its batch that a fault struck."),
    NamedSet(
        "dead_by_plan", SetKind.ACCOUNT, "Dead-lettered, since the plan fails every receive that its queue allows."
    ),
    NamedSet("expired_by_plan", SetKind.ACCOUNT, "Expired before it was received, since the plan lets it."),
    NamedSet("late_by_plan", SetKind.ACCOUNT, "Visible as much later as the plan says, also in another order."),
    NamedSet("failed_by_itself", SetKind.ACCOUNT, "The code failed it, and nothing had struck that attempt."),
    NamedSet(
        "undecided", SetKind.NORMAL, "The plan does not decide a delivery of it: at the edge of a window, or no key."
    ),
    NamedSet(
        "deleted_by_others", SetKind.NORMAL, "Failed by the plan, and deleted by a function or client, not its mapping."
    ),
    NamedSet("not_failed", SetKind.VIOLATION, "The plan fails a delivery of it, and that delivery did not fail."),
    NamedSet("not_expired", SetKind.VIOLATION, "The plan lets it expire, and it was received or did not expire."),
    NamedSet("not_late", SetKind.VIOLATION, "The plan has it late, and it was received sooner or had a shorter delay."),
    NamedSet("not_dropped", SetKind.VIOLATION, "The plan drops its delete, and it was deleted."),
    NamedSet(
        "not_retried",
        SetKind.VIOLATION,
        "The plan failed its last delivery, and its mapping deleted it: neither tried again nor a dead letter.",
    ),
    NamedSet(
        "not_dead_lettered",
        SetKind.VIOLATION,
        "The plan fails every receive that its queue allows, and it left the queue in another way.",
    ),
    NamedSet("struck_unplanned", SetKind.VIOLATION, "Struck by a fault that the plan does not have for it."),
    NamedSet(
        "not_stopped", SetKind.VIOLATION, "A pause or an outage was due while the plan was in force, and did not come."
    ),
    NamedSet(
        "unexplained",
        SetKind.OPEN,
        "Dead-lettered, and at one of its receives neither a fault nor its function is known to have failed it.",
    ),
)
WRONG = tuple(one.name for one in SETS if one.kind is SetKind.VIOLATION)
_SAID: Mapping[str, str] = {
    "not_failed": "not failed although the plan fails them",
    "not_expired": "not expired although the plan lets them",
    "not_late": "sooner than the plan says",
    "not_dropped": "deleted although the plan drops the delete",
    "not_retried": "neither tried again nor dead-lettered",
    "not_dead_lettered": "not dead-lettered although the plan fails every receive",
    "struck_unplanned": "struck without a plan for it",
    "not_stopped": "due and not come",
    "unexplained": "dead-lettered by neither the plan nor the code",
}


@check(
    "faults", "Faults from outside as planned", place=65, sets=SETS, asked=lambda facts: facts.is_broken_from_outside
)
def faults_check(facts: Facts) -> Judgement:
    """Valid: the deliveries that the plan fails failed, and no others are blamed on it. Not judged without a plan."""
    plan = facts.manifest.injection
    if plan is None:
        struck = facts.strikes_since_load
        text = f"{count(struck, 'strike')} of a plan that the run does not know of: nothing can be foreseen"
        return Judgement(status=Status.UNKNOWN, statement=text, n=struck)
    oracle = oracle_of(facts, plan)
    struck = len(oracle.strikes)
    members = sort_fates(oracle)
    own = own_failures(oracle, facts.scenario.judge.confidence)
    wrong = {one for name in WRONG for one in members[name]}
    return Judgement(
        status=_status(members, wrong=len(wrong), struck=struck),
        statement=_statement(oracle, members, own, struck),
        measured=float(len(wrong)),
        expected=0.0,
        unit="messages",
        n=sum(one.must_fail is not None for one in oracle.deliveries),
        members=members,
        details={"by_fault": _by_fault(oracle), "own_failures": _plain(own)},
    )


def oracle_of(facts: Facts, plan: Plan) -> Oracle:
    """The plan beside the messages of a run."""
    return Oracle(facts.flow, plan, in_force_of(facts.manifest))


def in_force_of(manifest: Manifest) -> InForce:
    """A runner puts the plan in force for load and drain."""
    load_began_ts, ended_ts = manifest.load_started_ts, manifest.drain_ended_ts
    if load_began_ts is None:
        return InForce()
    if manifest.injected_ts is None:
        return InForce(load_began_ts, ended_ts, load_began_ts=load_began_ts)
    return InForce(manifest.injected_ts, ended_ts, PUT_WITHIN_S, load_began_ts)


def sort_fates(oracle: Oracle) -> dict[str, tuple[str, ...]]:
    """The ids of the messages that the plan is about, in the sets that say how far it was followed."""
    some = oracle.deliveries
    due, entered = oracle.letters_due, oracle.entering.foreseen
    last = [one for one in some if one.must_fail and one.has_failed and one.delivery is one.stay.deliveries[-1]]
    gone = [one.stay for one in last if one.stay.left == Kind.DELETED]
    return {
        "failed_by_plan": _stays(one for one in some if one.must_fail and one.is_own and one.has_failed),
        "taken_along": _stays(one for one in some if is_taken_along(one) and one.has_failed),
        "dead_by_plan": ids(stay for stay in due if stay.left == Kind.MOVED),
        "expired_by_plan": ids(one.stay for one in entered if one.expires and one.is_followed),
        "late_by_plan": ids(one.stay for one in entered if not one.expires and one.is_followed),
        "failed_by_itself": _stays(one for one in _unstruck(oracle) if one.has_failed),
        "undecided": _stays(one for one in some if one.must_fail is None),
        "deleted_by_others": ids(stay for stay in gone if not _is_by_mapping(stay)),
        "not_failed": _stays(one for one in some if one.must_fail and one.has_failed is False),
        "not_expired": ids(one.stay for one in entered if one.expires and not one.is_followed),
        "not_late": ids(one.stay for one in entered if not one.expires and not one.is_followed),
        "not_dropped": ids(oracle.undone_drops()),
        "not_retried": ids(stay for stay in gone if _is_by_mapping(stay)),
        "not_dead_lettered": ids(stay for stay in due if stay.left == Kind.DELETED and _is_by_mapping(stay)),
        "struck_unplanned": tuple(dict.fromkeys(row["message_id"] or row["task_key"] for row in oracle.unplanned())),
        "not_stopped": tuple(oracle.stops.missing()),
        "unexplained": ids(
            stay for stay in oracle.flow.work if stay.left == Kind.MOVED and not oracle.is_explained(stay)
        ),
    }


def own_failures(oracle: Oracle, confidence: float) -> Interval | None:
    """How often the code fails by itself: of the attempts that nothing struck; None where there are none."""
    trials = [one for one in _unstruck(oracle) if one.has_failed is not None]
    return wilson(sum(bool(one.has_failed) for one in trials), len(trials), confidence) if trials else None


@dataclass(frozen=True, slots=True)
class Count:
    """Of one fault: deliveries that it had to fail, or messages to let expire or be late, and those that did."""

    predicted: int = 0
    measured: int = 0


def _by_fault(oracle: Oracle) -> dict[str, dict[str, int]]:
    """How many deliveries or messages each fault had to strike, mates too, how many followed, and all its strikes."""
    found = {fault.name: Count() for fault in oracle.plan.faults}
    followed = [(one.fault, one.has_failed) for one in oracle.deliveries]
    followed += [(one.fault.name, one.is_followed) for one in oracle.entering.foreseen]
    for name, has_followed in followed:
        if name is not None and has_followed is not None:
            found[name] = Count(found[name].predicted + 1, found[name].measured + has_followed)
    strikes = [row["fault"] for row in oracle.strikes]
    return {
        name: {"predicted": one.predicted, "measured": one.measured, "strikes": strikes.count(name)}
        for name, one in found.items()
    }


def _unstruck(oracle: Oracle) -> list[Foreseen]:
    """The deliveries that nothing struck, neither what must fail them nor what only may."""
    return [
        one
        for one in oracle.deliveries
        if one.must_fail is False and one.attempt.request_id not in oracle.flow.struck_requests
    ]


def _stays(some: Iterable[Foreseen]) -> tuple[str, ...]:
    return ids(one.stay for one in some)


def _is_by_mapping(stay: Stay) -> bool:
    return stay.left_by == "the mapping"


def _status(members: Mapping[str, tuple[str, ...]], *, wrong: int, struck: int) -> Status:
    if wrong:
        return Status.INVALID
    return Status.VALID if struck and not members["unexplained"] else Status.UNKNOWN


def _statement(oracle: Oracle, members: Mapping[str, tuple[str, ...]], own: Interval | None, struck: int) -> str:
    decided = [one for one in oracle.deliveries if one.must_fail and one.has_failed is not None]
    failed = sum(bool(one.has_failed) for one in decided)
    parts = [f"{count(struck, 'strike')}"] if struck else ["no fault of the plan struck: nothing is proven of it"]
    if decided:
        parts.append(f"{failed:,} of {count(len(decided), 'delivery', 'deliveries')} failed that had to")
    if members["taken_along"]:
        parts.append(f"{len(members['taken_along']):,} taken along with their batch")
    if members["dead_by_plan"]:
        parts.append(f"{len(members['dead_by_plan']):,} dead-lettered as the plan says")
    if members["expired_by_plan"] or members["late_by_plan"]:
        expired, late = len(members["expired_by_plan"]), len(members["late_by_plan"])
        parts.append(f"{expired:,} expired and {late:,} late as the plan says")
    if own is not None:
        parts.append(f"the code's own failures {rate(own, 'attempt')}")
    parts += [
        f"{len(members[name]):,} {text}: {examples(members[name])}" for name, text in _SAID.items() if members[name]
    ]
    return "; ".join(parts)


def _plain(own: Interval | None) -> dict[str, float] | None:
    return None if own is None else {"rate": own.estimate, "low": own.low, "high": own.high, "n": own.n}
