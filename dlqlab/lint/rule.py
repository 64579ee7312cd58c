"""What a rule is, and what it finds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dlqlab.lint.settings import Settings


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # AWS refuses it, or tasks are lost or stand still
    WARNING = "warning"  # AWS advises against it, or retries will not do what they are for
    INFO = "info"  # worth knowing; may be meant so


Check = Callable[[Settings], Sequence[str] | None]
"""A statement with the offending values for each breach; None where the settings do not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. ``source`` is where the rule comes from, ``remedy`` what to do about a breach."""

    id: str
    severity: Severity
    check: Check
    why: str
    source: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One breach of one rule."""

    rule: Rule
    statement: str

    def to_json(self) -> dict[str, Any]:
        rule = self.rule
        return {
            "rule": rule.id,
            "severity": str(rule.severity),
            "statement": self.statement,
            "why": rule.why,
            "source": rule.source,
            "remedy": rule.remedy,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LintResult:
    """What the rules say about the settings of ``subject``; ``unchecked`` names the rules that these do not reach."""

    subject: str
    checked: int
    findings: tuple[Finding, ...]  # the worst first
    unchecked: tuple[str, ...]

    def count(self, severity: Severity) -> int:
        return sum(finding.rule.severity is severity for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "checked": self.checked,
            "counts": {str(severity): self.count(severity) for severity in Severity},
            "findings": [finding.to_json() for finding in self.findings],
            "unchecked": list(self.unchecked),
        }


def lint(settings: Settings, rules: Sequence[Rule]) -> LintResult:
    """Apply the rules."""
    answers = [(rule, rule.check(settings)) for rule in rules]
    findings = [
        Finding(rule=rule, statement=statement) for rule, statements in answers for statement in statements or ()
    ]
    order = list(Severity)
    return LintResult(
        subject=settings.subject,
        checked=sum(statements is not None for _, statements in answers),
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.rule.severity))),
        unchecked=tuple(rule.id for rule, statements in answers if statements is None),
    )
