"""StartQuery, GetQueryResults, StopQuery and DescribeQueries over the log store, with AWS's checks and errors."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.api.logs import (
    InvalidParameterException,
    LimitExceededException,
    MalformedQueryException,
    ResourceNotFoundException,
)
from localstack.services.logs.models import get_moto_logs_backend
from moto.logs.models import LogEvent, LogGroup, LogsBackend

from dlqlab.emulator.logs.insights.queries import ACTIVE_MAX, Queries, StartedQuery, TooManyQueriesError
from dlqlab.emulator.logs.lines import Lines
from dlqlab.insights import LogLine, MalformedQueryError, compile_query

LOG_GROUPS_MAX = 50
QUERY_CHARACTERS_MAX = 10_000
ROWS_MAX = 10_000
DESCRIBED_MAX = 1000
LANGUAGE = "CWLI"
_NAMES = ("logGroupName", "logGroupNames", "logGroupIdentifiers")
_SECONDS_MAX = 10**11
"""Times above are milliseconds, which would find nothing."""
_ARN = re.compile(r"arn:[^:]+:logs:(?P<region>[^:]+):(?P<account>[^:]+):log-group:(?P<name>[^:*]+)")
_CHUNK_LINES = 500
_QUERIES: dict[tuple[str, str], Queries] = {}


def start_query(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    """Checks everything before it starts: a query that was started is one that is understood."""
    start_ms, end_ms = _time_range(request)
    limit = _within(request, "limit", 1, ROWS_MAX)
    if request.get("queryLanguage", LANGUAGE) != LANGUAGE:
        raise InvalidParameterException(
            f"queryLanguage {request['queryLanguage']} is not supported here: give {LANGUAGE}, that of Logs Insights"
        )
    text = request["queryString"]
    if len(text) > QUERY_CHARACTERS_MAX:
        raise _constraint("queryString", text, f"length less than or equal to {QUERY_CHARACTERS_MAX}")
    groups = _groups(context, request)
    try:
        query = compile_query(text, now_s=time.time(), limit=limit)
        asked = _queries(context).start(
            query, tuple(group.name for group in groups), lambda: _lines(context.account_id, groups, start_ms, end_ms)
        )
    except MalformedQueryError as error:
        raise _malformed(error) from error
    except TooManyQueriesError as error:
        raise LimitExceededException(f"Account maximum query concurrency limit of [{ACTIVE_MAX}] reached.") from error
    return {"queryId": asked.id}


def get_query_results(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    """The rows once they are all there, and how far the query is."""
    asked = _asked(context, request)
    status, result, statistics = asked.status, asked.result, asked.statistics
    rows = result.rows if result and status == "Complete" else []
    return {
        "queryLanguage": LANGUAGE,
        "results": [[{"field": name, "value": value} for name, value in row.items()] for row in rows],
        "statistics": {
            "recordsMatched": float(statistics.records_matched),
            "recordsScanned": float(statistics.records_scanned),
            "estimatedRecordsSkipped": 0.0,
            "bytesScanned": float(statistics.bytes_scanned),
            "estimatedBytesSkipped": 0.0,
            "logGroupsScanned": float(len(asked.log_groups)),
        },
        "status": str(status),
    }


def stop_query(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    """Only a query that has not ended can be stopped."""
    asked = _asked(context, request)
    if not _queries(context).stop(asked):
        raise InvalidParameterException(f"The specified query is not running: its status is {asked.status}.")
    return {"success": True}


def describe_queries(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    """The newest first; one that asked several log groups names the first, or the one that is asked about."""
    group, status = request.get("logGroupName"), request.get("status")
    count = _within(request, "maxResults", 1, DESCRIBED_MAX) or DESCRIBED_MAX
    known = _queries(context).all() if request.get("queryLanguage", LANGUAGE) == LANGUAGE else []
    found = [asked for asked in known if group in {None, *asked.log_groups} and status in {None, str(asked.status)}]
    ids = [asked.id for asked in found]
    token = request.get("nextToken")
    if token is not None and token not in ids:
        raise InvalidParameterException("The specified nextToken is invalid.")
    first = ids.index(token) if token else 0
    page, rest = found[first : first + count], found[first + count :]
    answer: dict[str, Any] = {"queries": [_described(asked, group) for asked in page]}
    return answer | ({"nextToken": rest[0].id} if rest else {})


def _described(asked: StartedQuery, group: str | None) -> dict[str, Any]:
    return {
        "queryLanguage": LANGUAGE,
        "queryId": asked.id,
        "queryString": asked.query.text,
        "status": str(asked.status),
        "createTime": asked.created_ms,
        "logGroupName": group or asked.log_groups[0],
    }


def _queries(context: RequestContext) -> Queries:
    key = context.account_id, context.region
    return _QUERIES.get(key) or _QUERIES.setdefault(key, Queries())


def _asked(context: RequestContext, request: dict[str, Any]) -> StartedQuery:
    found = _queries(context).get(request["queryId"])
    if found is None:
        raise ResourceNotFoundException("The specified query does not exist.")
    return found


def _time_range(request: dict[str, Any]) -> tuple[int, int]:
    """Milliseconds; both ends are included (StartQuery, AWS API reference)."""
    start_s, end_s = (int(request[name]) for name in ("startTime", "endTime"))
    for name, time_s in (("startTime", start_s), ("endTime", end_s)):
        if time_s < 0:
            raise _constraint(name, time_s, "value greater than or equal to 0")
        if time_s > _SECONDS_MAX:
            raise InvalidParameterException(f"{name} {time_s} is not a time in seconds since the epoch")
    if end_s < start_s:
        raise InvalidParameterException("End time should not be before start time.")
    return start_s * 1000, end_s * 1000


def _groups(context: RequestContext, request: dict[str, Any]) -> list[LogGroup]:
    given = [name for name in _NAMES if request.get(name)]
    if len(given) != 1:
        raise InvalidParameterException(f"Specify exactly one of {', '.join(_NAMES)}.")
    value = request[given[0]]
    names = [value] if isinstance(value, str) else list(dict.fromkeys(value))
    if len(names) > LOG_GROUPS_MAX:
        raise _constraint(given[0], names, f"length less than or equal to {LOG_GROUPS_MAX}")
    if given[0] == "logGroupIdentifiers":
        names = list(dict.fromkeys(_name_of(context, name) for name in names))
    backend: LogsBackend = get_moto_logs_backend(context.account_id, context.region)
    for name in names:
        if name not in backend.groups:
            raise _no_group(context, name)
    return [backend.groups[name] for name in names]


def _name_of(context: RequestContext, identifier: str) -> str:
    """The log group's name in a name or an ARN."""
    if not identifier.startswith("arn:"):
        return identifier
    found = _ARN.fullmatch(identifier)
    if not found:
        raise InvalidParameterException(
            f"{identifier} is not a log group's ARN: arn:aws:logs:region:account-id:log-group:name, without :* behind"
        )
    if (found["account"], found["region"]) != (context.account_id, context.region):
        raise _no_group(context, found["name"])
    return found["name"]


def _lines(account_id: str, groups: Sequence[LogGroup], start_ms: int, end_ms: int) -> Iterator[LogLine]:
    """The lines of a time range, stream by stream, a chunk at a time."""
    for group in groups:
        log = f"{account_id}:{group.name}"
        for name, stream in list(group.streams.items()):
            for place, event in _events(stream.events, start_ms, end_ms):
                if start_ms <= event.timestamp <= end_ms:
                    yield LogLine(event.timestamp, event.message, log, name, place, event.ingestion_time)


def _events(events: Sequence[LogEvent], start_ms: int, end_ms: int) -> Iterable[tuple[int, LogEvent]]:
    if isinstance(events, Lines):
        bounds = events.bounds_ms()
        if bounds is None or bounds[1] < start_ms or bounds[0] > end_ms:
            return
    for first in range(0, len(events), _CHUNK_LINES):
        yield from enumerate(events[first : first + _CHUNK_LINES], first)


def _within(request: dict[str, Any], name: str, least: int, most: int) -> int | None:
    value = request.get(name)
    if value is None:
        return None
    if value < least:
        raise _constraint(name, value, f"value greater than or equal to {least}")
    if value > most:
        raise _constraint(name, value, f"value less than or equal to {most}")
    return int(value)


def _constraint(name: str, value: object, constraint: str) -> CommonServiceException:
    return InvalidParameterException(
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        f"Member must have {constraint}"
    )


def _no_group(context: RequestContext, name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Log group '{name}' does not exist for account ID '{context.account_id}'")


def _malformed(error: MalformedQueryError) -> MalformedQueryException:
    location = {"startCharOffset": error.start, "endCharOffset": error.end}
    return MalformedQueryException(error.message, queryCompileError={"location": location, "message": error.message})
