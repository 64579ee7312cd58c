"""What dlqlab sql prints."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlqlab.cli import main
from tests.support.recorded import recorded


@pytest.fixture
def run(tmp_path: Path) -> str:
    return str(recorded("one_retry", tmp_path).path)


def dlqlab(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sql", *arguments])


def test_rows_as_table_json_and_csv(run: str) -> None:
    """The same rows in three forms; nothing stands for null; how many there are is on standard error."""
    query = "SELECT outcome, count(*) AS n, NULL AS nothing, ['a'] AS list FROM ledger GROUP BY ALL"
    (row,) = (json.loads(line) for line in dlqlab(run, query, "--json").stdout.splitlines())

    assert {"outcome": "acknowledged", "nothing": None, "list": ["a"]} == {key: row[key] for key in row if key != "n"}
    shown = dlqlab(run, query)
    assert [["outcome", "n", "nothing", "list"], ["acknowledged", str(row["n"]), '["a"]']] == [
        line.split() for line in shown.stdout.splitlines()
    ]
    assert "1 row\n" == shown.stderr
    assert [["outcome", "n", "nothing", "list"], ["acknowledged", str(row["n"]), "", '["a"]']] == list(
        csv.reader(io.StringIO(dlqlab(run, query, "--csv").stdout))
    )


def test_run_alone_lists_its_tables(run: str) -> None:
    """With the number of rows and the columns."""
    found = {row["table"]: row for row in map(json.loads, dlqlab(run, "--json").stdout.splitlines())}

    assert {"ledger", "events", "tasks", "queues", "metrics", "host", "invocations"} == set(found)
    assert "task_id, request_id, payload" in found["ledger"]["columns"]
    assert found["ledger"]["rows"] == int(dlqlab(run, "SELECT count(*) FROM ledger", "--csv").stdout.split()[1])


def test_columns_of_one_name_are_told_apart(run: str) -> None:
    """A row has each of them."""
    answer = dlqlab(run, "SELECT 1 AS a, 2 AS a, 3 AS a", "--json").stdout

    assert {"a": 1, "a_1": 2, "a_2": 3} == json.loads(answer)


def test_a_long_table_is_cut_and_says_so(run: str) -> None:
    """On the screen; not where a program reads it."""
    shown = dlqlab(run, "FROM range(1001)")

    assert (1_001, "the first 1,000 rows; all with --csv or --json\n") == (len(shown.stdout.splitlines()), shown.stderr)
    assert 1_002 == len(dlqlab(run, "FROM range(1001)", "--csv").stdout.splitlines())


def test_a_long_query_is_no_name_of_a_run(run: str) -> None:
    """No file can have such a name."""
    query = f"SELECT 1 AS a, {', '.join(f'{number} AS a_{number}' for number in range(1_000))}"

    assert {"a": 1} == json.loads(dlqlab(run, f"SELECT a FROM ({query})", "--json").stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no-such-run", "FROM ledger"), "no run 'no-such-run'"),
        (("no-such-run",), "no run 'no-such-run'"),
        (("FROM ledger",), "no run is given: give dlqlab sql RUN QUERY"),
        (("{run}", "FROM ledger", "--json", "--csv"), "give one of them"),
        (("{run}", "FROM letters"), "no table 'letters': there are events, host"),
        (("{run}", "from"), "no run 'from'"),
    ],
)
def test_wrong_usage_is_exit_code_3(run: str, arguments: tuple[str, ...], message: str) -> None:
    """With one message that says what to do."""
    done = dlqlab(*(argument.replace("{run}", run) for argument in arguments))

    assert 3 == done.exit_code
    assert message in " ".join(done.stderr.split())
