"""The report of a pipeline that tells nothing of its tasks, with no emulator anywhere."""

import re
from pathlib import Path

import pytest

from dlqlab.analysis.summary import to_junit, to_markdown
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.verdict import Status
from dlqlab.errors import ReportError
from dlqlab.report.comparison import compare_runs, render_comparison
from dlqlab.report.render import EVENTS, RECORD, RUN_REPORT, execute, not_told, render
from tests.support.reports import small_run
from tests.support.stages import written


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    made = written(tmp_path_factory.mktemp("pipeline"))
    render(made)
    return made


def test_page_shows_pipeline_and_charts(run: RunDir) -> None:
    """The picture with its numbers, a chart a question; only what was not measured has no data, and says so."""
    page = run.html_path.read_text()

    assert '<svg xmlns="http://www.w3.org/2000/svg"' in page
    assert ">12 entered, 9 done</text>" in page
    assert 'alt="1 of 5 waits after a failure differs from the promise by more than 0.50 s"' in page
    assert ["Queue depths: no data: table queues is not there", "Host load: no data: table host is not there"] == (
        re.findall(r'alt="([^"]*no data[^"]*)"', page)
    )


def test_page_of_tasks_calls_lost_what_the_verdict_calls_lost(run: RunDir) -> None:
    tasks = run.tasks_path.read_text()

    assert "lost: named in vain" in tasks
    assert "o3" in tasks


def test_build_can_stop_at_the_verdict(run: RunDir, tmp_path: Path) -> None:
    """A message was lost, so the last cell fails where it is asked to."""
    parameters = {"run_dir": str(run.path), "require_valid": True}

    with pytest.raises(ReportError, match="the verdict is invalid"):
        execute(RUN_REPORT, tmp_path / "out.ipynb", parameters, folder=tmp_path, without=not_told(run))


def test_cells_are_chosen_by_what_the_run_tells(run: RunDir, tmp_path: Path) -> None:
    """A pipeline that logs nothing of its tasks; the task system, without and with the emulator's record."""
    told = small_run(tmp_path)

    assert not_told(run) == {EVENTS}
    assert not_told(told) == {RECORD}
    told.recording_path.mkdir()
    assert not_told(told) == frozenset()
    told.topology_path.write_text("{}")
    assert not_told(told) == frozenset()


def test_cells_of_what_the_run_does_not_tell_are_left_out(run: RunDir) -> None:
    """The page asks nothing that only the events of tasks could answer, and everything else."""
    questions = re.findall(r"<h3>(.*?)</h3>", run.html_path.read_text())

    assert "How often does each function fail?" in questions
    assert "Do attempts fail as often as the fault plan says?" not in questions


def test_two_runs_are_compared_by_their_messages(run: RunDir, tmp_path: Path) -> None:
    """The command's lines, its verdict for other programs, and its page with a chart a question."""
    other = written(tmp_path / "other")
    found = compare_runs(run, other, {"dlq_share": 1.0})
    page = render_comparison(found, tmp_path / "both.html").read_text()

    assert found.verdict.status is Status.VALID
    assert "messages in the dead-letter queue" in to_markdown(found.verdict)
    assert 'tests="1"' in to_junit(found.verdict)
    assert "Traceback" not in page
    assert len(re.findall(r"<img [^>]*alt=", page)) == CHARTS_OF_BOTH


CHARTS_OF_BOTH = 4
