"""Whether every task that was accepted came to an end, where its owner says what that is."""

from collections.abc import Iterable

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow
from dlqlab.analysis.leaves import values_of
from dlqlab.analysis.life_parts import Stay
from dlqlab.analysis.recorded_rows import Rows
from dlqlab.analysis.wording import examples
from dlqlab.contracts.outcomes import TAKEN
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.errors import EvidenceError
from dlqlab.wording import count

SETS = (
    NamedSet("not_done", SetKind.VIOLATION, "Accepted, at rest, and in a state in which no task has ended."),
    NamedSet(
        "without_a_state", SetKind.VIOLATION, "Accepted, and nothing is known of it where its state has to stand."
    ),
    NamedSet("not_arrived", SetKind.VIOLATION, "Accepted, and no message with its key came to the queue."),
    NamedSet(
        "ended_before",
        SetKind.OPEN,
        "Had ended before the load, in an earlier run with the same keys: give another --seed, or start anew.",
    ),
    NamedSet("done", SetKind.ACCOUNT, "Accepted, and ended."),
    NamedSet("dead_lettered", SetKind.REPORTED, "Its message is a dead letter: that is its end."),
)
_SAID = {"not_done": "not ended", "without_a_state": "without a state", "not_arrived": "not arrived"}


@check("done", "Every accepted task done", place=25, sets=SETS, asked=lambda facts: bool(facts.manifest.done.kind))
def done_check(facts: Facts) -> Judgement:
    """Valid: each accepted task is in a final state or has arrived, or its message is a dead letter."""
    ledger = facts.ledger
    accepted = tuple(dict.fromkeys(ledger.loc[ledger["outcome"].isin(TAKEN), "task_id"].dropna()))
    members: dict[str, list[str]] = {one.name: [] for one in SETS}
    dead = _keys_of(facts.flow, facts.flow.letters, accepted)
    where = _by_queue(facts, accepted) if facts.manifest.done.kind == "queue" else _by_state(facts, accepted)
    for task, name in where.items():
        members["dead_lettered" if name != "done" and task in dead else name].append(task)
    wrong = sum(len(members[name]) for name in _SAID)
    at_rest = Status.INVALID if facts.manifest.drained else Status.UNKNOWN
    return Judgement(
        status=at_rest if wrong else Status.VALID if accepted and not members["ended_before"] else Status.UNKNOWN,
        statement=_statement(members, len(accepted)),
        measured=float(wrong),
        expected=0.0,
        unit="tasks",
        n=len(accepted),
        members={name: tuple(tasks) for name, tasks in members.items()},
        details={} if facts.run.states is None else {"states": _counts(facts.run.states.states.values())},
    )


def _by_state(facts: Facts, accepted: Iterable[str]) -> dict[str, str]:
    states = facts.run.states
    if states is None or states.unread:
        reason = states.unread if states else facts.run.unreadable.get("states", "nobody looked")
        raise EvidenceError(f"the state of the tasks is not known: {reason}")
    final, before = facts.manifest.done.values, frozenset(states.ended_before)

    def name_of(task: str) -> str:
        if task not in states.states:
            return "without_a_state"
        if states.states[task] not in final:
            return "not_done"
        return "ended_before" if task in before else "done"

    return {task: name_of(task) for task in accepted}


def _by_queue(facts: Facts, accepted: tuple[str, ...]) -> dict[str, str]:
    part = facts.manifest.done.queue
    names = [queue.name for queue in facts.topology.queues]
    found = [part] if part in names else [name for name in names if part in name]
    if len(found) != 1:
        raise EvidenceError(f"done.queue is {part!r}: {len(found)} queues are called so; there are {', '.join(names)}")
    arrived = _keys_of(facts.flow, (stay for stay in facts.flow.stays if stay.queue == found[0]), accepted)
    return {task: "done" if task in arrived else "not_arrived" for task in accepted}


def _keys_of(flow: Flow, stays: Iterable[Stay], keys: Iterable[str]) -> set[str]:
    """Which of the keys these messages have, as the task's key or in their bodies."""
    wanted, rows = set(keys), Rows(flow.recording)
    sent = rows.sent({stay.message_id for stay in stays})
    keyed = {row["task_key"] for row in sent} & wanted
    return keyed | {value for body in rows.bodies_of(sent).values() for value in values_of(body)} & wanted


def _counts(states: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in states:
        found[state] = found.get(state, 0) + 1
    return found


def _statement(members: dict[str, list[str]], accepted: int) -> str:
    if not accepted:
        return "no task was accepted, so nothing is proven"
    parts = [f"{count(accepted, 'task')} accepted, {len(members['done']):,} done"]
    if members["ended_before"]:
        parts.append(f"{len(members['ended_before']):,} had ended before the load: {examples(members['ended_before'])}")
    if members["dead_lettered"]:
        parts.append(f"{len(members['dead_lettered']):,} dead-lettered")
    parts += [
        f"{len(members[name]):,} {text}: {examples(members[name])}" for name, text in _SAID.items() if members[name]
    ]
    return "; ".join(parts)
