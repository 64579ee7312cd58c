"""The verdict of a run: named checks, each valid, invalid or unknown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Three answers. ``unknown`` means that the evidence does not allow one of the others."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


STATUS_SIGNS: Mapping[Status, str] = {Status.VALID: "✓", Status.INVALID: "✗", Status.UNKNOWN: "?"}
EXIT_CODES: Mapping[Status, int] = {Status.VALID: 0, Status.INVALID: 1, Status.UNKNOWN: 2}
NOT_CHECKED = "not checked"
"""Begins the statement of a check whose evidence is not there."""
EXIT_USAGE = 3
EXIT_BROKE = 4


def merge(statuses: Iterable[Status]) -> Status:
    """Invalid outranks unknown outranks valid; nothing to merge is unknown."""
    found = set(statuses)
    for status in (Status.INVALID, Status.UNKNOWN, Status.VALID):
        if status in found:
            return status
    return Status.UNKNOWN


class SetKind(StrEnum):
    """What a member in a set means."""

    ACCOUNT = "account"  # a part of the book-keeping
    VIOLATION = "violation"  # one member makes the check invalid
    OPEN = "open"  # one member makes it unknown
    NORMAL = "normal"  # looks odd and is allowed; the meaning says why
    REPORTED = "reported"  # judged by another check

    @property
    def is_against(self) -> bool:
        """Whether a member is the reason of an answer that is not valid."""
        return self in {SetKind.VIOLATION, SetKind.OPEN}


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A set that a check puts members into, and the sentence that says what is in it."""

    name: str
    kind: SetKind
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question, its answer and what the answer rests on.

    ``members`` maps the name of each set to the identifiers in it: all of them, whatever a printer shows. ``sets`` says
    what they mean; a member of a set that is not among them (a verdict stored without them) speaks against the check.
    """

    name: str  # stable, snake_case: what scripts look for
    title: str  # what people read
    status: Status
    statement: str  # one sentence with the numbers in it
    measured: float | None = None
    expected: float | None = None
    unit: str = ""
    interval: tuple[float, float] | None = None
    confidence: float | None = None
    n: int | None = None
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    sets: tuple[NamedSet, ...] = ()

    @property
    def against(self) -> dict[str, tuple[str, ...]]:
        """The members that are the reason of the answer, by set; none where it is valid."""
        if self.status is Status.VALID:
            return {}
        others = {one.name for one in self.sets if not one.kind.is_against}
        return {name: ids for name, ids in self.members.items() if ids and name not in others}

    def meaning(self, name: str) -> str:
        """What is in the set of this name; empty where nobody says."""
        return next((one.meaning for one in self.sets if one.name == name), "")

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "status": str(self.status),
            "statement": self.statement,
            "measured": self.measured,
            "expected": self.expected,
            "unit": self.unit,
            "interval": list(self.interval) if self.interval else None,
            "confidence": self.confidence,
            "n": self.n,
            "members": {name: list(ids) for name, ids in self.members.items()},
            "sets": {one.name: {"kind": str(one.kind), "meaning": one.meaning} for one in self.sets},
            "details": dict(self.details),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Check":
        interval = value["interval"]
        return cls(
            name=value["name"],
            title=value["title"],
            status=Status(value["status"]),
            statement=value["statement"],
            measured=value["measured"],
            expected=value["expected"],
            unit=value["unit"],
            interval=(interval[0], interval[1]) if interval else None,
            confidence=value["confidence"],
            n=value["n"],
            members={name: tuple(ids) for name, ids in value["members"].items()},
            details=value["details"],
            sets=tuple(
                NamedSet(name, SetKind(one["kind"]), one["meaning"]) for name, one in value.get("sets", {}).items()
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All checks of a run. ``finished`` says whether the run came to its end, which is not whether it passed."""

    run_id: str
    finished: bool
    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        """The checks merged; a run that did not finish is at best unknown."""
        statuses = [check.status for check in self.checks]
        return merge(statuses if self.finished else [*statuses, Status.UNKNOWN])

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.status]

    def to_json(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "status": str(self.status),
            "finished": self.finished,
            "checks": [check.to_json() for check in self.checks],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Verdict":
        return cls(
            run_id=value["run_id"],
            finished=value["finished"],
            checks=tuple(Check.from_json(check) for check in value["checks"]),
        )
