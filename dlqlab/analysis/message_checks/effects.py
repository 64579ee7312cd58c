"""Whether the work itself happened once for each message that was worked off, where the owner says what the work is.

A call is the effect of the message whose body has the key of the call's item in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, ids, successes
from dlqlab.analysis.leaves import key_values, values_of
from dlqlab.analysis.life_parts import Stay
from dlqlab.analysis.recorded_rows import Row, Rows
from dlqlab.analysis.wording import examples
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.errors import EvidenceError
from dlqlab.wording import count

SETS = (
    NamedSet("doubled", SetKind.VIOLATION, "Its effect happened more than once: the function is not idempotent."),
    NamedSet(
        "missing",
        SetKind.VIOLATION,
        "Worked off with success and without its effect: the function fails and does not say so.",
    ),
    NamedSet("done_once", SetKind.ACCOUNT, "Worked off, with one effect."),
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which calls are the effect: ``dynamodb:PutItem bills``."""

    service: str
    operation: str
    resource: str

    @classmethod
    def of(cls, text: str) -> Self:
        name, _, resource = text.partition(" ")
        service, _, operation = name.partition(":")
        return cls(service, operation, resource)

    def is_met_by(self, call: Row) -> bool:
        return (
            call["service"] == self.service
            and call["operation"] == self.operation
            and self.resource in (call["resource"] or "")
            and not call["error_code"]
            and call["request_id"] is not None
        )


@check("effects", "Each effect exactly once", place=45, sets=SETS)
def effects_check(facts: Facts) -> Judgement:
    """Valid: each message that was worked off has its effect once. Not judged where nobody says what the effect is."""
    if not facts.manifest.effects:
        return Judgement(status=Status.VALID, statement="no effect is named: nothing is said about it", n=0)
    flow = facts.flow
    effects = _effects(flow, [Pattern.of(text) for text in facts.manifest.effects])
    done = [stay for stay in flow.work if successes(stay)]
    values = _values(flow, done)
    found: dict[str, list[Stay]] = {one.name: [] for one in SETS}
    for stay in done:
        own = sum(effects.get(value, 0) for value in values.get(stay.message_id, ()) if value in effects)
        found["missing" if not own else "done_once" if own == 1 else "doubled"].append(stay)
    members = {name: ids(some) for name, some in found.items()}
    if done and not values:
        raise EvidenceError("effects cannot be matched with messages: no bodies were kept")
    wrong = len(members["doubled"]) + len(members["missing"])
    proven = Status.VALID if done else Status.UNKNOWN
    return Judgement(
        status=Status.INVALID if wrong else proven,
        statement=_statement(members, len(done)),
        measured=float(wrong),
        expected=0.0,
        unit="messages",
        n=len(done),
        members=members,
    )


def _effects(flow: Flow, patterns: Sequence[Pattern]) -> Mapping[str, int]:
    """How often each item had its effect, by the values of its key; the most frequent of several patterns counts."""
    counts: dict[str, int] = {}
    for pattern in patterns:
        own: dict[str, int] = {}
        for call in flow.calls:
            if pattern.is_met_by(call) and call["item_key"]:
                for value in key_values(call["item_key"]):
                    own[value] = own.get(value, 0) + 1
        for value, n in own.items():
            counts[value] = max(counts.get(value, 0), n)
    return counts


def _values(flow: Flow, stays: Iterable[Stay]) -> Mapping[str, AbstractSet[str]]:
    """The values in the bodies of messages, by message id."""
    rows = Rows(flow.recording)
    bodies = rows.bodies_of(rows.sent({stay.message_id for stay in stays}))
    return {message_id: values_of(body) for message_id, body in bodies.items()}


def _statement(members: Mapping[str, tuple[str, ...]], done: int) -> str:
    if not done:
        return "no message was worked off, so nothing is proven"
    text = f"{count(done, 'message')} worked off, {len(members['done_once']):,} with one effect"
    said = {"doubled": "with more than one effect", "missing": "without any effect"}
    parts = [
        f"{len(members[name]):,} {clause}: {examples(members[name])}" for name, clause in said.items() if members[name]
    ]
    return "; ".join([text, *parts])
