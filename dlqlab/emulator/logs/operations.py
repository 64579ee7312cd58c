"""Operations of CloudWatch Logs that patches serve in moto's place."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from botocore import xform_name
from localstack.aws.api import handler
from localstack.aws.api.logs import InvalidParameterException, LimitExceededException, ResourceNotFoundException
from localstack.services.logs.models import get_moto_logs_backend
from localstack.services.logs.provider import LogsProvider
from moto.logs.models import LogGroup, LogsBackend, LogStream

from dlqlab.emulator.logs.patterns import FilterPatternError, Pattern, compile_pattern

REGEX_PATTERNS_MAX = 5
"""Filters of a log group whose patterns have regular expressions."""


def serve(operation: str, answer: Callable[..., Any]) -> None:
    """Let a function serve an operation: ``answer(provider, context, request)``."""

    def served(provider: Any, context: Any, request: Any) -> Any:
        return answer(provider, context, request)

    served.__name__ = xform_name(operation)  # by which LocalStack looks it up
    setattr(LogsProvider, served.__name__, handler(operation, expand=False)(served))


def around_storing(stored: Callable[..., Any]) -> None:
    """Let ``stored(original, stream, log_events)`` take the place of what stores the events of a stream.

    LocalStack's own means do not find the class of its replacement for moto's method.
    """
    original = LogStream.put_log_events

    @functools.wraps(original)
    def put_log_events(stream: LogStream, log_events: list[dict[str, Any]]) -> Any:
        return stored(original, stream, log_events)

    LogStream.put_log_events = put_log_events


def is_served(name: str) -> bool:
    """Whether LocalStack's provider, not moto, serves an operation of this name."""
    return name in vars(LogsProvider)


def backend_of(context: Any) -> LogsBackend:
    return get_moto_logs_backend(context.account_id, context.region)


def group_of(context: Any, name: str) -> LogGroup:
    """The log group.

    Raises:
        ResourceNotFoundException: there is none of this name.
    """
    group = backend_of(context).groups.get(name)
    if group is None:
        raise ResourceNotFoundException("The specified log group does not exist.")
    return group


def pattern_of(text: str, general: str) -> Pattern:
    """The compiled pattern.

    Args:
        general: what the operation says of a pattern that breaks the syntax.

    Raises:
        InvalidParameterException: it does.
    """
    try:
        return compile_pattern(text)
    except FilterPatternError as error:
        raise InvalidParameterException(error.worded(general)) from error


def refuse_unsupported(request: Mapping[str, Any], *names: str) -> None:
    """Raises:
    InvalidParameterException: the request has one of these members, which cannot be obeyed here.
    """
    for name in names:
        if request.get(name):
            raise InvalidParameterException(f"{name} is not supported by this emulator: leave it out")


def check_regex_quota(backend: LogsBackend, group: LogGroup, pattern: Pattern, *, except_name: str) -> None:
    """Raises:
    LimitExceededException: the group has as many filters with regular expressions as AWS takes.
    """
    if not pattern.regexes:
        return
    others = [
        found["filterPattern"]
        for found in backend.filters.metric_filters
        if found["logGroupName"] == group.name and found["filterName"] != except_name
    ]
    others += [found.filter_pattern for name, found in group.subscription_filters.items() if name != except_name]
    if sum(bool(compile_pattern(text or "").regexes) for text in others) >= REGEX_PATTERNS_MAX:
        raise LimitExceededException("Resource limit exceeded.")
