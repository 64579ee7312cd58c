"""The verdict: every check of a run, in order of importance."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from dlqlab.analysis import checks, message_checks
from dlqlab.analysis.checking import Checker
from dlqlab.analysis.facts import Facts
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.verdict import NOT_CHECKED, Check, Status, Verdict
from dlqlab.errors import EvidenceError


def _declared(package: ModuleType) -> Iterator[Checker]:
    """The checks that the modules of a package declare."""
    for module in iter_modules(package.__path__, f"{package.__name__}."):
        yield from (value for value in vars(import_module(module.name)).values() if isinstance(value, Checker))


def _in_order(found: Iterable[Checker]) -> Mapping[str, Checker]:
    return {checker.name: checker for checker in sorted(found, key=lambda checker: checker.place)}


CHECKS: Mapping[str, Checker] = _in_order(_declared(checks))
"""Of a pipeline that tells of its tasks, by name, in order of importance. Scripts rely on the names."""
MESSAGE_CHECKS: Mapping[str, Checker] = _in_order([CHECKS["finished"], *_declared(message_checks)])
"""Of any other pipeline: from what the emulator recorded of its messages."""


def judge(run: RunEvidence) -> Verdict:
    """All checks of a run. Pure: nothing is read or written."""
    facts = Facts(run)
    if facts.tells_of_tasks:
        found = tuple(_safely(checker, facts) for checker in CHECKS.values())
    else:
        asked = [checker for checker in MESSAGE_CHECKS.values() if checker.is_asked(facts)]
        found = tuple(_as_recorded(_safely(checker, facts), run) for checker in asked)
    return Verdict(run_id=run.manifest.run_id, finished=run.manifest.finished, checks=found)


def _as_recorded(check: Check, run: RunEvidence) -> Check:
    """What rests on a record with gaps is not valid: what is missing may speak against it."""
    gaps = run.recording.gaps if run.recording else ()
    if not gaps or check.status is not Status.VALID:
        return check
    return replace(check, status=Status.UNKNOWN, statement=f"{check.statement}; but of the record {gaps[0]}")


def _safely(checker: Checker, facts: Facts) -> Check:
    """The check's answer, or unknown with the reason: a broken checker must not hide what the others found."""
    try:
        check = checker(facts)
    except EvidenceError as error:
        return checker.unknown(f"{NOT_CHECKED}: {error}")
    except Exception as error:  # noqa: BLE001  (the one place for it: any defect of a checker becomes a visible unknown)
        return checker.unknown(f"the checker broke: {type(error).__name__}: {error}")
    return replace(check, details=_plain(check.details))


def _plain(value: Any) -> Any:
    """Values that JSON can hold: NumPy scalars unwrapped, NaN and infinities as null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
