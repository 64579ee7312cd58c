"""The pages name every check, and everything else that the verdict can say."""

import re
from pathlib import Path

import pytest

from dlqlab import paths
from dlqlab.analysis.checks.conservation import SETS
from dlqlab.analysis.judge import CHECKS
from dlqlab.contracts.verdict import EXIT_BROKE, EXIT_CODES, EXIT_USAGE, SetKind

PAGE = (paths.DOCS / "verdict.md").read_text()
README = (paths.ROOT / "README.md").read_text()
NORMAL = [one.name for one in SETS if one.kind is SetKind.NORMAL]
_SHOWN = re.compile(r"^ *[✓✗?] (\w+) {2,}", re.MULTILINE)
"""A line of the terminal about a check, or about a step of the run."""


def test_checks_are_documented_in_their_order() -> None:
    """Each check has its paragraph, in the order of the verdict."""
    documented = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("- **`")]

    assert list(CHECKS) == documented


def test_the_run_in_the_readme_shows_every_check() -> None:
    """What a newcomer sees printed is what he will get."""
    shown = _SHOWN.findall(README)

    assert list(CHECKS) == shown[shown.index("report") + 1 :]
    assert f"{len(CHECKS)} checks\n" in README


@pytest.mark.parametrize("page", sorted(paths.DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_outputs_in_the_pages_show_checks_that_exist(page: Path) -> None:
    """An output that a page shows in part keeps the order of the verdict and names no check that is gone."""
    block = page.read_text().partition("$ dlqlab report\n")[2].partition("valid: run")[0]
    shown = _SHOWN.findall(block)

    assert [name for name in CHECKS if name in shown] == shown


@pytest.mark.parametrize("name", NORMAL)
def test_normal_sets_are_documented(name: str) -> None:
    """Each set that is normal is listed with its reason."""
    assert f"- `{name}`: " in PAGE


@pytest.mark.parametrize("code", [*EXIT_CODES.values(), EXIT_USAGE, EXIT_BROKE])
def test_exit_codes_are_documented(code: int) -> None:
    """Each exit code has its row."""
    assert f"| {code} | " in PAGE
