"""Notebooks executed on a simulated run, with no emulator anywhere."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from dlqlab import paths
from dlqlab.contracts.rundir import RunDir, read_json
from dlqlab.errors import EvidenceError, ReportError, UsageError
from dlqlab.paths import NOTEBOOKS
from dlqlab.report import render as render_module
from dlqlab.report.render import RECORD, RUN_REPORT, execute, render
from tests.support.reports import small_run

ONE_RUN = ("dlq_autopsy.ipynb", "retry_timing.ipynb")
SHOWN = sum(
    "".join(cell["source"]).startswith("show(")
    for cell in json.loads(RUN_REPORT.read_text())["cells"]
    if RECORD not in cell["metadata"].get("tags", [])
)
"""Charts that the notebook shows of a run without a record of the emulator."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A simulated run in a folder with braces in its name, which papermill would take for a field."""
    return small_run(tmp_path_factory.mktemp("runs{x}"))


@pytest.fixture(scope="module")
def html(run: RunDir) -> str:
    """The page of that run."""
    return render(run).read_text()


def write_notebook(path: Path, *sources: str) -> Path:
    """A notebook of code cells, the first tagged as parameters."""
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"c{place}",
            "metadata": {"tags": ["parameters"]} if place == 0 else {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for place, source in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook))
    return path


def test_report_needs_only_the_run_directory(run: RunDir, html: str) -> None:
    """The report judges the run, shows verdict and charts, and leaves notebook, page and verdict in the folder."""
    assert "valid" == read_json(run.verdict_path)["status"]
    assert SHOWN == html.count("<img ")
    assert html.index('id="verdict"') < html.index("<img ")
    assert "no data" not in html
    assert {"report.html", "report.ipynb", "tasks.html", "verdict.json"} <= {path.name for path in run.path.iterdir()}


def test_report_opens_offline(html: str) -> None:
    """Apart from plain text the only address is that of the tasks beside it; every picture has an alternative text."""
    assert ["tasks.html"] == re.findall(r'(?:src|href)="(?!data:)([^"]*)', html)
    assert [] == re.findall(r'(?:src|href)=[^"]', html)
    assert [] == re.findall(r'@import|url\((?!#)|<script|<link (?!rel="icon")', html)
    assert [] == re.findall(r'<img (?![^>]*alt="[^"]+")', html)


def test_saved_notebook_runs_again_where_it_lies(run: RunDir, html: str) -> None:
    """The notebook in the run directory names the directory relative to itself."""
    cells = read_json(run.notebook_path)["cells"]
    injected = [cell for cell in cells if "injected-parameters" in cell["metadata"].get("tags", [])]

    assert html
    assert ['run_dir = "."'] == [line for cell in injected for line in "".join(cell["source"]).splitlines()[1:]]


def test_raw_files_are_not_modified(run: RunDir, html: str) -> None:
    """The report is newer than every table and the tables are older than the verdict."""
    tables = [path.stat().st_mtime_ns for path in run.path.glob("*.parquet")]

    assert html
    assert max(tables) < run.verdict_path.stat().st_mtime_ns


@pytest.mark.parametrize("name", ONE_RUN)
def test_notebook_of_one_run_executes(run: RunDir, tmp_path: Path, name: str) -> None:
    """The notebook comes to its end and its check holds."""
    parameters = {"run_dir": str(run.path), "require_valid": True}

    executed = execute(NOTEBOOKS / name, tmp_path / name, parameters, folder=tmp_path)

    assert "valid: " in printed(executed)


def test_run_compared_with_itself_executes(run: RunDir, tmp_path: Path) -> None:
    """The comparison of a run with itself finds nothing."""
    parameters = {"first_dir": str(run.path), "second_dir": str(run.path), "require_same": True}

    executed = execute(NOTEBOOKS / "compare_runs.ipynb", tmp_path / "out.ipynb", parameters, folder=tmp_path)

    assert "0 measures differ" in printed(executed)


def printed(notebook: Any) -> str:
    """What the last cell printed."""
    return "".join(output["text"] for output in notebook["cells"][-1]["outputs"])


def test_unknown_parameter_is_an_error(run: RunDir) -> None:
    """A typo in a parameter stops the report before anything runs, and names what there is."""
    with pytest.raises(UsageError, match="has no parameter confidense: it takes require_valid, run_dir"):
        render(run, parameters={"confidense": 0.9})


def test_failed_cell_saves_the_partial_notebook(tmp_path: Path) -> None:
    """The error tells cell and traceback; what ran before it is kept in the saved notebook."""
    notebook = write_notebook(tmp_path / "broken.ipynb", "x = 1", "print('before')", "1 / (x - 1)", "print('after')")

    with pytest.raises(
        ReportError, match=r"broken.ipynb: cell 3 failed: ZeroDivisionError: division by zero"
    ) as caught:
        execute(notebook, tmp_path / "out.ipynb", {}, folder=tmp_path)

    saved = (tmp_path / "out.ipynb").read_text()
    assert 3 == caught.value.cell
    assert "1 / (x - 1)" in re.sub(r"\x1b\[[0-9;]*m", "", caught.value.traceback)
    assert "before\\n" in saved
    assert "after\\n" not in saved


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            r"its kernel ended before .*; see .*out\.ipynb",
        ),
        ("import time; time.sleep(60)", r"a cell was not done after 1 s; see .*out\.ipynb"),
    ],
)
def test_kernel_that_ends_or_hangs_is_an_error_with_what_ran_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, told: str
) -> None:
    """Neither is a cell's own failure: the message tells which it was, and the notebook is saved as far as it came."""
    monkeypatch.setattr(render_module, "CELL_TIMEOUT_S", 1)
    notebook = write_notebook(tmp_path / "broken.ipynb", "x = 1", "print('before')", source)

    with pytest.raises(ReportError, match=told) as caught:
        execute(notebook, tmp_path / "out.ipynb", {}, folder=tmp_path)

    assert "\n" not in str(caught.value)
    assert "before\\n" in (tmp_path / "out.ipynb").read_text()


def test_kernel_belongs_to_the_project_wherever_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the project's folder and none of the user's IPython settings; the shell's own variables stay."""
    monkeypatch.setenv("IPYTHONDIR", "/users/own")
    monkeypatch.delenv(paths.HOME, raising=False)
    source = "import os; print(os.environ['DLQLAB_HOME'], os.environ['IPYTHONDIR'])"
    notebook = write_notebook(tmp_path / "asks.ipynb", "x = 1", source)

    executed = execute(notebook, tmp_path / "out.ipynb", {}, folder=tmp_path)

    project, ipython = printed(executed).split()
    assert (str(paths.ROOT), False) == (project, Path(ipython).exists())
    assert "/users/own" != ipython
    assert ("/users/own", None) == (os.environ["IPYTHONDIR"], os.environ.get(paths.HOME))


@pytest.mark.parametrize("sources", [["1 +"], []])
def test_notebook_without_readable_parameters_is_refused(tmp_path: Path, sources: list[str]) -> None:
    """No parameters cell, or one that is not Python, is named before a kernel is started."""
    notebook = write_notebook(tmp_path / "odd.ipynb", *sources)

    with pytest.raises(UsageError, match=r"odd.ipynb"):
        execute(notebook, tmp_path / "out.ipynb", {}, folder=tmp_path)


def test_report_of_a_run_without_manifest_is_an_error(tmp_path: Path) -> None:
    """A folder that is not a run directory is named."""
    with pytest.raises(EvidenceError, match=r"manifest\.json"):
        render(RunDir(tmp_path))


def test_report_of_a_run_without_tables_says_so(run: RunDir, tmp_path: Path) -> None:
    """A run of which only the manifest is left makes a report: unknown, each chart with its reason."""
    bare = RunDir(tmp_path / "bare")
    bare.path.mkdir()
    shutil.copy(run.manifest_path, bare.manifest_path)

    text = render(bare).read_text()

    assert "unknown" == read_json(bare.verdict_path)["status"]
    assert SHOWN == text.count("no data: ")
