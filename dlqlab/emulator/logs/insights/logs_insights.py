"""CloudWatch Logs Insights answers queries (filter, parse, stats, sort, dedup) and refuses what it does not know.

moto knows ``fields``, ``sort`` and ``limit``; whatever else a query says it leaves out, so that an answer is of another
question. Here a query is answered as it stands or refused as malformed. It runs in a thread of its own.
"""

from collections.abc import Callable, Mapping
from typing import Any

from localstack.aws.api import RequestContext, handler
from localstack.services.logs.provider import LogsProvider

_OPERATIONS: Mapping[str, str] = {
    "StartQuery": "start_query",
    "GetQueryResults": "get_query_results",
    "StopQuery": "stop_query",
    "DescribeQueries": "describe_queries",
}
"""And their functions, in the provider as in ``api``."""


def patch() -> None:
    for operation, function in _OPERATIONS.items():
        setattr(LogsProvider, function, handler(operation, expand=False)(_served_by(function)))


def _served_by(function: str) -> Callable[[LogsProvider, RequestContext, dict[str, Any]], Any]:
    def serve(_self: LogsProvider, context: RequestContext, request: dict[str, Any]) -> Any:
        from dlqlab.emulator.logs.insights import api  # noqa: PLC0415  (most emulators are never asked: a quicker start)

        return getattr(api, function)(context, request)

    serve.__name__ = function  # by which the provider is asked for it
    return serve
