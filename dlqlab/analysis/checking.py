"""What a check is made of: what it says about itself, and the function that judges."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlqlab.analysis.facts import Facts
from dlqlab.contracts.verdict import Check, NamedSet, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a judging function answers, in the fields of ``Check``; ``members`` by the names of the check's sets."""

    status: Status
    statement: str
    measured: float | None = None
    expected: float | None = None
    unit: str = ""
    interval: tuple[float, float] | None = None
    confidence: float | None = None
    n: int | None = None
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """One check: stable name, title for people, place in the order of importance (low first), sets, judgement."""

    name: str
    title: str
    place: int
    sets: tuple[NamedSet, ...]
    judge: Callable[[Facts], Judgement]
    is_asked: Callable[[Facts], bool] = lambda _: True
    """Whether a run is judged by it at all: what only some runs are made for is not told of others."""

    def __call__(self, facts: Facts) -> Check:
        """The check of one run.

        Raises:
            EvidenceError: a table that it needs could not be read.
            ValueError: it has members in a set that it does not declare.
        """
        found = self.judge(facts)
        undeclared = sorted(set(found.members) - {one.name for one in self.sets})
        if undeclared:
            raise ValueError(f"the check {self.name} declares no set {undeclared[0]}")
        answer = {name: getattr(found, name) for name in Judgement.__dataclass_fields__}
        return Check(name=self.name, title=self.title, sets=self.sets, **answer)

    def unknown(self, reason: str) -> Check:
        """The check where it could not be made."""
        return Check(name=self.name, title=self.title, status=Status.UNKNOWN, statement=reason)


def check(
    name: str,
    title: str,
    *,
    place: int,
    sets: Sequence[NamedSet] = (),
    asked: Callable[[Facts], bool] = lambda _: True,
) -> Callable[[Callable[[Facts], Judgement]], Checker]:
    """Make a judging function a check. The name is the module's, which a test holds; scripts look for it."""

    def declare(judge: Callable[[Facts], Judgement]) -> Checker:
        return Checker(name=name, title=title, place=place, sets=tuple(sets), judge=judge, is_asked=asked)

    return declare
