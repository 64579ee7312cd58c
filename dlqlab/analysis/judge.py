"""The verdict: every check of a run, in order of importance."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from dlqlab.analysis import checks
from dlqlab.analysis.checking import Checker
from dlqlab.analysis.facts import Facts
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.verdict import NOT_CHECKED, Check, Verdict
from dlqlab.errors import EvidenceError


def _declared() -> Iterator[Checker]:
    """The checks that the modules of ``checks`` declare."""
    for module in iter_modules(checks.__path__, f"{checks.__name__}."):
        yield from (value for value in vars(import_module(module.name)).values() if isinstance(value, Checker))


CHECKS: Mapping[str, Checker] = {
    checker.name: checker for checker in sorted(_declared(), key=lambda checker: checker.place)
}
"""By name, in order of importance. The names are stable: scripts look for them."""


def judge(run: RunEvidence) -> Verdict:
    """All checks of a run. Pure: nothing is read or written."""
    facts = Facts(run)
    found = tuple(_safely(checker, facts) for checker in CHECKS.values())
    return Verdict(run_id=run.manifest.run_id, finished=run.manifest.finished, checks=found)


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
