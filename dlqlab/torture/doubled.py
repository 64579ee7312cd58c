"""Which messages had an effect twice, as far as calls of AWS's APIs show it: without anybody saying what the effect is.

Sent twice: two invocations of one function at one message each sent a message that came of it. Added twice: each of
them updated the same item by an expression that adds, and neither was refused. Done twice: a call whose answer was lost
was made again by the same invocation, and took effect again.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from dlqlab.analysis.draw_keys import keys_of
from dlqlab.analysis.flow import Flow, attempts_of
from dlqlab.analysis.life_parts import Attempt, Stay
from dlqlab.analysis.recorded_rows import Row
from dlqlab.contracts.injection import Kind as Fault

_ADDS = re.compile(r"\bADD\b|list_append|=.*[+-]\s*[:#\w]", re.IGNORECASE)
_BOOKS = r"(?:attempt|tries|retr|receive|version|history|log)\w*"
_BOOKKEEPING = re.compile(
    rf"\b{_BOOKS}\s*=\s*(?:(?!\b(?:ADD|REMOVE|DELETE|SET)\b)[^,()]|\([^)]*\))*|\bADD\s+{_BOOKS}\s+:\w+", re.IGNORECASE
)
"""What counts or logs attempts is meant to grow with each of them, and is told by its attribute's name."""
_PUBLISHES = frozenset({"Publish", "PublishBatch", "PutEvents", "Invoke", "StartExecution", "PutRecord", "PutRecords"})
"""Calls that make something happen each time; sent messages are known by their parents."""
_SENDS = frozenset({"SendMessage", "SendMessageBatch"})


@dataclass(frozen=True, slots=True)
class Doubled:
    """A message whose work had an effect more than once, and which.

    ``is_recognised``: it was only sent twice, and whoever worked on both of them did nothing twice.
    """

    message_id: str
    what: str
    is_recognised: bool = False


def doubled(flow: Flow) -> tuple[Doubled, ...]:
    """Every message of which the record shows a second effect, each once."""
    sent, calls = _children(flow), _calls(flow)
    found: dict[str, Doubled] = {}
    for stay in flow.work:
        attempts = list(attempts_of(stay))
        for function in {each.function for each in attempts}:
            own = [each for each in attempts if each.function == function]
            if len(own) > 1 and (what := _twice(stay, own, sent, calls)):
                found.setdefault(stay.message_id, Doubled(stay.message_id, f"{function} {what}"))
    for one in _made_again(flow, calls, sent):
        found.setdefault(one.message_id, one)
    return tuple(found.values())


def _twice(
    stay: Stay,
    attempts: Sequence[Attempt],
    sent: Mapping[tuple[str, str], Sequence[str]],
    calls: Mapping[str, Sequence[Row]],
) -> str | None:
    """What more than one of these attempts at a message did; None where each effect is of one."""
    queues = Counter(
        queue for each in attempts for queue in set(sent.get((stay.message_id, each.request_id), ())) if queue
    )
    twice = [queue for queue, n in queues.items() if n > 1 and queue != stay.queue]
    if twice:
        return f"sent to {twice[0]} in {queues[twice[0]]} attempts"
    effects: Counter[tuple[str, str]] = Counter()
    for each in attempts:
        effects.update({effect for row in calls.get(each.request_id, ()) if (effect := _effect(row, each))})
    repeated = [(effect, n) for effect, n in effects.items() if n > 1]
    return f"made {repeated[0][0][0]} {repeated[0][0][1]} in {repeated[0][1]} attempts" if repeated else None


def _made_again(
    flow: Flow, calls: Mapping[str, Sequence[Row]], children: Mapping[tuple[str, str], Sequence[str]]
) -> Iterator[Doubled]:
    """What a lost answer made invocations do twice, by the message, or the task where there is none."""
    twins, letters = _twins(flow), flow.dead_letter_queues
    onward = {key: [queue for queue in queues if queue not in letters] for key, queues in children.items()}
    both_on = {one for one, sent in twins.items() if any(stay.queue not in letters for some in sent for stay in some)}
    for strike in flow.recording.faults.to_pylist():
        if strike["kind"] != Fault.CALL_ANSWER_LOST:
            continue
        own = [row for row in calls.get(strike["request_id"] or "", ()) if row["operation"] == strike["operation"]]
        struck = [row for row in own if row["fault"] == strike["fault"]]
        name = f"{strike['service']}:{strike['operation']} {last_part(strike['resource'])}".strip()
        what = f"{strike['function']} made {name} again when its answer was lost"
        subject = strike["message_id"] or strike["task_key"]
        if any(_is_done_again(row, own) for row in struck):
            yield Doubled(subject, what)
        elif any(row["operation"] in _SENDS for row in struck) and (sent := twins.get(strike["request_id"])):
            yield Doubled(
                subject, what, is_recognised=all(_is_recognised(some, calls, onward, both_on) for some in sent)
            )


def _is_done_again(row: Row, own: Sequence[Row]) -> bool:
    is_effect = _adds(row) or row["operation"] in _PUBLISHES
    return is_effect and sum(_is_same(row, other) for other in own) > 1


def _is_recognised(
    twins: Sequence[Stay],
    calls: Mapping[str, Sequence[Row]],
    children: Mapping[tuple[str, str], Sequence[str]],
    sent_twice: AbstractSet[str],
) -> bool:
    """Whether functions that worked on messages that were sent twice did nothing twice, as their calls show.

    A function that calls nothing of AWS shows nothing: then nobody knows. To bury both is no work that is done twice.
    """
    tried = [(twin, each) for twin in twins for each in attempts_of(twin)]
    both = {each.request_id: each for _, each in tried}  # one batch may hold both, and send something on for each
    if len(both) < len(tried) and not sent_twice.isdisjoint(both):
        return False
    rows = [(row, each) for each in both.values() for row in calls.get(each.request_id, ())]
    seen = Counter(effect for row, each in rows if (effect := _effect(row, each)))
    seen.update(("", queue) for twin, each in tried for queue in children.get((twin.message_id, each.request_id), ()))
    return bool(rows) and all(n == 1 for n in seen.values())


def last_part(resource: str | None) -> str:
    """The name in a URL or ARN."""
    return (resource or "").replace("/", ":").rpartition(":")[2]


def _is_same(row: Row, other: Row) -> bool:
    return all(row[name] == other[name] for name in ("operation", "resource", "item_key", "update"))


def _twins(flow: Flow) -> dict[str, list[list[Stay]]]:
    """By invocation: messages that it sent to the same queue with the same body."""
    found: dict[tuple[str, str, str], list[Stay]] = {}
    for stay in flow.stays:
        body = flow.body_hash(stay.message_id)
        if stay.sender_request_id and body:
            found.setdefault((stay.sender_request_id, stay.queue, body), []).append(stay)
    by_invocation: dict[str, list[list[Stay]]] = {}
    for (request_id, _, _), some in found.items():
        if len(some) > 1:
            by_invocation.setdefault(request_id, []).append(some)
    return by_invocation


def _adds(row: Row) -> bool:
    """Whether an update of an item changes it each time."""
    if row["operation"] != "UpdateItem" or not row["item_key"] or not row["update"]:
        return False
    return bool(_ADDS.search(_BOOKKEEPING.sub("", row["update"])))


def _effect(row: Row, attempt: Attempt) -> tuple[str, str] | None:
    """What a call does each time that it is made, by name and subject; None where to do it again changes nothing.

    In a batch only calls about one item can be told apart: the same item again is the same message's.
    """
    name = f"{row['service']}:{row['operation']}"
    if _adds(row):
        return name, row["item_key"]
    if row["operation"] in _PUBLISHES and attempt.batch == 1:
        return name, row["resource"] or ""
    return None


def _calls(flow: Flow) -> dict[str, list[Row]]:
    """Calls that were done, by invocation."""
    found: dict[str, list[Row]] = {}
    for row in flow.calls:
        if row["request_id"] and row["function"] and not row["error_code"]:
            found.setdefault(row["request_id"], []).append(row)
    return found


def _children(flow: Flow) -> dict[tuple[str, str], list[str]]:
    """Queues that an invocation sent a message to which comes of one of its messages alone, by that message and it."""
    found: dict[tuple[str, str], list[str]] = {}
    keys = keys_of(flow)
    for stay in flow.stays:
        parents = _parents(stay, keys)
        if len(parents) == 1 and stay.sender_request_id:
            found.setdefault((parents[0], stay.sender_request_id), []).append(stay.queue)
    return found


def _parents(stay: Stay, keys: Mapping[str, str]) -> Sequence[str]:
    """Of the messages of a batch the one with the same key, where bodies have keys of tasks."""
    parents = [one for one in stay.parent_ids if one != stay.message_id]
    own = keys.get(stay.message_id)
    same = [one for one in parents if own and keys.get(one) == own]
    return same if len(parents) > 1 and len(same) == 1 else parents
