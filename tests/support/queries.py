"""Queries over a few log lines, in one call."""

from collections.abc import Iterable
from typing import Any

from dlqlab.insights import LogLine, Result, Statistics, compile_query

T0_MS = 1_700_000_000_000
"""2023-11-14 22:13:20 UTC."""
PLAIN = "000000000000:plain"
LAMBDA = "000000000000:/aws/lambda/f"


def lines(*messages: str, log: str = PLAIN, step_ms: int = 1000) -> list[LogLine]:
    """Lines of one stream, a second after each other."""
    return [LogLine(T0_MS + place * step_ms, message, log, "s", place) for place, message in enumerate(messages)]


def answer(query: str, found: Iterable[LogLine], **options: Any) -> Result:
    return compile_query(query, **{"now_s": T0_MS / 1000, **options}).run(found, Statistics())


def rows(query: str, *messages: str, log: str = PLAIN) -> list[dict[str, str]]:
    """The rows of a query over lines of these texts, without ``@ptr``."""
    return [
        {name: value for name, value in row.items() if name != "@ptr"}
        for row in answer(query, lines(*messages, log=log)).rows
    ]


def column(query: str, *messages: str, log: str = PLAIN) -> list[str | None]:
    """The first column's values, missing ones as None."""
    result = answer(query, lines(*messages, log=log))
    return [row.get(result.columns[0]) for row in result.rows]


def value(expression: str, message: str = "{}") -> str | None:
    """What an expression is for one line."""
    [found] = column(f"display {expression} as it", message)
    return found
