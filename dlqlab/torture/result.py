"""The result of a matrix: a row's answer as plain values, read again to compare with the next one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path

from dlqlab.analysis.statistics import homogeneity
from dlqlab.contracts.injection import Fault
from dlqlab.contracts.plain import ShapeError, from_plain, to_plain
from dlqlab.contracts.rundir import read_json, write_json
from dlqlab.contracts.verdict import EXIT_CODES, Status
from dlqlab.errors import EvidenceError
from dlqlab.torture.advice import advice
from dlqlab.torture.harms import MISTAKES, Harm
from dlqlab.torture.judged import Judged, Outcome, Usual
from dlqlab.torture.matrix import BASELINE, Row

FILE, PAGE = "torture.json", "torture.html"
SUFFIX, OWN_SUFFIX = "-torture", "-faults"
"""Of the folders of a matrix, and of a row of one's own."""
_CHANCE = 0.01
"""A harm that the baseline has as well is the faults' doing where it is more frequent, and chance is less likely."""
_ORDER = (Outcome.BROKEN, Outcome.UNKNOWN, Outcome.UNTOUCHED, Outcome.DEGRADED, Outcome.SURVIVED)
_STATUSES: Mapping[Outcome, Status] = {
    Outcome.BROKEN: Status.INVALID,
    Outcome.UNKNOWN: Status.UNKNOWN,
    Outcome.UNTOUCHED: Status.UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One row with what was measured.

    ``harms`` are what broke, else what it cost: set by set with the ids of its messages. ``tasks_of`` has the key of
    the task of each of those messages, ``struck`` those that each fault struck, by its name. ``also_without`` are the
    names of harms that the baseline has as often. ``never`` is what the run never reached. ``run`` is the folder of its
    evidence, from that of the result.
    """

    name: str
    what: str
    outcome: Outcome
    faults: tuple[Fault, ...] = ()
    seed: int = 1
    tasks: int = 0
    strikes: int = 0
    harms: tuple[Harm, ...] = ()
    tasks_of: Mapping[str, str] = field(default_factory=dict)
    struck: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    also_without: tuple[str, ...] = ()
    why_unknown: str = ""
    never: str = ""
    run: str = ""
    took_s: float = 0.0
    slowest_s: float | None = None
    buries: bool = False

    @property
    def reason(self) -> str:
        """Why it is not survived, in a sentence; empty where it is."""
        if self.outcome is Outcome.UNTOUCHED:
            return "no fault struck: the row proves nothing"
        return self.first.text if self.first else self.why_unknown

    @property
    def first(self) -> Harm | None:
        """The harm that its reason, rule and remedy are about: the first that is the faults' doing."""
        wanted = [one for one in self.harms if one.is_break or self.outcome is not Outcome.BROKEN]
        own = (one for one in wanted if one.name not in self.also_without)
        return next(own, next(iter(wanted), None))

    @property
    def messages(self) -> tuple[str, ...]:
        """The ids of all messages that something happened to, each once."""
        return tuple(dict.fromkeys(one for harm in self.harms for one in harm.messages))

    @property
    def rule(self) -> str:
        return advice(self.first.name).rule if self.first else ""

    @property
    def remedy(self) -> str:
        return advice(self.first.name).remedy if self.first else ""

    @property
    def usual(self) -> Usual:
        """Of the baseline: how the pipeline is without faults."""
        return Usual(self.slowest_s, self.buries)

    @property
    def is_the_faults_doing(self) -> bool:
        """Whether it is broken by what does not happen as often without faults."""
        return any(one.is_break and one.name not in self.also_without for one in self.harms)

    @property
    def is_mistake(self) -> bool:
        """Whether the faults show a mistake of the pipeline's: by what broke, or by what no fault costs by itself."""
        first = self.first
        if first is None or first.name in self.also_without:
            return False
        return first.is_break or first.name in MISTAKES


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A matrix that was run; the baseline is its first row. ``command`` is what started it."""

    name: str
    started_ts: float
    answers: tuple[Answer, ...]
    left_out: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """Invalid outranks unknown outranks valid, over all rows; no row is unknown."""
        found = {_STATUSES.get(one.outcome, Status.VALID) for one in self.answers}
        return next((one for one in (Status.INVALID, Status.UNKNOWN) if one in found), _valid(found))

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.status]

    @property
    def baseline(self) -> Answer | None:
        return next((one for one in self.answers if one.name == BASELINE), None)

    def in_order(self) -> tuple[Answer, ...]:
        """The baseline, then the worst first."""
        return tuple(sorted(self.answers, key=lambda one: (one.name != BASELINE, _ORDER.index(one.outcome))))


def _valid(found: set[Status]) -> Status:
    return Status.VALID if found else Status.UNKNOWN


def answer(row: Row, found: Judged, tasks: int, baseline: Answer | None) -> Answer:
    """A row's answer as it is kept; what the baseline shows as often is marked."""
    harms = (*found.breaks, *found.costs)
    usual = {one.name: len(one.messages) for one in baseline.harms} if baseline else {}
    return Answer(
        name=row.name,
        what=row.what,
        outcome=found.outcome,
        faults=row.faults,
        tasks=tasks,
        strikes=found.strikes,
        harms=harms,
        also_without=tuple(
            one.name
            for one in harms
            if baseline
            and one.name in usual
            and not _is_more(len(one.messages), tasks, usual[one.name], baseline.tasks)
        ),
        why_unknown=found.why_unknown,
        slowest_s=found.slowest_s,
        buries=found.buries,
    )


def _is_more(harmed: int, tasks: int, usual: int, usual_tasks: int) -> bool:
    """Whether a harm is more frequent than in the baseline, beyond what chance makes of it."""
    harmed, usual = min(harmed, tasks), min(usual, usual_tasks)
    test = homogeneity([harmed, usual], [tasks, usual_tasks])
    return harmed * usual_tasks > usual * tasks and test is not None and test.p_value < _CHANCE


@dataclass(frozen=True, slots=True)
class Change:
    """A row whose outcome is another than the last time."""

    name: str
    before: Outcome
    now: Outcome


def changes(before: Result, now: Result) -> tuple[Change, ...]:
    """The rows of both results whose outcome changed: a part of the matrix may be compared with the whole."""
    was = {one.name: one.outcome for one in before.answers}
    found = (Change(one.name, was[one.name], one.outcome) for one in now.answers if one.name in was)
    return tuple(one for one in found if one.before is not one.now)


def write(result: Result, folder: Path) -> Path:
    """The result as JSON; returns the file."""
    plain = to_plain(result)
    if not isinstance(plain, dict):
        raise TypeError("a result is an object")
    rows = [_added(one, value) for one, value in zip(result.answers, plain["answers"], strict=True)]
    write_json(folder / FILE, {**plain, "status": str(result.status), "answers": rows})
    return folder / FILE


def read(folder: Path) -> Result:
    """The result in a folder.

    Raises:
        EvidenceError: there is none, or it cannot be read.
    """
    path = folder / FILE
    value = read_json(path)
    try:
        rows = [{name: one[name] for name in one if name not in _DERIVED} for one in value["answers"]]
        return from_plain(Result, {name: value[name] for name in value if name != "status"} | {"answers": rows})
    except (ShapeError, KeyError, TypeError, ValueError) as error:
        raise EvidenceError(f"{path}: is not a result of dlqlab torture: {error}") from error


def last(runs_root: Path, name: str) -> Path | None:
    """The folder of a project's latest matrix; None where there is none."""
    found = sorted(path.parent for path in runs_root.glob(f"*Z-{escape(name)}{SUFFIX}/{FILE}"))
    return found[-1] if found else None


_DERIVED = ("reason", "rule", "remedy")


def _added(one: Answer, value: Mapping[str, object]) -> dict[str, object]:
    """With what readers of the file would have to know otherwise."""
    return {**value, "reason": one.reason, "rule": one.rule, "remedy": one.remedy}
