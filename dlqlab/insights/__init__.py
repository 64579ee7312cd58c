"""Queries over log lines in the language of CloudWatch Logs Insights: parsed, checked, answered. Pure.

``compile_query`` reads a query or says why not; ``Query.run`` answers it over any iterable of ``LogLine``. Source of
the language: AWS, "CloudWatch Logs Insights language query syntax"; what is supported, and what is refused, stands in
``docs/logs.md``.
"""

from dlqlab.insights.errors import MalformedQueryError
from dlqlab.insights.lines import LogLine
from dlqlab.insights.query import LIMIT_MAX, Query, QueryStopped, Result, Statistics, compile_query

__all__ = [
    "LIMIT_MAX",
    "LogLine",
    "MalformedQueryError",
    "Query",
    "QueryStopped",
    "Result",
    "Statistics",
    "compile_query",
]
