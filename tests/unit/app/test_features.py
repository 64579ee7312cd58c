"""docs/features.md names nothing that does not exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROWS = re.findall(
    r"^\| (?P<feature>[^|]+?) \| `(?P<place>[^`]+)` \| `(?P<test>[^`]+)` \|$",
    (ROOT / "docs" / "features.md").read_text(),
    re.MULTILINE,
)


def test_every_row_names_a_file_and_a_test_that_exist() -> None:
    """Where a feature lives and what proves it can be opened and run."""
    missing = [place for _, place, _ in ROWS if not (ROOT / place).exists()]
    for _, _, test in ROWS:
        path, _, name = test.partition("::")
        if not re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE):
            missing.append(test)

    assert [] == missing


def test_every_row_is_proven_on_the_emulator() -> None:
    """A feature counts once a deployed pipeline has shown it."""
    assert [] == [test for _, _, test in ROWS if not test.startswith("tests/integration/")]


def test_table_is_read_whole() -> None:
    """Every line of the table is a row of three cells."""
    lines = [line for line in (ROOT / "docs" / "features.md").read_text().splitlines() if line.startswith("| ")]

    assert len(lines) - 1 == len(ROWS)
    assert len(ROWS) > 25
