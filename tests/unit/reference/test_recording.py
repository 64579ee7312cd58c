"""docs/recorded-tables.md is what the code says."""

from dlqlab.contracts.recording import TABLES
from dlqlab.reference.recording import PAGE, page


def test_committed_page_is_the_generated_one() -> None:
    """After a change of the recorder's tables: make docs."""
    assert page() == PAGE.read_text()


def test_every_column_is_there() -> None:
    """With its type, its unit and what it says."""
    lines = page().splitlines()

    assert "| `duration_s` | number | s |  | until its answer was made |" in lines
    for columns in TABLES.values():
        for name, column in columns.items():
            assert any(line.startswith(f"| `{name}` ") and column.meaning.replace("|", "\\|") in line for line in lines)
