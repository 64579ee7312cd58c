"""Asking the tables of runs in SQL."""

import csv
import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import Any

import click

from dlqlab.cli.actions.logs import table
from dlqlab.cli.console import ERR
from dlqlab.contracts.lookup import run_path
from dlqlab.contracts.rundir import RunDir
from dlqlab.errors import UsageError
from dlqlab.run.sql import Answer, Tables, tables_of
from dlqlab.run.stored_runs import find_run
from dlqlab.wording import count

SHOWN_MAX = 1_000


def sql(runs_and_query: tuple[str, ...], *, as_json: bool, as_csv: bool) -> None:
    if as_json and as_csv:
        raise UsageError("--json and --csv are given: give one of them")
    runs, query = _runs_and_query(runs_and_query)
    with tables_of(runs) as tables:
        answer = tables.ask(query) if query else _listed(tables)
        if as_json:
            rows = _print_json(answer)
        elif as_csv:
            rows = _print_csv(answer)
        else:
            rows = _print_table(answer)
    ERR.print(rows)


def _runs_and_query(given: Sequence[str]) -> tuple[list[RunDir], str | None]:
    """What has a space in it, and is no run, is the query; it is the last."""
    *names, last = (text.strip() for text in given)
    query = last if len(last.split()) > 1 else None
    if query is not None:
        try:
            run_path(last)
        except UsageError:
            if not names:
                raise UsageError(
                    "no run is given: give dlqlab sql RUN QUERY, as in dlqlab sql latest 'from tasks'"
                ) from None
            return [find_run(name) for name in names], query
    runs = [find_run(name) for name in given]
    return runs, None


def _listed(tables: Tables) -> Answer:
    rows = [(one.name, one.rows, ", ".join(one.columns)) for one in tables.facts()]
    return Answer(("table", "rows", "columns"), iter([rows]))


def _print_json(answer: Answer) -> str:
    columns, rows = _distinct(answer.columns), 0
    for batch in answer.batches:
        for row in batch:
            click.echo(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, default=_plain))
        rows += len(batch)
    return count(rows, "row")


def _print_csv(answer: Answer) -> str:
    writer, rows = csv.writer(sys.stdout, lineterminator="\n"), 0
    writer.writerow(answer.columns)
    for batch in answer.batches:
        writer.writerows([_text(value) for value in row] for row in batch)
        rows += len(batch)
    return count(rows, "row")


def _print_table(answer: Answer) -> str:
    columns = _distinct(answer.columns)
    rows = list(islice(chain.from_iterable(answer.batches), SHOWN_MAX + 1))
    shown = [dict(zip(columns, map(_text, row), strict=True)) for row in rows[:SHOWN_MAX]]
    for line in table(columns, shown):
        click.echo(line)
    return (
        count(len(rows), "row") if len(rows) <= SHOWN_MAX else f"the first {SHOWN_MAX:,} rows; all with --csv or --json"
    )


def _distinct(columns: Sequence[str]) -> list[str]:
    """Names of columns, those that are there already with a number."""
    found: list[str] = []
    for name in columns:
        number = sum(1 for one in found if one == name or one.rpartition("_")[0] == name)
        found.append(f"{name}_{number}" if number else name)
    return found


def _text(value: Any) -> str:
    """Nothing for null; a list as JSON."""
    if value is None:
        return ""
    if isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return str(value)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)
