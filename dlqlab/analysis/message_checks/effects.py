"""Whether the work itself happened once for each message that was worked off, where the owner says what the work is.

A call is the effect of the message whose body has the key of the call's item in it. One that failed in the end may have
had its effect as well, before its attempts failed: at most once then.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.doubled import Doubled, doubled
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, attempts_of, ids, successes
from dlqlab.analysis.late_writes import LateWrite, LateWrites
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
    NamedSet(
        "after_the_answer",
        SetKind.VIOLATION,
        "Its effect came after the function had answered, which did not wait for it: Lambda freezes the environment "
        "then, so that it comes later or never, and its failure is nobody's.",
    ),
    NamedSet("done_once", SetKind.ACCOUNT, "Worked off, with one effect."),
    NamedSet("failed_after_it", SetKind.REPORTED, "Not worked off, though its effect happened: once, as it stands."),
)
_WRONG = ("doubled", "missing", "after_the_answer")


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
        )


@check("effects", "Each effect exactly once", place=45, sets=SETS)
def effects_check(facts: Facts) -> Judgement:
    """Valid: each message that was worked off has its effect once. Where nobody says what the effect is: no attempts at
    one message did the same twice that happens again each time, and no function wrote anything after its answer.
    """
    if not facts.manifest.effects:
        return _unnamed(facts)
    flow = facts.flow
    effects = Effects.of(flow, [Pattern.of(text) for text in facts.manifest.effects])
    tried = [stay for stay in flow.work if any(attempts_of(stay))]
    values = _values(flow, tried)
    done = [stay for stay in tried if successes(stay)]
    if done and not values:
        raise EvidenceError("effects cannot be matched with messages: no bodies were kept")
    found: dict[str, list[Stay]] = {one.name: [] for one in SETS}
    for stay in tried:
        name = effects.set_of(values.get(stay.message_id, frozenset()), is_done=bool(successes(stay)))
        if name:
            found[name].append(stay)
    members = {name: ids(some) for name, some in found.items()}
    wrong = sum(len(members[name]) for name in _WRONG)
    proven = Status.VALID if done else Status.UNKNOWN
    return Judgement(
        status=Status.INVALID if wrong else proven,
        statement=_statement(members, len(done)),
        measured=float(wrong),
        expected=0.0,
        unit="messages",
        n=len(tried),
        members=members,
    )


def _unnamed(facts: Facts) -> Judgement:
    """Whatever the effect is: what is added or sent on by two attempts is done twice, and a write that nobody waits for
    is none that one can rely on.
    """
    recorded = facts.run.recording is not None
    late = list(LateWrites(facts.flow)) if recorded else []
    twice = [one for one in doubled(facts.flow) if not one.is_recognised] if recorded else []
    members = {one.name: () for one in SETS} | {
        "doubled": tuple(one.message_id for one in twice),
        "after_the_answer": tuple(dict.fromkeys(name for one in late for name in one.subjects)),
    }
    wrong = len(late) + len(twice)
    said = "; ".join([*_said_twice(twice), *_said_late(late, members["after_the_answer"])])
    return Judgement(
        status=Status.INVALID if wrong else Status.VALID,
        statement=said or "no effect is named: nothing is said about it",
        measured=float(wrong),
        expected=0.0,
        unit="effects",
        n=wrong,
        members=members,
    )


def _said_twice(twice: Sequence[Doubled]) -> Iterable[str]:
    if twice:
        ids_ = examples([one.message_id for one in twice])
        yield f"{count(len(twice), 'message')} with an effect that happened again, as {twice[0].what}: {ids_}"


def _said_late(late: Sequence[LateWrite], names: Sequence[str]) -> Iterable[str]:
    if late:
        functions = ", ".join(sorted({one.function for one in late}))
        told = f": {examples(names)}" if names else ""
        yield f"{count(len(late), 'write')} after the answer of {functions}, which did not wait for it{told}"


@dataclass(frozen=True, slots=True)
class Effects:
    """How often each item had its effect, by the values of its key: by invocations, and after functions had answered.

    Of several patterns the most frequent one counts.
    """

    awaited: Mapping[str, int]
    late: Mapping[str, int]

    @classmethod
    def of(cls, flow: Flow, patterns: Sequence[Pattern]) -> Self:
        """The recorder knows no invocation of a call that a function makes after its answer."""
        calls = [call for call in flow.calls if call["item_key"] and flow.is_own_caller(call["function"])]
        return cls(
            _most_frequent([call for call in calls if call["request_id"] is not None], patterns),
            _most_frequent([call for call in calls if call["request_id"] is None and call["function"]], patterns),
        )

    def set_of(self, values: AbstractSet[str], *, is_done: bool) -> str | None:
        """The set of a message with these values in its body; None for one that failed without an effect."""
        awaited, late = (sum(counts.get(value, 0) for value in values) for counts in (self.awaited, self.late))
        if awaited + late > 1:
            return "doubled"
        if late:
            return "after_the_answer"
        if is_done:
            return "done_once" if awaited else "missing"
        return "failed_after_it" if awaited else None


def _most_frequent(calls: Sequence[Row], patterns: Sequence[Pattern]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for pattern in patterns:
        own = Counter(value for call in calls if pattern.is_met_by(call) for value in key_values(call["item_key"]))
        for value, n in own.items():
            counts[value] = max(counts.get(value, 0), n)
    return counts


def _values(flow: Flow, stays: Iterable[Stay]) -> Mapping[str, AbstractSet[str]]:
    """The values in the bodies of messages, by message id."""
    rows = Rows(flow.recording)
    bodies = rows.bodies_of(rows.sent({stay.message_id for stay in stays}))
    return {message_id: values_of(body) for message_id, body in bodies.items()}


def _statement(members: Mapping[str, tuple[str, ...]], done: int) -> str:
    if not done and not any(members.values()):
        return "no message was worked off, so nothing is proven"
    text = f"{count(done, 'message')} worked off, {len(members['done_once']):,} with one effect"
    said = {
        "doubled": "with more than one effect",
        "missing": "without any effect",
        "after_the_answer": "with an effect after the function's answer, which did not wait for it",
        "failed_after_it": "failed after their effect",
    }
    parts = [
        f"{len(members[name]):,} {clause}: {examples(members[name])}" for name, clause in said.items() if members[name]
    ]
    return "; ".join([text, *parts])
