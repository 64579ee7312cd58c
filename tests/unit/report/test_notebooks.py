"""The committed notebooks keep to the house order."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from dlqlab import paths
from dlqlab.paths import NOTEBOOKS
from dlqlab.report.render import parameter_names

ALL = sorted(NOTEBOOKS.glob("*.ipynb"))
CELL_LINES_MAX = 15

SHOWS = "show("
"""How a cell draws a chart."""
LEADS = ("**Expected:**", "**To read it:**")
"""How the sentence above a chart begins: what it shows where all is well, or how to read it."""


def cells(notebook: Path) -> list[dict[str, Any]]:
    """The cells of a notebook, with their source as one text."""
    found: list[dict[str, Any]] = json.loads(notebook.read_text())["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in found]


def test_each_question_has_its_notebook() -> None:
    """Each question has its notebook."""
    names = [
        "capacity_planning", "compare_runs", "dlq_autopsy", "retry_timing", "run_report", "simulation_vs_measured",
    ]  # fmt: skip

    assert names == [path.stem for path in ALL]


@pytest.mark.parametrize("notebook", ALL, ids=lambda path: path.stem)
def test_notebook_is_committed_without_outputs(notebook: Path) -> None:
    """Outputs belong into run directories."""
    left = [cell for cell in cells(notebook) if cell.get("outputs") or cell.get("execution_count")]

    assert [] == left


@pytest.mark.parametrize("notebook", ALL, ids=lambda path: path.stem)
def test_cells_are_short(notebook: Path) -> None:
    """Logic lives in the package."""
    long = [cell["source"] for cell in cells(notebook) if len(cell["source"].splitlines()) > CELL_LINES_MAX]

    assert [] == long


@pytest.mark.parametrize("notebook", ALL, ids=lambda path: path.stem)
def test_notebook_opens_with_its_question_then_literal_parameters(notebook: Path) -> None:
    """First the question, then one cell of literals: what is derived there would not follow an override."""
    first, second, *rest = cells(notebook)
    values = [node.value for node in ast.parse(second["source"]).body if isinstance(node, ast.Assign)]

    assert "**Question:**" in first["source"]
    assert ["parameters"] == second["metadata"]["tags"]
    assert values
    assert all(isinstance(value, ast.Constant) for value in values)
    assert [] == [cell for cell in rest if "parameters" in cell["metadata"].get("tags", [])]


@pytest.mark.parametrize("notebook", ALL, ids=lambda path: path.stem)
def test_each_chart_follows_its_question(notebook: Path) -> None:
    """A cell draws one figure, and the cell before it says what the figure tests."""
    listed = cells(notebook)
    drawing = [place for place, cell in enumerate(listed) if cell["source"].startswith(SHOWS)]

    assert drawing
    assert [1] * len(drawing) == [len(listed[place]["source"].splitlines()) for place in drawing]
    assert all(any(lead in listed[place - 1]["source"] for lead in LEADS) for place in drawing)


@pytest.mark.parametrize("notebook", ALL, ids=lambda path: path.stem)
def test_last_cell_asserts(notebook: Path) -> None:
    """The notebook ends in the answer and can be made to fail on a bad one."""
    last = cells(notebook)[-1]["source"]

    assert "assert " in last
    assert any(name.startswith("require_") for name in parameter_names(notebook))


@pytest.mark.parametrize("notebook", ALL, ids=lambda path: path.stem)
def test_notebook_stands_in_the_documentation_with_its_parameters(notebook: Path) -> None:
    """The table of notebooks is complete, and names what each takes."""
    rows = [line for line in (paths.DOCS / "report.md").read_text().splitlines() if f"| `{notebook.name}` |" in line]

    assert 1 == len(rows)
    assert set(re.findall(r"`(\w+)`", rows[0].rpartition("?")[2])) == parameter_names(notebook)
