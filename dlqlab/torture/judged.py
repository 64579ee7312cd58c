"""What a row of the matrix says of a pipeline: survived, degraded or broken, by which messages, and why."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from dlqlab.analysis.doubled import Doubled, doubled
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, ids
from dlqlab.analysis.injected import Foreseen, Oracle, is_taken_along
from dlqlab.analysis.life_parts import Delivery, Stay
from dlqlab.contracts.injection import Plan
from dlqlab.contracts.recorded import Kind
from dlqlab.contracts.verdict import NOT_CHECKED, Check, Verdict
from dlqlab.torture.advice import (
    DOUBLED_TEXT,
    HELD_UP,
    MAYBE_BURIED,
    NEVER_MADE_TEXT,
    RECOGNISED_TEXT,
    TAKEN_ALONG,
    WRONGLY_BURIED,
)
from dlqlab.torture.excuses import Excuses, still_hidden
from dlqlab.torture.harms import BREAKS, COSTS, Harm
from dlqlab.torture.matrix import Target
from dlqlab.torture.never_made import NeverMade, never_made
from dlqlab.wording import count

LATE_TIMES, LATE_OVER_S = 3.0, 2.0
"""Held up is what nothing struck and what takes longer than so many times the slowest of the baseline, and that."""


class Outcome(StrEnum):
    """What became of the pipeline under a row."""

    SURVIVED = "survived"
    DEGRADED = "degraded"
    """Nothing lost, but work was done again, or tasks that nothing struck were held up."""
    BROKEN = "broken"
    """Tasks were lost, doubled, buried wrongly, overtaken in their group, or are stuck."""
    UNTOUCHED = "untouched"
    """No fault struck: the row proves nothing."""
    UNKNOWN = "unknown"
    """The record has gaps, or a check could not be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One row as it was measured. ``breaks`` make it broken, ``costs`` degraded; the first of them is the reason.

    ``slowest_s`` is the longest time that a message took which nothing struck; None where none ended. ``buries``:
    whether there are dead letters.
    """

    outcome: Outcome
    breaks: tuple[Harm, ...]
    costs: tuple[Harm, ...]
    strikes: int
    why_unknown: str = ""
    slowest_s: float | None = None
    buries: bool = False


NOT_NEEDED = frozenset({"accepted", "effects", "order", "backlog", "failure_rates", "finished"})
"""Checks without which a row can be judged: their evidence is not there for every pipeline."""


@dataclass(frozen=True, slots=True)
class Usual:
    """How the pipeline is without faults.

    ``slowest_s``: how long a message may take; None where that is not known. ``buries``: whether its code fails
    messages so often that they become dead letters. ``calls``: those that its functions make.
    """

    slowest_s: float | None = None
    buries: bool = False
    calls: tuple[Target, ...] = ()


def judged(facts: Facts, verdict: Verdict, plan: Plan, oracle: Oracle, usual: Usual) -> Judged:
    """The answer of one row.

    Args:
        facts: of the row's run.
        verdict: of the message checks.
        plan: of the row; without faults it is the baseline.
        oracle: what the plan decides.
        usual: what it is without faults.
    """
    checks = {check.name: check for check in verdict.checks}
    flow, strikes = facts.flow, len(oracle.strikes)
    # Where the owner names his effects, the check tells of them; else they are told here, with what was done twice.
    twice = () if facts.manifest.effects else doubled(flow)
    if not facts.manifest.effects and "effects" in checks:
        own = checks["effects"]
        checks["effects"] = replace(own, members={**own.members, "doubled": ()})
    undone = () if facts.manifest.effects else _not_told(never_made(flow, usual.calls), checks)
    wrongly, maybe = buried(flow, oracle, code_buries=usual.buries)
    excuses = Excuses(oracle, still_hidden(flow, facts.manifest.drain_ended_ts))
    breaks = [
        *_harms(checks, BREAKS, excuses),
        *_never_made(undone),
        *_twice(twice, is_recognised=False),
        *_harm("buried_wrongly", WRONGLY_BURIED, ids(wrongly)),
    ]
    slowest = unstruck_times(flow, oracle)
    along = ids(one.stay for one in oracle.deliveries if is_taken_along(one) and one.has_failed)
    costs = [
        *_harms(checks, COSTS, excuses),
        *_twice(twice, is_recognised=True),
        *_harm("buried_perhaps", MAYBE_BURIED, ids(maybe)),
        *_harm("taken_along", TAKEN_ALONG, along),
        *_harm("held_up", HELD_UP, _late(slowest, usual.slowest_s)),
    ]
    why = _why_unknown(facts, checks) or _not_waited_for(excuses)
    return Judged(
        outcome=_outcome(breaks, costs, why, is_untouched=bool(plan.faults) and not strikes),
        breaks=tuple(breaks),
        costs=tuple(replace(one, is_break=False) for one in costs),
        strikes=strikes,
        why_unknown=why,
        slowest_s=max(slowest.values(), default=None),
        buries=any(stay.left == Kind.MOVED for stay in flow.work),
    )


def unstruck_times(flow: Flow, oracle: Oracle) -> Mapping[str, float]:
    """From entry to end, in seconds, of each message that no fault struck, also not by a mate; by its id."""
    touched = {message_id for message_id, _ in oracle.struck_receives}
    touched |= {
        one.stay.message_id for one in oracle.deliveries if one.attempt.request_id in oracle.flow.struck_requests
    }
    return {
        stay.message_id: stay.left_ts - stay.sent_ts
        for stay in flow.work
        if stay.message_id not in touched and stay.sent_ts is not None and stay.left_ts is not None
    }


def buried(flow: Flow, oracle: Oracle, *, code_buries: bool) -> tuple[list[Stay], list[Stay]]:
    """Dead letters that neither the plan nor the code asks for alone, and those where that cannot be known.

    The plan does where it struck the message itself, or refused calls of its work, at every receive; the code where
    nothing was struck. Where the code makes dead letters by itself, one that it failed at every other receive may be
    one of those.
    """
    by_stay: dict[tuple[str, str], list[Foreseen]] = {}
    for one in oracle.deliveries:
        by_stay.setdefault((one.stay.queue, one.stay.message_id), []).append(one)
    wrongly, perhaps = [], []
    for stay in flow.work if oracle.plan.faults else ():
        some = by_stay.get((stay.queue, stay.message_id), [])
        if stay.left != Kind.MOVED or not _is_struck(stay, some, oracle):
            continue
        own = {one.delivery.receive_count for one in some if one.must_fail and one.is_own}
        own |= {each.receive_count for each in stay.deliveries if _is_refused(stay, each, oracle)}
        rest = [one for one in some if not one.must_fail and one.attempt.request_id not in flow.struck_requests]
        if code_buries and rest and all(one.has_failed for one in rest):
            perhaps.append(stay)
        elif any(each.receive_count not in own for each in stay.deliveries if each.is_counted):
            wrongly.append(stay)
    return wrongly, perhaps


def _is_refused(stay: Stay, delivery: Delivery, oracle: Oracle) -> bool:
    """Whether a call for the message was refused for good at this receive."""
    return (stay.message_id, delivery.receive_count or 1) in oracle.refused_receives


def _is_struck(stay: Stay, some: Iterable[Foreseen], oracle: Oracle) -> bool:
    return any((stay.message_id, each.receive_count or 1) in oracle.struck_receives for each in stay.deliveries) or any(
        one.attempt.request_id in oracle.flow.struck_requests for one in some
    )


def _harms(checks: Mapping[str, Check], wanted: Mapping[str, Collection[str]], excuses: Excuses) -> Iterable[Harm]:
    for check, names in wanted.items():
        for name in names if check in checks else ():
            if members := excuses.kept(name, checks[check].members.get(name, ())):
                yield Harm(name, checks[check].meaning(name), members)


def _harm(name: str, text: str, messages: tuple[str, ...]) -> Iterable[Harm]:
    if messages:
        yield Harm(name, text, messages)


def _never_made(found: Sequence[NeverMade]) -> Iterable[Harm]:
    if found:
        yield Harm("never_made_again", f"{NEVER_MADE_TEXT}: {found[0].what}.", tuple(one.message_id for one in found))


def _not_told(found: Iterable[NeverMade], checks: Mapping[str, Check]) -> list[NeverMade]:
    """Without those of which the verdict says that their errors were swallowed."""
    told = checks["messages"].members.get("swallowed", ()) if "messages" in checks else ()
    return [one for one in found if one.message_id not in told]


def _twice(found: Sequence[Doubled], *, is_recognised: bool) -> Iterable[Harm]:
    """Effects that the record shows twice; or what was only sent twice, and recognised by who worked on it."""
    some = [one for one in found if one.is_recognised is is_recognised]
    if some:
        name, text = ("sent_twice", RECOGNISED_TEXT) if is_recognised else ("effect_twice", DOUBLED_TEXT)
        yield Harm(name, f"{text}: {some[0].what}.", tuple(one.message_id for one in some))


def _late(slowest: Mapping[str, float], usual_s: float | None) -> tuple[str, ...]:
    """The messages that nothing struck and that took far longer than usual."""
    if usual_s is None:
        return ()
    return tuple(message_id for message_id, took_s in slowest.items() if took_s > LATE_TIMES * usual_s + LATE_OVER_S)


def _why_unknown(facts: Facts, checks: Mapping[str, Check]) -> str:
    """Why a row cannot be said to be survived; empty where it can."""
    recording = facts.run.recording
    if recording is None or recording.gaps:
        return f"of the record {recording.gaps[0]}" if recording else "there is no record"
    missing = [one for one in checks.values() if one.statement.startswith(NOT_CHECKED) and one.name not in NOT_NEEDED]
    return missing[0].statement if missing else ""


def _not_waited_for(excuses: Excuses) -> str:
    left = len(ids(excuses.hidden))
    said = f"{count(left, 'message')} had receives left when the row ended: give a higher drain.deadline_s"
    return said if left else ""


def _outcome(breaks: Collection[Harm], costs: Collection[Harm], why: str, *, is_untouched: bool) -> Outcome:
    if breaks:
        return Outcome.BROKEN
    if why:
        return Outcome.UNKNOWN
    if is_untouched:
        return Outcome.UNTOUCHED
    return Outcome.DEGRADED if costs else Outcome.SURVIVED
