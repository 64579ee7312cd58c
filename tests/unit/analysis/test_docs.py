"""The page about the verdict names everything that the verdict can say."""

from pathlib import Path

import pytest

from dlqlab.analysis.judge import CHECKS
from dlqlab.analysis.reconcile import DEFINITIONS, Kind
from dlqlab.contracts.verdict import EXIT_BROKE, EXIT_CODES, EXIT_USAGE

PAGE = (Path(__file__).parents[3] / "docs" / "verdict.md").read_text()
NORMAL = [name for name, (kind, _) in DEFINITIONS.items() if kind is Kind.NORMAL]


def test_checks_are_documented_in_their_order() -> None:
    """Each check has its paragraph, in the order of the verdict."""
    documented = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("- **`")]

    assert list(CHECKS) == documented


@pytest.mark.parametrize("name", NORMAL)
def test_normal_sets_are_documented(name: str) -> None:
    """Each set that is normal is listed with its reason."""
    assert f"- `{name}`: " in PAGE


@pytest.mark.parametrize("code", [*EXIT_CODES.values(), EXIT_USAGE, EXIT_BROKE])
def test_exit_codes_are_documented(code: int) -> None:
    """Each exit code has its row."""
    assert f"| {code} | " in PAGE
