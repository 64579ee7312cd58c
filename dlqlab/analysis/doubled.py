"""Which messages had an effect twice, as far as calls of AWS's APIs show it: without anybody saying what the effect is.

Sent twice: two invocations of one function at one message each sent a message that came of it, and nothing shows that
whoever worked on both recognised it. Added twice: each of them updated the same item by an expression that adds, and
neither was refused. Done twice: a call whose answer was lost was made again by the same invocation, and took effect
again.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from dlqlab.analysis.draw_keys import keys_of
from dlqlab.analysis.flow import Flow, attempts_of, successes
from dlqlab.analysis.life_parts import Attempt, Stay
from dlqlab.analysis.recorded_rows import Row
from dlqlab.analysis.writes import WRITES
from dlqlab.contracts.injection import Kind as Fault

_ADDS = re.compile(r"\bADD\b|list_append|=.*[+-]\s*[:#\w]", re.IGNORECASE)
_BOOKS = r"(?:attempt|tries|retr|receive|version|history|log)\w*"
_BOOKKEEPING = re.compile(
    rf"\b{_BOOKS}\s*=\s*(?:(?!\b(?:ADD|REMOVE|DELETE|SET)\b)[^,()]|\([^)]*\))*|\bADD\s+{_BOOKS}\s+:\w+", re.IGNORECASE
)
"""What counts or logs attempts is meant to grow with each of them, and is told by its attribute's name."""
_PUBLISHES = frozenset({"Publish", "PublishBatch", "PutEvents", "Invoke", "StartExecution", "PutRecord", "PutRecords"})
"""Calls that make something happen each time; sent messages are known by their parents."""


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
    tried_again = [(stay, own) for stay in flow.work for own in _by_function(stay) if len(own) > 1]
    lost = [row for row in flow.recording.faults.to_pylist() if row["kind"] == Fault.CALL_ANSWER_LOST]
    if not tried_again and not lost:
        return ()
    evidence = _Evidence(flow)
    found: dict[str, Doubled] = {}
    for stay, own in tried_again:
        if one := _twice(stay, own, evidence):
            found.setdefault(stay.message_id, one)
    for one in _made_again(lost, evidence):
        found.setdefault(one.message_id, one)
    return tuple(found.values())


def _by_function(stay: Stay) -> Iterable[Sequence[Attempt]]:
    """The attempts at a message, by the function that made them."""
    found: dict[str, list[Attempt]] = {}
    for each in attempts_of(stay):
        found.setdefault(each.function, []).append(each)
    return found.values()


@dataclass(frozen=True)
class _Evidence:
    """What the record has, arranged for these questions."""

    flow: Flow

    @cached_property
    def calls(self) -> Mapping[str, Sequence[Row]]:
        """Those that were done, by invocation."""
        found: dict[str, list[Row]] = {}
        for row in self.flow.calls:
            if row["request_id"] and row["function"] and not row["error_code"]:
                found.setdefault(row["request_id"], []).append(row)
        return found

    @cached_property
    def sent(self) -> Mapping[tuple[str, str], Sequence[Stay]]:
        """What an invocation sent that comes of one of its messages alone, by that message and the invocation."""
        found: dict[tuple[str, str], list[Stay]] = {}
        keys = keys_of(self.flow)
        for stay in self.flow.stays:
            parents = _parents(stay, keys)
            if len(parents) == 1 and stay.sender_request_id:
                found.setdefault((parents[0], stay.sender_request_id), []).append(stay)
        return found

    @cached_property
    def twins(self) -> Mapping[str, Sequence[Sequence[Stay]]]:
        """By invocation: messages that it sent to the same queue with the same body."""
        found: dict[tuple[str, str, str], list[Stay]] = {}
        for stay in self.flow.stays:
            body = self.flow.body_hash(stay.message_id)
            if stay.sender_request_id and body:
                found.setdefault((stay.sender_request_id, stay.queue, body), []).append(stay)
        by_invocation: dict[str, list[list[Stay]]] = {}
        for (request_id, _, _), some in found.items():
            if len(some) > 1:
                by_invocation.setdefault(request_id, []).append(some)
        return by_invocation

    @cached_property
    def sent_on_twice(self) -> AbstractSet[str]:
        """Invocations that sent twins elsewhere than to dead letters."""
        letters = self.flow.dead_letter_queues
        return {
            one for one, sent in self.twins.items() if any(twin.queue not in letters for some in sent for twin in some)
        }

    def is_recognised(self, twins: Sequence[Stay]) -> bool:
        """Whether functions that worked on messages that were sent twice did nothing twice, as their calls show.

        A function that succeeds with both and calls nothing of AWS shows nothing: then nobody knows. To bury both is
        no work done twice.
        """
        letters = self.flow.dead_letter_queues
        tried = [(twin, each) for twin in twins for each in attempts_of(twin)]
        both = {each.request_id: each for _, each in tried}  # one batch may hold both, and send something on for each
        if len(both) < len(tried) and not self.sent_on_twice.isdisjoint(both):
            return False
        rows = [(row, each) for each in both.values() for row in self.calls.get(each.request_id, ())]
        seen = Counter(effect for row, each in rows if (effect := _effect(row, each)))
        onward = (one.queue for twin, each in tried for one in self.sent.get((twin.message_id, each.request_id), ()))
        seen.update(("", queue) for queue in onward if queue not in letters)
        is_seen = bool(rows) or (bool(tried) and sum(bool(successes(twin)) for twin in twins) <= 1)
        return is_seen and all(n == 1 for n in seen.values())


def _twice(stay: Stay, attempts: Sequence[Attempt], evidence: _Evidence) -> Doubled | None:
    """What more than one of these attempts at a message did; None where each effect is of one."""
    function, places = attempts[0].function, defaultdict[str, dict[str, list[Stay]]](dict)
    for each in attempts:
        for one in evidence.sent.get((stay.message_id, each.request_id), ()):
            if one.queue and one.queue != stay.queue:
                places[one.queue].setdefault(each.request_id, []).append(one)
    effects: Counter[tuple[str, str]] = Counter()
    for each in attempts:
        effects.update(_effects(stay, each, evidence))
    for (name, subject), n in effects.items():
        if n > 1:
            return Doubled(stay.message_id, f"{function} made {name} {subject} in {n} attempts")
    for queue, sent in places.items():
        if len(sent) > 1:
            is_recognised = evidence.is_recognised([one for some in sent.values() for one in some])
            return Doubled(stay.message_id, f"{function} sent to {queue} in {len(sent)} attempts", is_recognised)
    return None


def _effects(stay: Stay, attempt: Attempt, evidence: _Evidence) -> set[tuple[str, str]]:
    """What an attempt did that happens again each time; of a batch what is about this message."""
    return {
        effect
        for row in evidence.calls.get(attempt.request_id, ())
        if (effect := _effect(row, attempt)) and (attempt.batch == 1 or evidence.flow.is_about(row, stay.message_id))
    }


def _made_again(lost: Sequence[Row], evidence: _Evidence) -> Iterator[Doubled]:
    """What a lost answer made invocations do twice, by the message, or the task where there is none."""
    for strike in lost:
        own = [
            row for row in evidence.calls.get(strike["request_id"] or "", ()) if row["operation"] == strike["operation"]
        ]
        struck = [row for row in own if row["fault"] == strike["fault"]]
        name = f"{strike['service']}:{strike['operation']} {last_part(strike['resource'])}".strip()
        what = f"{strike['function']} made {name} again when its answer was lost"
        subject = strike["message_id"] or strike["task_key"]
        if any(_is_done_again(row, own) for row in struck):
            yield Doubled(subject, what)
        elif any(row["operation"] in WRITES["sqs"] for row in struck) and (
            sent := evidence.twins.get(strike["request_id"])
        ):
            yield Doubled(subject, what, is_recognised=all(map(evidence.is_recognised, sent)))


def _is_done_again(row: Row, own: Sequence[Row]) -> bool:
    is_effect = _adds(row) or row["operation"] in _PUBLISHES
    return is_effect and sum(_is_same(row, other) for other in own) > 1


def last_part(resource: str | None) -> str:
    """The name in a URL or ARN."""
    return (resource or "").replace("/", ":").rpartition(":")[2]


def _is_same(row: Row, other: Row) -> bool:
    return all(row[name] == other[name] for name in ("operation", "resource", "item_key", "update"))


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


def _parents(stay: Stay, keys: Mapping[str, str]) -> Sequence[str]:
    """Of the messages of a batch the one with the same key, where bodies have keys of tasks."""
    parents = [one for one in stay.parent_ids if one != stay.message_id]
    own = keys.get(stay.message_id)
    same = [one for one in parents if own and keys.get(one) == own]
    return same if len(parents) > 1 and len(same) == 1 else parents
