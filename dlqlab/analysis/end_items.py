"""Items of several plays of the same tasks, told apart and made alike: who is who, and what never is the same.

An item is known by its primary key where the reference plays agree on it, else by what of its key is not made anew in
each play (time stamps, ids) and by the tasks that it is about. Values that are made anew are left out of its content.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dlqlab.contracts.end_state import EndState, Item

TASK_KEY = re.compile(r"t-\d+-\d{8}")
"""As the load makes them."""
_MADE_ANEW = re.compile(
    r"""\d{4}-\d\d-\d\d[T\ ]\d\d:\d\d[\d:.,Z+-]*     # a time
      | [0-9a-fA-F-]*\d{9,}[0-9a-fA-F-]*               # seconds since the epoch, long numbers
      | [0-9A-HJKMNP-TV-Z]{26}                         # a ULID
      | [0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}
      | (?=[a-f]*\d)[0-9a-f]{8,}                       # a hexadecimal id
      | \d+\.\d{5,}                                    # a fraction that was measured""",
    re.VERBOSE,
)
_NAME_END = re.compile(r"-(?=[0-9A-Za-z]*\d)([0-9a-f]{8}|[0-9A-Z]{12,13}|[0-9a-z]{12,13})$")
"""What CloudFormation adds to a logical name."""
_SECONDS_MIN = 1e9
_JOINTS = re.compile(r"[#|:/]")
_MARK = "*"

type Content = Mapping[str, str]
"""Values by where they stand, without those that are made anew."""


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """Which item it is: ``key``, or as much of it as stays, and the tasks that it is about."""

    key: str
    tasks: tuple[str, ...] = ()

    def __str__(self) -> str:
        about = ", ".join(task for task in self.tasks if task not in self.key)
        return " ".join(part for part in (self.key, f"of {about}" if self.key and about else about) if part) or "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A place's attribute that is not compared: ``lines[].at`` stands for every element of the list."""

    place: str
    path: str

    def __str__(self) -> str:
        return f"{self.place} {self.path}" if self.path else self.place


def without_name_ends(ends: Sequence[EndState]) -> tuple[Mapping[str, tuple[Item, ...]], ...]:
    """Items by place of each play; places without what CloudFormation adds to names, where they stay apart so."""
    return tuple(_by_name(end) for end in ends)


def _by_name(end: EndState) -> Mapping[str, tuple[Item, ...]]:
    short = Counter(_NAME_END.sub("", place) for place in end.places)
    return {
        (_NAME_END.sub("", place) if short[_NAME_END.sub("", place)] == 1 else place): items
        for place, items in end.places.items()
    }


def identified(
    first: Sequence[Item], second: Sequence[Item], others: Sequence[Item], known: AbstractSet[str] = frozenset()
) -> "Groups":
    """The items of a place in two reference plays and another one, each grouped by who is who.

    ``known`` are the keys of tasks, beside those that the load makes by itself.
    """
    keys, other_keys = ({item.key for item in items} for items in (first, second))
    shared = keys & other_keys - {""}
    are_made_anew = bool(keys and other_keys) and not shared

    def identity(item: Item) -> Identity:
        if item.key in shared:
            return Identity(item.key)
        masked = _masked(item.key)
        key = "" if masked == _MARK or (are_made_anew and masked == item.key) else masked
        return Identity(key, tuple(sorted(_tasks(item, known) - tasks_in(key, known))))

    grouped: dict[Identity, tuple[list[Item], list[Item], list[Item]]] = {}
    for n, items in enumerate((first, second, others)):
        for item in items:
            grouped.setdefault(identity(item), ([], [], []))[n].append(item)
    return grouped


type Groups = Mapping[Identity, tuple[Sequence[Item], Sequence[Item], Sequence[Item]]]


def pattern_of(path: str) -> str:
    """``lines[0].at`` as ``lines[].at``."""
    return re.sub(r"\[\d+\]", "[]", path)


def made_anew(groups: Groups, declared: Iterable[str], place: str) -> frozenset[str]:
    """Patterns of the values that differ from play to play as time stamps, ids and measured times do, or are declared
    to. One of which only a few differ, or whose values are words, is none: it would hide a difference that matters.
    """
    compared: Counter[str] = Counter()
    differing: dict[str, list[tuple[str | None, str | None]]] = {}
    for first, second, _ in groups.values():
        for one, other in _pairs(first, second):
            for path in one.keys() | other.keys():
                compared[pattern_of(path)] += 1
                if one.get(path) != other.get(path):
                    differing.setdefault(pattern_of(path), []).append((one.get(path), other.get(path)))
    known = {pattern_of(path) for each in groups.values() for items in each for item in items for path in item.values}
    found = {path for path, pairs in differing.items() if _are_made_anew(pairs, compared[path])}
    return frozenset(found | {path for path in known if any(_is_declared(path, text, place) for text in declared)})


def content(item: Item, left_out: frozenset[str]) -> Content:
    return {path: value for path, value in item.values.items() if pattern_of(path) not in left_out}


def tasks_of(identity: Identity, known: AbstractSet[str]) -> set[str]:
    return {*identity.tasks, *tasks_in(identity.key, known)}


def tasks_in(text: str, known: AbstractSet[str]) -> set[str]:
    """The keys of tasks in a text: those that the load makes, and those that are ``known``, alone or as a part."""
    return {*TASK_KEY.findall(text), *(known & {text, *_JOINTS.split(text)})}


def _tasks(item: Item, known: AbstractSet[str]) -> set[str]:
    texts = (item.key, *(value.strip('"') for value in item.values.values()))
    return {task for text in texts for task in tasks_in(text, known)}


def _masked(text: str) -> str:
    """With a mark in place of what is made anew in each play; keys of tasks stay."""
    spans = [(0, 0), *((match.start(), match.end()) for match in TASK_KEY.finditer(text)), (len(text), len(text))]
    parts = [_MADE_ANEW.sub(_MARK, text[end:begin]) + text[begin:until] for (_, end), (begin, until) in pairwise(spans)]
    return "".join(parts)


def _pairs(first: Sequence[Item], second: Sequence[Item]) -> Iterator[tuple[Content, Content]]:
    """Items of a group that stand for each other: only where there are as many."""
    if len(first) == len(second):
        ordered = (
            sorted((item.values for item in items), key=lambda one: sorted(one.items())) for items in (first, second)
        )
        yield from zip(*ordered, strict=True)


def _are_made_anew(pairs: Sequence[tuple[str | None, str | None]], compared: int) -> bool:
    if all(_looks_made_anew(one) and _looks_made_anew(other) for one, other in pairs):
        return True
    return 2 * len(pairs) >= compared and all(_is_number(one) and _is_number(other) for one, other in pairs)


def _looks_made_anew(value: str | None) -> bool:
    if value is None:
        return False
    if _is_number(value) and abs(float(value)) >= _SECONDS_MIN:
        return True
    return _masked(value) != value


def _is_number(value: str | None) -> bool:
    return value is not None and re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", value) is not None


def _is_declared(path: str, text: str, place: str) -> bool:
    """``updatedAt``, ``detail.updatedAt``, or with its place before it: ``dynamodb orders updatedAt``."""
    *where, name = text.split()
    is_here = not where or (place.startswith(f"{where[0]} ") and "".join(where[1:]) in place)
    bare = path.replace("[]", "")
    return is_here and (name in {bare, path} or bare.rpartition(".")[2] == name or bare.startswith(f"{name}."))


def plain(value: Any) -> str:
    """A value for people, shortened."""
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."


_SHOWN_MAX = 60
