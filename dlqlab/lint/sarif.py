"""Findings for code review, in the Static Analysis Results Interchange Format. Pure.

Source: "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", OASIS.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION: Final = "2.1.0"
LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One finding at its place; ``line`` counts from 1, None where the file does not tell."""

    rule: str
    severity: str
    text: str
    why: str
    remedy: str
    file: Path | None = None
    line: int | None = None


def log(results: Iterable[Result], *, version: str, root: Path) -> dict[str, Any]:
    """A log of one run. Files below ``root`` are told relative to it."""
    found = list(results)
    rules = {one.rule: one for one in found}
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {"driver": {"name": "dlqlab", "version": version, "rules": [*map(_rule, rules.values())]}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, list(rules), root) for one in found],
            }
        ],
    }


def _rule(one: Result) -> dict[str, Any]:
    return {
        "id": one.rule,
        "shortDescription": {"text": one.why},
        "help": {"text": one.remedy},
        "defaultConfiguration": {"level": LEVELS[one.severity]},
    }


def _result(one: Result, rules: list[str], root: Path) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": rules.index(one.rule),
        "level": LEVELS[one.severity],
        "message": {"text": f"{one.text}. {one.why} {one.remedy}"},
    }
    if one.file is not None:
        told["locations"] = [{"physicalLocation": _place(one.file, one.line, root)}]
    return told


def _place(file: Path, line: int | None, root: Path) -> dict[str, Any]:
    path, top = file.resolve(), root.resolve()
    uri = path.relative_to(top).as_posix() if path.is_relative_to(top) else path.as_uri()
    place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    return place if line is None else place | {"region": {"startLine": line}}
