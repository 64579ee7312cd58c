"""FilterLogEvents and TestMetricFilter obey filter patterns; lines come by time across the streams of a group.

LocalStack returns every line whatever the pattern, stream after stream, and knows neither the prefix of a stream's name
nor the ARN of a group.
"""

from typing import Any

from localstack.aws.api.logs import InvalidParameterException, ResourceNotFoundException
from localstack.services.logs import provider
from moto.logs.models import LogGroup

from dlqlab.emulator.logs import operations
from dlqlab.emulator.logs.lines import Lines
from dlqlab.emulator.logs.patterns import compile_pattern
from dlqlab.emulator.logs.search import LIMIT_DEFAULT, InvalidTokenError, Listed, Numbered, Search, search

LIMIT_MAX = 10_000
STREAM_NAMES_MAX = 100
MESSAGES_MAX = 50
"""Lines that TestMetricFilter takes."""


def filter_log_events(_provider: Any, context: Any, request: dict[str, Any]) -> dict[str, Any]:
    """One page.

    Raises:
        ServiceException: as AWS; the request is wrong, or there is no such group or stream.
    """
    _check(request)
    group = operations.group_of(context, _group_name(request))
    text = request.get("filterPattern")
    asked = Search(
        group=group.name,
        start_ms=request.get("startTime"),
        end_ms=request.get("endTime"),
        pattern=operations.pattern_of(text, "Invalid filter pattern") if text and text.strip() else None,
        limit=request.get("limit") or LIMIT_DEFAULT,
        token=request.get("nextToken"),
    )
    try:
        events, token = search(_streams(group, request), asked)
    except InvalidTokenError as error:
        raise InvalidParameterException("The specified nextToken is invalid.") from error
    # searchedLogStreams is empty on AWS since 2020 (FilterLogEvents, API reference).
    return {"events": events, "searchedLogStreams": []} | ({"nextToken": token} if token else {})


def _check(request: dict[str, Any]) -> None:
    limit, names = request.get("limit"), request.get("logStreamNames")
    if limit is not None and not 1 <= limit <= LIMIT_MAX:
        bound = f"less than or equal to {LIMIT_MAX}" if limit > LIMIT_MAX else "greater than or equal to 1"
        raise InvalidParameterException(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have "
            f"value {bound}"
        )
    if names is not None and not 1 <= len(names) <= STREAM_NAMES_MAX:
        bound = f"less than or equal to {STREAM_NAMES_MAX}" if names else "greater than or equal to 1"
        raise InvalidParameterException(
            f"1 validation error detected: Value '{names}' at 'logStreamNames' failed to satisfy constraint: Member "
            f"must have length {bound}"
        )
    if names and request.get("logStreamNamePrefix"):
        raise InvalidParameterException("logStreamNames and logStreamNamePrefix cannot both be given: leave one out")


def _group_name(request: dict[str, Any]) -> str:
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if bool(name) == bool(identifier):
        raise InvalidParameterException("Give either logGroupName or logGroupIdentifier")
    if name:
        return str(name)
    return str(identifier).partition(":log-group:")[2].removesuffix(":*") or str(identifier)


def _streams(group: LogGroup, request: dict[str, Any]) -> dict[str, Numbered]:
    prefix, names = request.get("logStreamNamePrefix") or "", request.get("logStreamNames")
    streams = dict(group.streams)
    if names:
        if not any(name in streams for name in names):
            raise ResourceNotFoundException("The specified log stream does not exist.")
        streams = {name: streams[name] for name in names if name in streams}
    return {
        name: stream.events if isinstance(stream.events, Lines) else Listed(stream.events)
        for name, stream in streams.items()
        if name.startswith(prefix)
    }


def matches_of_test(_provider: Any, _context: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Which of the lines match, counted from 1, and the values that the pattern finds in them."""
    pattern = operations.pattern_of(request["filterPattern"], "Invalid metric filter pattern")
    lines = request["logEventMessages"]
    if not 1 <= len(lines) <= MESSAGES_MAX:
        raise InvalidParameterException(
            f"1 validation error detected: Value at 'logEventMessages' failed to satisfy constraint: Member must have "
            f"length between 1 and {MESSAGES_MAX}"
        )
    matches = [(number, line, pattern.match(line)) for number, line in enumerate(lines, 1)]
    return {
        "matches": [
            {"eventNumber": number, "eventMessage": line, "extractedValues": match.extracted()}
            for number, line, match in matches
            if match is not None
        ]
    }


def patch() -> None:
    operations.serve("FilterLogEvents", filter_log_events)
    operations.serve("TestMetricFilter", matches_of_test)

    def get_pattern_matcher(pattern: str) -> Any:
        compiled = compile_pattern(pattern)
        return lambda _pattern, event: compiled.match(event["message"]) is not None

    provider.get_pattern_matcher = get_pattern_matcher
