"""A log line, and the fields that are found in it (AWS, "Supported logs and discovered fields").

Every line has ``@timestamp``, ``@message``, ``@logStream``, ``@log``, ``@ingestionTime`` and ``@ptr``. Fields of a
line that is a JSON object are found by their path, ``a.b.0``; of a Lambda function's lines also those of the first
JSON object within the line, and what START, END and REPORT lines say. A JSON field that begins with ``@`` gets one
more.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dlqlab.insights.times import Timestamp
from dlqlab.insights.values import FoundFloat, Number, Value

LAMBDA_GROUP = "/aws/lambda/"
_MB = 1_000_000
"""``@memorySize`` and ``@maxMemoryUsed`` are in bytes; Lambda's MB are counted so there."""
_FRAGMENTS_MAX = 8
"""Braces in a line of text that are tried as the start of a JSON object."""
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PLATFORM = re.compile(r"(?P<type>START|END|REPORT) RequestId: (?P<request_id>\S+)|INIT_START ", re.ASCII)
_REQUEST = re.compile(rf"(?:\[\w+\]\t)?\d{{4}}-\d\d-\d\dT[\d:.]+Z[\t ](?P<request_id>{_UUID})[\t ]", re.ASCII)
_REPORT_FIELD = re.compile(r"[\t\n](?P<name>[A-Z][A-Za-z -]*): (?P<value>[^\t\n]+)")
_REPORTED: Mapping[str, tuple[str, int]] = {
    "Duration": ("@duration", 1),
    "Billed Duration": ("@billedDuration", 1),
    "Init Duration": ("@initDuration", 1),
    "Memory Size": ("@memorySize", _MB),
    "Max Memory Used": ("@maxMemoryUsed", _MB),
}
_REPORTED_TEXT = {"XRAY TraceId": "@xrayTraceId", "SegmentId": "@xraySegmentId"}


class LogLine(NamedTuple):
    """One line of a log stream. Times are milliseconds since the epoch; ``place`` tells lines of a stream apart."""

    timestamp_ms: int
    message: str
    log: str
    """``account:log group``."""
    log_stream: str
    place: int = 0
    ingestion_ms: int | None = None


class Record:
    """A line on its way through a query, or a row that ``stats`` made, which has no line."""

    __slots__ = ("_found", "_json", "line", "made", "number")

    def __init__(self, line: LogLine | None, number: int) -> None:
        """Args:
        line: the line that it is; None for a row.
        number: of the lines, or the rows, before it.
        """
        self.line = line
        self.number = number
        self.made: dict[str, Value] = {}
        """What the query has added."""
        self._json: Any = self
        self._found: dict[str, Value] | None = None

    @property
    def json(self) -> Any:
        """The JSON object of the line, or None."""
        if self._json is self:
            assert self.line is not None
            self._json = json_of(self.line)
        return self._json

    @property
    def found(self) -> dict[str, Value]:
        """What Lambda's own lines say."""
        if self._found is None:
            assert self.line is not None
            self._found = lambda_fields(self.line.message) if _is_of_lambda(self.line) else {}
        return self._found


type Getter = Callable[[Record], Value]

_SYSTEM: Mapping[str, Getter] = {
    "@timestamp": lambda record: Timestamp(_line(record).timestamp_ms),
    "@message": lambda record: _line(record).message,
    "@log": lambda record: _line(record).log,
    "@logStream": lambda record: _line(record).log_stream,
    "@ingestionTime": lambda record: _ingestion(_line(record)),
    "@ptr": lambda record: pointer(_line(record)),
}


def getter(name: str) -> Getter:
    """The function that finds a field in a line; its value is None where the line has none of that name."""
    if name in _SYSTEM:
        return _SYSTEM[name]
    if name.startswith("@@"):
        name = name[1:]
    elif name.startswith("@"):
        return lambda record: record.found.get(name)
    parts = name.split(".")
    if len(parts) > 1:
        return lambda record: _scalar(resolve(record.json, parts))

    def get(record: Record) -> Value:
        found = record.json
        return None if found is None else _scalar(found.get(name))

    return get


def resolve(structure: Any, parts: list[str]) -> Any:
    """What lies at a path; None for nothing. A key may hold dots itself."""
    for count in range(1, len(parts) + 1):
        key = ".".join(parts[:count])
        if isinstance(structure, dict):
            below = structure.get(key)
        elif isinstance(structure, list) and count == 1 and key.isdecimal() and int(key) < len(structure):
            below = structure[int(key)]
        else:
            continue
        if below is None:
            continue
        found = below if count == len(parts) else resolve(below, parts[count:])
        if found is not None:
            return found
    return None


def json_of(line: LogLine) -> dict[str, Any] | None:
    """The JSON object that the line is; of a Lambda function's line also the first that is in it."""
    message = line.message.strip()
    if message.startswith("{"):
        try:
            found = _DECODER.decode(message)
        except (ValueError, RecursionError):
            pass  # perhaps with something behind it
        else:
            return found if isinstance(found, dict) else None
    return _fragment(message) if _is_of_lambda(line) else None


def lambda_fields(message: str) -> dict[str, Value]:
    """The ``@`` fields of a line of a Lambda function."""
    platform = _PLATFORM.match(message)
    if platform is None:
        request = _REQUEST.match(message)
        return {"@requestId": request["request_id"]} if request else {}
    if platform["type"] is None:
        return {"@type": "INIT_START"}
    fields: dict[str, Value] = {"@type": platform["type"], "@requestId": platform["request_id"]}
    if platform["type"] == "REPORT":
        for match in _REPORT_FIELD.finditer(message):
            fields |= _reported(match["name"], match["value"].strip())
    return fields


def pointer(line: LogLine) -> str:
    """An id of the line that holds as long as its log stream."""
    identity = f"{line.log}\n{line.log_stream}\n{line.place}".encode("utf-8", "replace")
    return base64.urlsafe_b64encode(identity).decode()


def _reported(name: str, value: str) -> dict[str, Value]:
    if name in _REPORTED_TEXT:
        return {_REPORTED_TEXT[name]: value}
    if name not in _REPORTED:
        return {}
    field, factor = _REPORTED[name]
    try:
        amount: Number = float(value.split(maxsplit=1)[0]) * factor
    except ValueError:
        return {}
    return {field: int(amount) if amount == int(amount) else FoundFloat(amount)}


def _fragment(message: str) -> dict[str, Any] | None:
    start = -1
    for _ in range(_FRAGMENTS_MAX):
        start = message.find("{", start + 1)
        if start < 0:
            return None
        try:
            found, _end = _DECODER.raw_decode(message, start)
        except (ValueError, RecursionError):
            continue
        return dict(found)
    return None


def _scalar(found: Any) -> Value:
    """Objects and lists are found by what is in them only."""
    return None if isinstance(found, dict | list) else found


def _line(record: Record) -> LogLine:
    assert record.line is not None
    return record.line


def _ingestion(line: LogLine) -> Timestamp | None:
    return None if line.ingestion_ms is None else Timestamp(line.ingestion_ms)


def _is_of_lambda(line: LogLine) -> bool:
    return line.log.partition(":")[2].startswith(LAMBDA_GROUP)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_float=FoundFloat, parse_constant=_no_number)
