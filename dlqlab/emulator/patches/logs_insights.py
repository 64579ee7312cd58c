"""CloudWatch Logs Insights answers queries (filter, parse, stats, sort, dedup) and refuses what it does not know.

moto knows ``fields``, ``sort`` and ``limit``; whatever else a query says it leaves out, so that an answer is of another
question. Here a query is answered as it stands or refused as malformed. It runs in a thread of its own.
"""

from collections.abc import Callable, Mapping
from typing import Any

from localstack.aws.api import RequestContext, handler
from localstack.aws.api.logs import LogsApi
from localstack.services.logs.provider import LogsProvider
from moto.logs.models import LogEvent, LogsBackend

from dlqlab.emulator.patches import expect

NAME = "logs_insights"
_OPERATIONS: Mapping[str, str] = {
    "StartQuery": "start_query",
    "GetQueryResults": "get_query_results",
    "StopQuery": "stop_query",
    "DescribeQueries": "describe_queries",
}
"""And their functions, in the provider as in ``insights_api``."""


def patch() -> None:
    expect(NAME, LogsApi.start_query, "d973a3b909bf")
    expect(NAME, LogsApi.get_query_results, "d1e2ed405dde")
    expect(NAME, LogsApi.stop_query, "4016cc45a214")
    expect(NAME, LogsApi.describe_queries, "aef9ec0d8118")
    expect(NAME, LogsBackend.start_query, "d476b4a812eb")
    expect(NAME, LogEvent.__init__, "bb6367725c29")
    for operation, function in _OPERATIONS.items():
        setattr(LogsProvider, function, handler(operation, expand=False)(_served_by(function)))


def _served_by(function: str) -> Callable[[LogsProvider, RequestContext, dict[str, Any]], Any]:
    def serve(_self: LogsProvider, context: RequestContext, request: dict[str, Any]) -> Any:
        from dlqlab.emulator import insights_api  # noqa: PLC0415  (most emulators are never asked: their start is quicker)

        return getattr(insights_api, function)(context, request)

    serve.__name__ = function  # by which the provider is asked for it
    return serve
