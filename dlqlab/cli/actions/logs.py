"""Asking log lines, of a run or of what runs now."""

import csv
import io
import json
import re
from collections.abc import Sequence

import click

from dlqlab.cli.actions.emulators import running
from dlqlab.cli.actions.targets import resolve
from dlqlab.cli.console import ERR
from dlqlab.cli.targets import Where
from dlqlab.contracts.lookup import LATEST, run_path
from dlqlab.contracts.names import log_group
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import UsageError
from dlqlab.run.ledgers import moment
from dlqlab.run.log_queries import QueryAnswer, groups_of, query_run, query_target
from dlqlab.run.stored_runs import find_run
from dlqlab.wording import count

LAST_LINES = "fields @timestamp, @message | sort @timestamp desc | limit 20"
"""What a run is asked where no query is given."""
RUN_AND_QUERY = 2
_PATCH = "logs_insights"
_GAP = "  "
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


def logs(
    where: Where,
    run_and_query: tuple[str, ...],
    groups: tuple[str, ...],
    since: str | None,
    limit: int | None,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    if as_json and as_csv:
        raise UsageError("--json and --csv are given: give one of them")
    if len(run_and_query) > RUN_AND_QUERY:
        raise UsageError(f"{len(run_and_query)} arguments: give [RUN] QUERY, the query in quotes")
    run, query = _run_and_query(run_and_query)
    answer = _of_run(where, run, query, groups, since, limit) if run else _of_target(where, query, groups, since, limit)
    if as_json:
        for row in answer.rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif as_csv:
        click.echo(_csv(answer), nl=False)
    else:
        for line in table(answer.columns, answer.rows):
            click.echo(line)
    rows, lines = count(len(answer.rows), "row"), count(answer.scanned, "line")
    ERR.print(f"{rows}; {answer.matched:,} of {lines} matched")


def _run_and_query(given: tuple[str, ...]) -> tuple[str | None, str]:
    """The run, None for what runs now, and the query; a run alone is asked for its last lines."""
    if len(given) == RUN_AND_QUERY:
        return given[0], given[1]
    try:
        run_path(given[0])
    except UsageError:
        if given[0] == LATEST:  # no query is that short, and there is no run yet
            raise
        return None, given[0]
    ERR.print(f"no query is given: {LAST_LINES}")
    return given[0], LAST_LINES


def table(columns: Sequence[str], rows: Sequence[dict[str, str]]) -> list[str]:
    """Lines of a table whose last column may be as wide as it likes; control characters are escaped."""
    if not rows:
        return []
    cells = [list(columns), *([_printable(row.get(name, "")) for name in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    widths[-1] = 0
    return [_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _of_run(
    where: Where, name: str, query: str, groups: Sequence[str], since: str | None, limit: int | None
) -> QueryAnswer:
    if where.target or where.port is not None:
        raise UsageError(
            "RUN is given, and where to ask: a run's lines are in its directory, leave out --target and --port"
        )
    since_ts = moment(since) if since else None
    return query_run(find_run(name), query, groups=groups, since_ts=since_ts, limit=limit)


def _of_target(where: Where, query: str, groups: Sequence[str], since: str | None, limit: int | None) -> QueryAnswer:
    since_ts = moment(since or "1h")
    if where.target is None:
        _check(running(where.port))
    target = resolve(where)
    client = target.client("logs")
    asked = groups_of(client, groups, [log_group(name) for name in target.topology.function_names.values()])
    with ERR.status(f"asking {len(asked)} log groups"):
        return query_target(client, query, asked, since_ts=since_ts, limit=limit)


def _check(emulator: Emulator) -> None:
    """Without its patch an emulator would answer another question.

    Raises:
        UsageError: it has been started without.
    """
    if _PATCH not in emulator.patches:
        raise UsageError(
            f"the emulator runs without the patch {_PATCH}: start it anew without --without-patch {_PATCH}"
        )


def _csv(answer: QueryAnswer) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, answer.columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(answer.rows)
    return text.getvalue()


def _printable(cell: str) -> str:
    return _UNPRINTABLE.sub(lambda found: json.dumps(found[0])[1:-1], cell.rstrip("\n"))
