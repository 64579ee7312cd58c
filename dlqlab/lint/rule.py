"""What a rule is, and what it finds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dlqlab.contracts.topology import Topology
from dlqlab.lint.settings import Settings


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # AWS refuses it, or tasks are lost or stand still
    WARNING = "warning"  # AWS advises against it, or retries will not do what they are for
    INFO = "info"  # worth knowing; may be meant so


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule[Subject]:
    """One rule. ``source`` is where the rule comes from, ``remedy`` what to do about a breach.

    ``check`` gives a statement with the offending values for each breach; None where the subject does not tell.
    """

    id: str
    severity: Severity
    check: Callable[[Subject], Sequence[str] | None]
    why: str
    source: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One breach of one rule."""

    rule: Rule[Any]
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


def lint(settings: Settings, rules: Sequence[Rule[Settings]]) -> LintResult:
    """Apply the rules to the settings of one consumer and its queue."""
    return _applied(settings.subject, settings, rules)


def lint_topology(topology: Topology, rules: Sequence[Rule[Topology]], *, subject: str) -> LintResult:
    """Apply the rules about how a pipeline hangs together."""
    return _applied(subject, topology, rules)


def _applied[Subject](name: str, subject: Subject, rules: Sequence[Rule[Subject]]) -> LintResult:
    answers = [(rule, rule.check(subject)) for rule in rules]
    findings = [
        Finding(rule=rule, statement=statement) for rule, statements in answers for statement in statements or ()
    ]
    order = list(Severity)
    return LintResult(
        subject=name,
        checked=sum(statements is not None for _, statements in answers),
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.rule.severity))),
        unchecked=tuple(rule.id for rule, statements in answers if statements is None),
    )
