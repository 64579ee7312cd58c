"""``dlqlab logs`` over a run directory."""

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from dlqlab.cli import main
from dlqlab.contracts.rundir import RunDir
from tests.support.recorded import recorded

BY_TASK = "fields @timestamp, @message | filter @message like /{}/ | sort @timestamp asc | limit 10000"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return recorded("two_retries", tmp_path_factory.mktemp("runs"))


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["logs", *arguments])


def test_the_lines_of_each_task_and_no_others(run: RunDir) -> None:
    """The query that people write, for tasks that ran at the same time: what the table of events has of them."""
    events = run.read("events")

    for task in ("t-1-00000009", "t-1-00000199", *events[events["event"] == "task.dead_lettered"]["task_id"]):
        result = ask(str(run.path), BY_TASK.format(task), "--json")
        found = [json.loads(json.loads(line)["@message"]) for line in result.stdout.splitlines()]
        own = events[events["task_id"] == task].sort_values("stored_ts", kind="stable")

        assert 0 == result.exit_code
        assert sorted(own["ts"]) == sorted(event["ts"] for event in found)
        assert {task} == {event["taskId"] for event in found}


def test_a_table_for_people(run: RunDir) -> None:
    """Columns in order, the last one as wide as it is; what was looked at stands elsewhere."""
    result = ask(str(run.path), 'filter event = "task.dead_lettered" | stats count(*) as letters by reason, errorType')

    assert ["reason             errorType       letters", "retries exhausted  TransientFault  5"] == (
        result.stdout.splitlines()
    )
    assert "1 row; 5 of 1,264 lines matched\n" == result.stderr


def test_a_line_stays_a_line(run: RunDir) -> None:
    """Tabs and line ends within a message do not break the table."""
    result = ask(str(run.path), 'fields @message | filter @type = "REPORT" | limit 1')

    assert 2 == len(result.stdout.splitlines())
    assert r"\tDuration: " in result.stdout


def test_rows_for_programs(run: RunDir) -> None:
    """CSV has every column in every row; JSON only those that a row has."""
    query = "stats count(*) as n by @type, coldStart | sort n desc"
    as_csv = list(csv.DictReader(io.StringIO(ask(str(run.path), query, "--csv").stdout)))
    as_json = [json.loads(line) for line in ask(str(run.path), query, "--json").stdout.splitlines()]

    assert ["@type", "coldStart", "n"] == list(as_csv[0])
    assert as_json == [{name: value for name, value in row.items() if value} for row in as_csv]


def test_groups_time_and_limit_narrow_it(run: RunDir) -> None:
    """A group by its name or its beginning; lines from a time on; so many rows."""
    query = "stats count(*) as n by @log"
    processor = ask(str(run.path), query, "--group", "/aws/lambda/dlqlab-local-processor", "--json")
    begun = ask(str(run.path), query, "--group", "/aws/lambda/dlqlab-local-*", "--json", "--limit", "1")
    later = ask(str(run.path), "fields @timestamp", "--since", "2026-11-22T08:30:48", "--json")

    assert [{"@log": "000000000000:/aws/lambda/dlqlab-local-processor", "n": "830"}] == [json.loads(processor.stdout)]
    assert [{"@log": "000000000000:/aws/lambda/dlqlab-local-monitor", "n": "11"}] == [json.loads(begun.stdout)]
    times = [json.loads(line)["@timestamp"] for line in later.stdout.splitlines()]
    assert times
    assert min(times) >= "2026-11-22 08:30:48.000"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("{run}", "fields a | pattern b"), "the query is malformed: unexpected symbol found pattern at line 1"),
        (("{run}", "fields", "a"), "3 arguments: give [RUN] QUERY, the query in quotes"),
        (("{run}", "fields a", "--json", "--csv"), "--json and --csv are given"),
        (("{run}", "fields a", "--group", "/x"), "the run has no such log group; it has /aws/lambda/dlqlab-local,"),
        (("{run}", "fields a", "--target", "http://127.0.0.1:1"), "RUN is given, and where to ask"),
        (("{run}", "fields a", "--since", "soon"), "give a time such as"),
        (("no-such-run", "fields a"), "no run 'no-such-run'"),
    ],
)
def test_wrong_usage(run: RunDir, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 3, and what to give instead."""
    result = ask(*(argument.replace("{run}", str(run.path)) for argument in arguments))

    assert (3, "") == (result.exit_code, result.stdout)
    assert said in " ".join(result.stderr.split())


def test_an_emulator_that_would_answer_another_question_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its patch filter and stats would be left out."""
    monkeypatch.setattr("dlqlab.cli.actions.logs.running", lambda _port: SimpleNamespace(patches=("spill_log_lines",)))
    result = ask("stats count(*)")

    assert (3, "") == (result.exit_code, result.stdout)
    assert "the emulator runs without the patch logs_insights" in " ".join(result.stderr.split())


def test_a_run_without_its_lines_breaks(tmp_path: Path) -> None:
    """Exit code 4: nothing is said about the run."""
    run = recorded("one_retry", tmp_path)
    run.table_path("events").unlink()
    result = ask(str(run.path), "fields @message")

    assert 4 == result.exit_code
    assert "events.parquet: cannot be read" in " ".join(result.stderr.split())
