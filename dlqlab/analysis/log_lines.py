"""Which log lines belong to an invocation, and which of those may be about one message of its batch."""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from dlqlab.analysis.life_parts import Attempt

STORED_LATE_S = 0.005
"""By how much a line may be stamped after the end of the invocation that wrote it."""
_STAMP_S = 0.001
"""Time stamps of CloudWatch Logs are whole milliseconds."""
_PLATFORM = re.compile(r"^(START|END|REPORT) RequestId: |^(INIT_START|INIT_REPORT|XRAY TraceId:|EXTENSION)\b")
_ERROR_TYPES = ("errorType", "error_type", "exception_name", "exceptionName")
_ERROR_MESSAGES = ("errorMessage", "error_message", "exception", "message")

_UNSHOWN = frozenset({"event", "schema", "ts", "runId", "traceId", "requestId", "function", "coldStart"})
"""Fields of the task system's log events that say where a line is from, which its place tells here."""


class Line(NamedTuple):
    """A line of a log stream; ``ts`` is its time stamp, in seconds since the epoch."""

    ts: float
    stream: str
    text: str


def of_attempt(lines: Iterable[Line], attempt: Attempt) -> list[Line]:
    """The lines of one invocation, without the platform's own and without metrics (embedded metric format).

    Those that name its request id, and those of its environment's stream while it ran: an environment runs one
    invocation at a time.
    """
    until = _until(attempt)
    stream = attempt.environment or ""
    found = [
        line
        for line in lines
        if (
            attempt.request_id in line.text
            or (
                stream
                and stream in line.stream
                and attempt.started_ts <= line.ts <= until
                and not _of_another(line.text)
            )
        )
        and not _is_of_the_platform(line.text)
    ]
    return sorted(found, key=lambda line: line.ts)


def _until(attempt: Attempt) -> float:
    """The last time stamp that a line of it may have: its environment may run the next one a millisecond later."""
    late = float("inf") if attempt.ended_ts is None else attempt.ended_ts + STORED_LATE_S
    if attempt.next_started_ts is None:
        return late
    before_next = math.floor(attempt.next_started_ts * 1000) / 1000 - _STAMP_S / 2
    return min(late, max(before_next, attempt.ended_ts or attempt.started_ts))


def about(lines: Iterable[Line], message_id: str, attempt: Attempt) -> list[Line]:
    """Without the lines that name a batch mate and not this message."""
    mates = [each for each in attempt.message_ids if each != message_id]
    return [line for line in lines if message_id in line.text or not any(mate in line.text for mate in mates)]


def error_in(lines: Iterable[Line]) -> str | None:
    """``TransientFault: draw 0.17 below 0.3``: the last error that a line has in fields, or as Python prints it."""
    found = None
    for line in lines:
        found = _error_of(line.text) or found
    return found


def shown(text: str, known: Iterable[str]) -> str:
    """A line for people: of a structured one its name and what is in it, without what is known already (ids)."""
    value = _object(text)
    if value is None:
        return text.replace("\r", "\n")  # Lambda's runtimes end the lines of a traceback so
    left_out = {*known, None}
    parts = [
        f"{name}={_plain(each)}"
        for name, each in value.items()
        if name not in _UNSHOWN and not (isinstance(each, str | None) and each in left_out)
    ]
    return " ".join([str(value.get("event") or ""), *parts]).strip()


def _plain(value: Any) -> str:
    return value if isinstance(value, str) and value and " " not in value else json.dumps(value, ensure_ascii=False)


def _error_of(text: str) -> str | None:
    value = _object(text)
    if value is None:
        printed = text.removeprefix("[ERROR]").strip().splitlines() if text.startswith("[ERROR]") else []
        return printed[0] if printed else None
    kind = next((value[name] for name in _ERROR_TYPES if value.get(name)), None)
    message = next((value[name] for name in _ERROR_MESSAGES if value.get(name)), None)
    return None if kind is None else f"{kind}: {message}" if message else str(kind)


def _is_of_the_platform(text: str) -> bool:
    return bool(_PLATFORM.match(text)) or "_aws" in (_object(text) or ())


def _of_another(text: str) -> bool:
    """Whether a structured line names an invocation: it is not this one, or it would have been found by that."""
    value = _object(text)
    return value is not None and bool(value.get("requestId") or value.get("request_id") or value.get("aws_request_id"))


def _object(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
