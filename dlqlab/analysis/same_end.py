"""Whether the same tasks leave the same behind: a play held against two reference plays of the same tasks.

What differs between the references themselves says nothing about the play: values that are made anew each time (time
stamps, ids) are left out everywhere, and an item in which the references differ otherwise is not judged.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dlqlab.analysis.end_items import (
    Content,
    Groups,
    Pattern,
    content,
    identified,
    made_anew,
    pattern_of,
    plain,
    tasks_of,
    without_name_ends,
)
from dlqlab.contracts.end_state import Played


class Kind(StrEnum):
    """How an item of the play stands to the references; the names of the check's sets."""

    SAME = "same"
    MISSING = "missing"
    MORE = "more"
    CHANGED = "changed"
    UNSETTLED = "unsettled"
    NOT_ACCEPTED = "not_accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One item: what kind of difference, and in words. ``name`` is ``dynamodb orders/o-17``."""

    kind: Kind
    name: str
    text: str = ""
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Every item of every place, and the attributes that were not compared."""

    findings: tuple[Finding, ...]
    left_out: tuple[Pattern, ...] = ()
    places: tuple[str, ...] = field(default=())

    def of(self, kind: Kind) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.kind is kind)


def same_end(first: Played, second: Played, play: Played, volatile: Iterable[str] = ()) -> Comparison:
    """A play held against two reference plays.

    Args:
        first: a reference play.
        second: another one.
        play: of the same tasks.
        volatile: attributes that are declared to differ: ``updatedAt``, or ``dynamodb orders updatedAt``.
    """
    ends = without_name_ends([first.end, second.end, play.end])
    declared = tuple(volatile)
    known = frozenset(first.accepted) | frozenset(second.accepted)
    refused = known - set(play.accepted)
    findings: list[Finding] = []
    left_out: list[Pattern] = []
    places = tuple(sorted({place for end in ends for place in end}))
    for place in places:
        lots = [end.get(place, ()) for end in ends]
        groups = identified(lots[0], lots[1], lots[2], known)
        paths = made_anew(groups, declared, place)
        left_out += [Pattern(place=place, path=path) for path in sorted(paths)]
        findings += _compared(place, groups, paths, known, refused)
    return Comparison(findings=tuple(findings), left_out=tuple(left_out), places=places)


def _compared(
    place: str, groups: Groups, left_out: frozenset[str], known: frozenset[str], refused: frozenset[str]
) -> Iterator[Finding]:
    for identity, (first, second, play) in sorted(groups.items(), key=lambda pair: pair[0]):
        if tasks_of(identity, known) & refused:
            kind, text = Kind.NOT_ACCEPTED, "its task was not accepted in this play"
        elif len(first) != len(second):
            kind, text = (
                Kind.UNSETTLED,
                f"{_times(len(first))} in one reference play, {_times(len(second))} in the other",
            )
        elif len(play) != len(first):
            kind, text = _number(len(first), len(play))
        else:
            kind, text = _contents(*([content(item, left_out) for item in items] for items in (first, second, play)))
        yield Finding(kind=kind, name=f"{place}/{identity}", text=text, tasks=tuple(sorted(tasks_of(identity, known))))


def _number(wanted: int, found: int) -> tuple[Kind, str]:
    if found < wanted:
        return Kind.MISSING, "missing" if not found else f"{_times(found)}, {_times(wanted)} in the reference plays"
    return Kind.MORE, f"there {_times(found)}, {_times(wanted)} in the reference plays"


def _times(n: int) -> str:
    return {0: "not there", 1: "once", 2: "twice"}.get(n, f"{n:,} times")


def _contents(first: Sequence[Content], second: Sequence[Content], play: Sequence[Content]) -> tuple[Kind, str]:
    """How items that are there as often as they should differ in what they hold."""
    unsettled = set(_differing(first, second))
    found = {path: values for path, values in _differing(first, play).items() if path not in unsettled}
    if found:
        return Kind.CHANGED, "; ".join(
            f"{path or 'content'} {plain(is_now)}, {plain(was)} in the reference plays"
            for path, (was, is_now) in found.items()
        )
    if unsettled:
        return (
            Kind.UNSETTLED,
            f"the reference plays differ in {', '.join(sorted(path or 'content' for path in unsettled))}",
        )
    return Kind.SAME, ""


def _differing(wanted: Sequence[Content], found: Sequence[Content]) -> dict[str, tuple[str | None, str | None]]:
    """The patterns in which two lots of items differ, each with the values of one pair of items."""
    before, after = (Counter(frozenset(one.items()) for one in items) for items in (wanted, found))
    gone, new = (sorted(map(sorted, one.elements())) for one in (before - after, after - before))
    differing: dict[str, tuple[str | None, str | None]] = {}
    for was, is_now in zip(gone, new, strict=True):
        one, other = dict(was), dict(is_now)
        for path in sorted(one.keys() | other.keys()):
            if one.get(path) != other.get(path):
                differing.setdefault(pattern_of(path), (one.get(path), other.get(path)))
    return differing
