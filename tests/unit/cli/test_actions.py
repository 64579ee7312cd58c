"""What commands say beside their work: nothing to remove, tasks that were known, a wait, a run without a query."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from dlqlab.cli import main
from dlqlab.cli.actions import compiling
from dlqlab.contracts.rundir import RunDir
from dlqlab.deploy import pipeline
from dlqlab.load.journal import Journal
from dlqlab.run.by_hand import _say_what_was_known
from tests.support.recorded import recorded

LOCAL = ("--target", "http://127.0.0.1:1")


@pytest.mark.parametrize(("was_there", "said"), [(True, "removed"), (False, "there was nothing to remove")])
def test_destroy_says_whether_there_was_anything(monkeypatch: pytest.MonkeyPatch, was_there: bool, said: str) -> None:
    """Who destroys the wrong stage learns it."""
    monkeypatch.setattr(pipeline, "destroy", lambda _target: was_there)
    done = CliRunner().invoke(main, ["destroy", *LOCAL])

    assert (0, True) == (done.exit_code, said in done.output), done.output


def _load(folder: Path, *statuses: int) -> str:
    """What is said after a load whose requests were answered so."""
    run, printed = RunDir(folder), io.StringIO()
    with Journal(run.ledger_parts, "w0") as journal:
        for number, status in enumerate(statuses):
            request = journal.invoked(task_id=f"t{number}", payload_json="{}", sent_ts=100.0)
            journal.completed(request, done_ts=100.5, status_code=status, latency_ms=500, error=None)
    _say_what_was_known(run, Console(file=printed, width=80))
    return printed.getvalue()


def test_tasks_that_were_known_are_counted_in_one_line(tmp_path: Path) -> None:
    """A second load with one seed queues nothing, and says so; a first one says nothing."""
    assert "" == _load(tmp_path / "first", 202, 202)
    (line,) = _load(tmp_path / "second", 200, 202, 200).splitlines()
    assert line.startswith("2 of 3 tasks were known already, from an earlier load with this seed: ")


def test_a_first_simulation_says_what_takes_so_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line while the engine is compiled, none once it is kept."""
    said = io.StringIO()
    monkeypatch.setattr(compiling, "ERR", Console(file=said, width=80))
    monkeypatch.setattr("dlqlab.twin.engine.compiled.config.CACHE_DIR", str(tmp_path))
    compiling.say_what_takes_so_long()
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "loop.advance.nbi").touch()
    compiling.say_what_takes_so_long()

    assert 1 == said.getvalue().count("compiling the simulation") == len(said.getvalue().splitlines())


def test_a_run_without_a_query_shows_its_last_lines(tmp_path: Path) -> None:
    """The newest first, and which query that was."""
    run = recorded("one_retry", tmp_path)
    done = CliRunner().invoke(main, ["logs", str(run.path), "--json"])
    times = [json.loads(line)["@timestamp"] for line in done.stdout.splitlines()]

    assert (0, 20) == (done.exit_code, len(times)), done.output
    assert sorted(times, reverse=True) == times
    assert "no query is given: fields @timestamp, @message | sort @timestamp desc | limit 20" in (
        " ".join(done.stderr.split())
    )


@pytest.mark.parametrize(("option", "begins"), [("--markdown", "#"), ("--junit", "<testsuites")])
def test_summary_goes_to_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, begins: str
) -> None:
    """The dash is no file: the summary alone stands on standard output, what people read on standard error."""
    monkeypatch.chdir(tmp_path)
    run = recorded("one_retry", tmp_path)
    done = CliRunner().invoke(main, ["report", str(run.path), "--no-page", option, "-"])

    assert 0 == done.exit_code, done.output
    assert done.stdout.startswith(begins)
    assert "run 2026-11-22T08-31-17Z-one_retry" in done.stderr
    assert not (tmp_path / "-").exists()


def test_two_summaries_cannot_share_standard_output(tmp_path: Path) -> None:
    """Wrong usage, with what to give."""
    run = recorded("one_retry", tmp_path)
    done = CliRunner().invoke(main, ["report", str(run.path), "--no-page", "--markdown", "-", "--junit", "-"])

    assert 3 == done.exit_code
    assert "give a file for one of them" in done.stderr
