"""A query of CloudWatch Logs Insights, over a run directory or at a target that speaks the AWS API."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlqlab.errors import EvidenceError, UsageError
from dlqlab.insights import MalformedQueryError, Statistics, compile_query
from dlqlab.insights.lines import LAMBDA_GROUP
from dlqlab.waiting import DeadlinePassedError, wait_for

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

    from dlqlab.contracts.rundir import RunDir

POINTER = "@ptr"
GROUPS_MAX = 50
"""Log groups in one query (StartQuery, AWS API reference)."""
DEADLINE_S = 600.0
_ENDED = frozenset({"Complete", "Failed", "Cancelled", "Timeout", "Unknown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAnswer:
    """Rows, each a text by the name of its column; columns are in the order in which the query names them."""

    columns: tuple[str, ...]
    rows: list[dict[str, str]]
    matched: int
    scanned: int


def query_run(
    run: "RunDir", query: str, *, groups: Sequence[str] = (), since_ts: float | None = None, limit: int | None = None
) -> QueryAnswer:
    """The answer from what the run directory keeps.

    Args:
        run: the run directory.
        query: the query's text.
        groups: log groups, or beginnings of their names with a ``*`` behind; all unless given.
        since_ts: only lines of this time and later.
        limit: rows at most.

    Raises:
        UsageError: the query cannot be answered as it stands, or the run has no such log group.
        EvidenceError: the lines cannot be read.
    """
    from dlqlab.run.stored_lines import stored_lines  # noqa: PLC0415  (reads tables; a target needs none)

    try:
        compiled = compile_query(query, now_s=time.time(), limit=limit)
    except MalformedQueryError as error:
        raise UsageError(_malformed(error.message)) from error
    seen: dict[str, bool] = {}
    since_ms = 0 if since_ts is None else since_ts * 1000

    def is_wanted(log: str) -> bool:
        if log not in seen:
            seen[log] = not groups or any(_is_of(log.partition(":")[2], group) for group in groups)
        return seen[log]

    statistics = Statistics()
    lines = (line for line in stored_lines(run) if is_wanted(line.log) and line.timestamp_ms >= since_ms)
    result = compiled.run(lines, statistics)
    if groups and not any(seen.values()):
        there = ", ".join(sorted(log.partition(":")[2] for log in seen))
        raise UsageError(f"--group {groups[0]}: the run has no such log group; it has {there or 'none'}")
    return QueryAnswer(
        columns=tuple(name for name in result.columns if name != POINTER),
        rows=[_without_pointer(row) for row in result.rows],
        matched=statistics.records_matched,
        scanned=statistics.records_scanned,
    )


def query_target(
    logs: "CloudWatchLogsClient",
    query: str,
    groups: Sequence[str],
    *,
    since_ts: float,
    limit: int | None = None,
    wall_clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> QueryAnswer:
    """The answer of a target; a query that nobody waits for any more is stopped.

    Raises:
        UsageError: the query cannot be answered as it stands.
        EvidenceError: the query failed, or did not end.
    """
    request: dict[str, Any] = {"logGroupNames": list(groups), "queryString": query}
    request |= {"startTime": int(since_ts), "endTime": int(wall_clock()) + 1}
    if limit is not None:
        request["limit"] = limit
    try:
        query_id = logs.start_query(**request)["queryId"]
    except logs.exceptions.MalformedQueryException as error:
        raise UsageError(_malformed(error.response["Error"]["Message"])) from error
    status = "Scheduled"

    def probe() -> tuple[bool, Any]:
        nonlocal status
        found = logs.get_query_results(queryId=query_id)
        status = found["status"]
        return status in _ENDED, found

    try:
        answer = wait_for("the query", probe, deadline_s=DEADLINE_S, interval_s=0.1, sleep=sleep)
    except DeadlinePassedError as error:
        raise EvidenceError(f"the query did not end within {DEADLINE_S:g} s") from error
    finally:
        if status not in _ENDED:
            logs.stop_query(queryId=query_id)
    if status != "Complete":
        raise EvidenceError(f"the query ended as {status}: see the log of what answers it")
    rows = [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]
    return QueryAnswer(
        columns=_columns(rows),
        rows=[_without_pointer(row) for row in rows],
        matched=int(answer["statistics"]["recordsMatched"]),
        scanned=int(answer["statistics"]["recordsScanned"]),
    )


def groups_of(logs: "CloudWatchLogsClient", wanted: Sequence[str], preferred: Sequence[str]) -> list[str]:
    """The log groups of a target that are asked about.

    Args:
        logs: the target's client.
        wanted: names, or beginnings of names with a ``*`` behind.
        preferred: those that are asked where nothing is wanted, as far as they are there; else those of all functions.

    Raises:
        UsageError: there are none, or more than one query can ask.
    """
    pages = logs.get_paginator("describe_log_groups").paginate()
    there = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    for name in wanted:
        if not any(_is_of(group, name) for group in there):
            raise UsageError(f"--group {name}: there is no such log group; there are {', '.join(there) or 'none'}")
    found = [group for group in there if any(_is_of(group, name) for name in wanted or preferred)]
    if not found:
        found = [group for group in there if group.startswith(LAMBDA_GROUP)]
    if not found:
        raise UsageError("there is no log group of a function yet: give --group, or run something first")
    if len(found) > GROUPS_MAX:
        raise UsageError(f"{len(found)} log groups, and a query asks at most {GROUPS_MAX}: give --group")
    return found


def _is_of(group: str, wanted: str) -> bool:
    return group.startswith(wanted[:-1]) if wanted.endswith("*") else group == wanted


def _columns(rows: Sequence[dict[str, str]]) -> tuple[str, ...]:
    """A row lacks the columns for which it has no value: one that it has stands behind the one before it."""
    columns: list[str] = []
    for row in rows:
        place = 0
        for name in row:
            if name in columns:
                place = columns.index(name) + 1
            else:
                columns.insert(place, name)
                place += 1
    return tuple(name for name in columns if name != POINTER)


def _without_pointer(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if name != POINTER}


def _malformed(message: str) -> str:
    return f"the query is malformed: {message}; the language is in docs/logs.md"
