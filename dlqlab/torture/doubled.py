"""Which messages had an effect twice, as far as calls of AWS's APIs show it: without anybody saying what the effect is.

Sent twice: two invocations of one function at one message each sent a message that came of it. Added twice: each of
them updated the same item by an expression that adds, and neither was refused.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dlqlab.analysis.flow import Flow, attempts_of
from dlqlab.analysis.life_parts import Attempt, Stay
from dlqlab.analysis.recorded_rows import Row

_ADDS = re.compile(r"\bADD\b|list_append|=.*[+-]\s*[:#\w]", re.IGNORECASE)
_PUBLISHES = frozenset({"Publish", "PublishBatch", "PutEvents", "Invoke", "StartExecution", "PutRecord", "PutRecords"})
"""Calls that make something happen each time; sent messages are known by their parents."""


@dataclass(frozen=True, slots=True)
class Doubled:
    """A message whose work had an effect more than once, and which."""

    message_id: str
    what: str


def doubled(flow: Flow) -> tuple[Doubled, ...]:
    """Every message of which the record shows a second effect, each once."""
    sent, calls = _children(flow), _calls(flow)
    found: dict[str, str] = {}
    for stay in flow.work:
        attempts = list(attempts_of(stay))
        for function in {each.function for each in attempts}:
            own = [each for each in attempts if each.function == function]
            if len(own) > 1 and (what := _twice(stay, own, sent, calls)):
                found.setdefault(stay.message_id, f"{function} {what}")
    return tuple(Doubled(message_id, what) for message_id, what in found.items())


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


def _effect(row: Row, attempt: Attempt) -> tuple[str, str] | None:
    """What a call does each time that it is made, by name and subject; None where to do it again changes nothing.

    In a batch only calls about one item can be told apart: the same item again is the same message's.
    """
    name = f"{row['service']}:{row['operation']}"
    if row["operation"] == "UpdateItem" and row["item_key"] and row["update"] and _ADDS.search(row["update"]):
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
    for stay in flow.stays:
        parents = _parents(stay)
        if len(parents) == 1 and stay.sender_request_id:
            found.setdefault((parents[0], stay.sender_request_id), []).append(stay.queue)
    return found


def _parents(stay: Stay) -> Sequence[str]:
    parents: Iterable[str] = stay.parent_ids
    return [one for one in parents if one != stay.message_id]
