"""docs/lint.md lists every rule as the code has it."""

from pathlib import Path
from typing import Any

from dlqlab.lint.rule import Rule, Severity
from dlqlab.lint.rules import RULES, TOPOLOGY_RULES

PAGE = (Path(__file__).parents[3] / "docs" / "lint.md").read_text()


def test_every_rule_is_documented() -> None:
    """One row for each rule, in order: id, severity, why, remedy."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    rules: tuple[Rule[Any], ...] = (*RULES, *TOPOLOGY_RULES)
    expected = [f"| `{rule.id}` | {rule.severity} | {rule.why} | {rule.remedy} |" for rule in rules]

    assert expected == rows


def test_every_severity_is_documented() -> None:
    """Each severity has its sentence."""
    assert [] == [severity for severity in Severity if f"- **{severity}**: " not in PAGE]
