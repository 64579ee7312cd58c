"""Whether the pipeline's alarms can go off, and did where the values of their metrics say that they have to."""

from collections.abc import Iterator
from dataclasses import dataclass

from dlqlab.analysis.alarm_rules import breached_ts, due_ts, fired_ts, never, queue_of, wanted
from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import ids
from dlqlab.analysis.wording import examples
from dlqlab.contracts.alarms import AlarmRecord
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.errors import EvidenceError
from dlqlab.wording import count, number

SETS = (
    NamedSet("cannot_go_off", SetKind.VIOLATION, "The alarm cannot go off, whatever happens: the statement says why."),
    NamedSet(
        "did_not_go_off",
        SetKind.VIOLATION,
        "By the values of its metric the alarm had to go off, and it did not, though there was time.",
    ),
    NamedSet(
        "unheard",
        SetKind.VIOLATION,
        "Dead letters in a queue whose every alarm cannot go off, or did not: nobody hears of them.",
    ),
    NamedSet("went_off", SetKind.ACCOUNT, "The alarm went off."),
    NamedSet("not_met", SetKind.ACCOUNT, "No value of its metric was such that the alarm has to go off."),
    NamedSet("too_late", SetKind.NORMAL, "The alarm need not have gone off yet when the run ended."),
    NamedSet("silent", SetKind.NORMAL, "The alarm has no action, or its actions are off: nobody is told."),
)
SAID_MAX = 3
_BROKEN = ("cannot_go_off", "did_not_go_off")


@dataclass(frozen=True, slots=True)
class _Finding:
    alarm: AlarmRecord
    set: str
    text: str


@check("alarms", "Alarms go off", place=95, sets=SETS, asked=lambda facts: facts.has_alarms)
def alarms_check(facts: Facts) -> Judgement:
    """Valid: each alarm can go off, and went off where its values say so."""
    if facts.run.alarms is None:
        raise EvidenceError(facts.run.unreadable["alarms"])
    found = [_found(alarm, facts) for alarm in facts.run.alarms.alarms]
    members = {one.name: tuple(each.alarm.name for each in found if each.set == one.name) for one in SETS}
    members["silent"] = tuple(one.alarm.name for one in found if not one.alarm.has_actions)
    members["unheard"] = tuple(_unheard(found, facts))
    wrong = len(members["cannot_go_off"]) + len(members["did_not_go_off"])
    return Judgement(
        status=Status.INVALID if wrong else Status.VALID,
        statement=_statement(found, members, facts),
        measured=float(wrong),
        expected=0.0,
        unit="alarms",
        n=len(found),
        members=members,
        details={"alarms": [{"alarm": one.alarm.name, "set": one.set, "text": one.text} for one in found]},
    )


def _found(alarm: AlarmRecord, facts: Facts) -> _Finding:
    reason = never(alarm, facts.topology)
    if reason:
        return _Finding(alarm, "cannot_go_off", f"cannot go off: {reason}")
    breached, fired = breached_ts(alarm), fired_ts(alarm)
    if fired is not None:
        late = f", {number(max(0.0, fired - breached))} s after its values were such" if breached is not None else ""
        return _Finding(alarm, "went_off", f"went off{late}")
    if alarm.state == "ALARM":
        return _Finding(alarm, "went_off", "had gone off before the load")
    if breached is None:
        extreme = max((point.value for point in alarm.points), default=None)
        seen = "no value was published" if extreme is None else f"the highest value was {number(extreme)}"
        return _Finding(alarm, "not_met", f"{wanted(alarm)}: {seen}")
    read_ts = facts.run.alarms.read_ts if facts.run.alarms else breached
    if read_ts < due_ts(alarm, breached):
        return _Finding(
            alarm, "too_late", f"its values were such {number(max(0.0, read_ts - breached))} s before the end"
        )
    return _Finding(
        alarm,
        "did_not_go_off",
        f"did not go off within {number(read_ts - breached)} s, though {wanted(alarm)} was seen",
    )


def _unheard(found: list[_Finding], facts: Facts) -> Iterator[str]:
    """The dead letters of the queues whose every alarm is broken."""
    topology = facts.topology
    looking: dict[str, set[str]] = {}
    for one in found:
        queue = queue_of(one.alarm, topology)
        if queue:
            looking.setdefault(queue.name, set()).add(one.set)
    broken = {name for name, kinds in looking.items() if kinds <= set(_BROKEN)}
    yield from ids(stay for stay in facts.flow.letters if stay.queue in broken)


def _statement(found: list[_Finding], members: dict[str, tuple[str, ...]], facts: Facts) -> str:
    alarms = facts.run.alarms
    parts = [f"{count(len(found), 'alarm')}, {len(members['went_off']):,} went off"]
    bad = [one for one in found if one.set in _BROKEN]
    parts += [f"{one.alarm.name} {one.text}" for one in bad[:SAID_MAX]]
    if len(bad) > SAID_MAX:
        parts.append(f"{count(len(bad) - SAID_MAX, 'alarm')} more")
    if members["unheard"]:
        parts.append(f"{count(len(members['unheard']), 'dead letter')} unheard of: {examples(members['unheard'])}")
    parts += [f"{one.alarm.name}: {one.text}" for one in found if one.set == "too_late"][:SAID_MAX]
    if members["silent"]:
        parts.append(f"{count(len(members['silent']), 'alarm')} without an action: {examples(members['silent'])}")
    if alarms and alarms.not_judged:
        parts.append(f"not judged, as on more than one metric: {examples(alarms.not_judged)}")
    return "; ".join(parts)
