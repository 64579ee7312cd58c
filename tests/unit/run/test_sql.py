"""Questions in SQL over the tables of runs."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlqlab.contracts.recorded_run import write_recording
from dlqlab.contracts.recording import TABLES as RECORDED
from dlqlab.contracts.recording import Recording, schema
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.tables import frame
from dlqlab.errors import EvidenceError, UsageError
from dlqlab.run.sql import Row, tables_of

SENT = {"ts": 1.5, "queue": "q", "message_id": "m", "kind": "sent", "actor_kind": "client", "parent_ids": ["a", "b"]}


def _run(path: Path, *tasks: str, is_recorded: bool = False) -> RunDir:
    run = RunDir(path)
    run.write("tasks", frame("tasks", [{"task_id": task, "attempts": number} for number, task in enumerate(tasks)]))
    if is_recorded:
        rows = {"messages": [SENT]}
        tables = {name: pa.Table.from_pylist(rows.get(name, []), schema(name)) for name in RECORDED}
        write_recording(run, Recording(**tables, gaps=(), is_ended=True))
    return run


def _ask(query: str, *runs: RunDir) -> list[Row]:
    with tables_of(runs) as tables:
        return [row for batch in tables.ask(query).batches for row in batch]


def test_tables_of_a_run_and_of_its_recorder(tmp_path: Path) -> None:
    """Each file is a table; the recorder's are in a schema of their own. Lists and nulls are as Python has them."""
    run = _run(tmp_path / "one", "t", is_recorded=True)
    query = "SELECT task_id, status, kind, parent_ids FROM tasks, recording.messages"

    assert [("t", None, "sent", ["a", "b"])] == _ask(query, run)
    with tables_of([run]) as tables:
        facts = tables.facts()
    assert [("tasks", 1)] + [(f"recording.{name}", int(name == "messages")) for name in sorted(RECORDED)] == [
        (one.name, one.rows) for one in facts
    ]
    assert (*RECORDED["messages"], "run") == facts[-1].columns


def test_several_runs_are_asked_at_once(tmp_path: Path) -> None:
    """Rows say which run they are from, also where one of them was not recorded, or names are the same."""
    runs = [_run(tmp_path / "one", "a", "b"), _run(tmp_path / "two", "c", is_recorded=True)]
    query = "SELECT run, count(*) FROM tasks GROUP BY ALL ORDER BY run"
    twins = [_run(tmp_path / where / "x", "t") for where in ("here", "there")]

    assert [("one", 2), ("two", 1)] == _ask(query, *runs)
    assert [("two",)] == _ask("SELECT run FROM recording.messages", *runs)
    assert [(str(twin.path), 1) for twin in twins] == _ask(query, *twins)
    assert [("one", 2)] == _ask(query, runs[0], runs[0])


def test_more_rows_than_a_batch_come_all(tmp_path: Path) -> None:
    """In batches, each once."""
    run = _run(tmp_path / "one", "t")

    assert [(number,) for number in range(2_500)] == _ask("FROM range(2500) ORDER BY 1", run)


def test_what_is_no_number_is_null(tmp_path: Path) -> None:
    """JSON has no word for it."""
    assert [(None, None, 1.5)] == _ask("SELECT 'nan'::DOUBLE, 'inf'::DOUBLE, 1.5::DOUBLE", _run(tmp_path / "one"))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM letters", "no table 'letters': there are tasks"),
        ("SELECT * FROM recording.messages", "no table 'messages': there are tasks; no run has a recording"),
        ("SELECT nothing FROM tasks", 'Referenced column "nothing" not found'),
        ("SELEC 1", 'Parser Error: syntax error at or near "SELEC"'),
        ("SELECT 'a'::INT FROM tasks", "Could not convert string 'a'"),
        (" ", "0 statements: give one SELECT"),
        ("SELECT 1; SELECT 2", "2 statements: give one SELECT"),
        ("CREATE TABLE t AS SELECT 1", "CREATE is not answered: give a SELECT"),
        ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN is not answered"),
        ("SET memory_limit = '9GB'", "SET is not answered"),
        ("INSTALL httpfs", "is not answered"),
        ("ATTACH 'x.db'", "ATTACH is not answered"),
        ("FROM read_text('{other}')", "file system operations are disabled"),
        ("FROM '{other}'", "file system operations are disabled"),
        ("FROM glob('{folder}/*')", "file system operations are disabled"),
        ("FROM 'https://example.com/x.parquet'", "file system operations are disabled"),
        ("COPY tasks TO '{folder}/out.csv'", "COPY is not answered"),
        ("COPY (SELECT 1) TO '{folder}/one/tasks.parquet'", "COPY is not answered"),
    ],
)
def test_wrong_or_forbidden_question_is_one_line(tmp_path: Path, query: str, message: str) -> None:
    """It names what is wrong, and nothing is read or written by it."""
    run = _run(tmp_path / "one", "t")
    other = tmp_path / "secret.csv"
    other.write_text("a\n1\n")
    with pytest.raises(UsageError) as caught:
        _ask(query.replace("{other}", str(other)).replace("{folder}", str(tmp_path)), run)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ["one", "secret.csv"] == sorted(path.name for path in tmp_path.iterdir())
    assert 1 == pq.read_metadata(run.table_path("tasks")).num_rows


def test_names_of_variables_are_no_tables(tmp_path: Path) -> None:
    """DuckDB would take a data frame of the program for one."""
    mine = frame("tasks", [{"task_id": "t"}])
    assert len(mine) == 1
    with pytest.raises(UsageError, match="no table 'mine'"):
        _ask("FROM mine", _run(tmp_path / "one", "t"))


def test_run_whose_table_cannot_be_read_is_named(tmp_path: Path) -> None:
    """As is one that has none yet."""
    run = _run(tmp_path / "one", "t")
    run.table_path("events").write_bytes(b"torn")
    with pytest.raises(EvidenceError, match=r"events\.parquet: cannot be read: [^\n]+$"):
        _ask("FROM tasks", run)
    (tmp_path / "two").mkdir()
    with pytest.raises(EvidenceError, match="two: holds no table yet"):
        _ask("FROM tasks", RunDir(tmp_path / "two"))


def test_odd_names_of_folders(tmp_path: Path) -> None:
    """Quotes and the signs of patterns are part of a name."""
    assert [("it's [a] *run",)] == _ask("SELECT run FROM tasks", _run(tmp_path / "it's [a] *run", "t"))
