"""Whether the tasks leave the same behind as in two reference plays of them, each on a pipeline made anew."""

from collections.abc import Iterator, Sequence

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.same_end import Comparison, Finding, Kind, same_end
from dlqlab.contracts.end_state import Played
from dlqlab.contracts.outcomes import TAKEN
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.errors import EvidenceError
from dlqlab.wording import count

LISTED_MAX, SAID_MAX = 500, 3
"""Differences in the details, and in the statement; the sets have all of them."""
REFERENCES = 2
SETS = (
    NamedSet("missing", SetKind.VIOLATION, "In both reference plays, and not at the end of this one, or less often."),
    NamedSet("more", SetKind.VIOLATION, "At the end of this play more often than in both reference plays."),
    NamedSet("changed", SetKind.VIOLATION, "There as often, and with another content than in both reference plays."),
    NamedSet("unsettled", SetKind.OPEN, "The reference plays differ here themselves: nothing can be said."),
    NamedSet("not_accepted", SetKind.NORMAL, "Of a task that was accepted in a reference play and not in this one."),
    NamedSet("same", SetKind.ACCOUNT, "The same as in both reference plays."),
)
_AGAINST = (Kind.CHANGED, Kind.MISSING, Kind.MORE)


@check(
    "same_end", "The same end as in reference plays", place=48, sets=SETS, asked=lambda facts: facts.was_played_again
)
def same_end_check(facts: Facts) -> Judgement:
    """Valid: every item, object and message that is left is left by the reference plays as well, with the same content.

    What differs between the reference plays themselves is left out.
    """
    references = facts.run.references
    if len(references) != REFERENCES or facts.run.end is None:
        raise EvidenceError(facts.run.unreadable.get("end", "what the plays left behind was not kept"))
    play = Played(
        run_id=facts.manifest.run_id,
        drained=facts.manifest.drained,
        accepted=tuple(facts.ledger.loc[facts.ledger["outcome"].isin(TAKEN), "task_id"].dropna()),
        end=facts.run.end,
    )
    first, second = references
    found = same_end(first, second, play, facts.manifest.volatile)
    different = [one for kind in _AGAINST for one in found.of(kind)]
    doubts = [*_doubts((*references, play)), *_unsettled(found)]
    if not found.findings and not doubts:
        doubts.append("nothing was left behind in any play, so nothing is proven")
    return Judgement(
        status=Status.INVALID if different else Status.UNKNOWN if doubts else Status.VALID,
        statement=_statement(found, different, doubts),
        measured=float(len(different)),
        expected=0.0,
        unit="items",
        n=len(found.findings),
        members={str(kind): tuple(one.name for one in found.of(kind)) for kind in Kind},
        details={
            "references": [one.run_id for one in references],
            "differences": [_told(one) for one in [*different, *found.of(Kind.UNSETTLED)][:LISTED_MAX]],
            "left_out": [str(one) for one in found.left_out],
            "places": list(found.places),
        },
    )


def _doubts(plays: Sequence[Played]) -> Iterator[str]:
    for one in plays:
        if not one.drained:
            yield f"the queues of {one.run_id} were not empty at its end"
        yield from (f"{one.run_id}: {reason}" for reason in one.end.unread)


def _unsettled(found: Comparison) -> Iterator[str]:
    unsettled = found.of(Kind.UNSETTLED)
    if unsettled:
        what = f"in {count(len(unsettled), 'item')} the reference plays differ themselves"
        yield f"{what}, such as {unsettled[0].name}: {unsettled[0].text} (may it differ: effects.volatile)"


def _statement(found: Comparison, different: Sequence[Finding], doubts: Sequence[str]) -> str:
    parts = [f"{count(len(found.findings), 'item')} in {count(len(found.places), 'place')}"]
    parts[0] += f", {len(found.of(Kind.SAME)):,} as in both reference plays, {len(different):,} not"
    parts += [f"{one.name}: {one.text}" for one in different[:SAID_MAX]]
    if len(different) > SAID_MAX:
        parts.append(f"{len(different) - SAID_MAX:,} more")
    if found.left_out:
        parts.append(f"not compared, as made anew in each play: {', '.join(map(str, found.left_out))}")
    if found.of(Kind.NOT_ACCEPTED):
        parts.append(f"{len(found.of(Kind.NOT_ACCEPTED)):,} of tasks that were not accepted in this play")
    return "; ".join([*parts, *doubts])


def _told(one: Finding) -> dict[str, object]:
    return {"item": one.name, "kind": str(one.kind), "text": one.text, "tasks": list(one.tasks)}
