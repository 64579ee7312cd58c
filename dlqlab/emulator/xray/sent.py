"""Segments that functions and clients send, until newer ones need their room."""

import json
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

ROOM_BYTES = 64 * 1024 * 1024
DOCUMENT_MAX_BYTES = 64 * 1024
"""The size of a segment document ("AWS X-Ray segment documents")."""
_TRACE = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_ID = re.compile(r"[0-9a-f]{16}")


class RefusedError(Exception):
    """A document is none that X-Ray takes: its id where it has one, an error's code, and why."""

    def __init__(self, segment_id: str | None, code: str, message: str) -> None:
        super().__init__(message)
        self.segment_id, self.code, self.message = segment_id, code, message


@dataclass(frozen=True, slots=True)
class Sent:
    """A document, and the invocation that sent it, where one did."""

    document: dict[str, Any]
    request_id: str | None
    size: int


class Store:
    """Documents by trace, and in it by id: a later one of the same id takes the place of the earlier."""

    def __init__(self, room_bytes: int = ROOM_BYTES) -> None:
        self._room_bytes = room_bytes
        self._used = 0
        self._traces: OrderedDict[str, dict[str, Sent]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, text: str, request_id: str | None) -> None:
        """Take a document.

        Raises:
            RefusedError: it is none.
        """
        document = checked(text)
        new = Sent(document, request_id, len(text))
        with self._lock:
            trace = self._traces.setdefault(document["trace_id"], {})
            old = trace.get(document["id"])
            trace[document["id"]] = new
            self._used += new.size - (old.size if old else 0)
            while self._used > self._room_bytes and len(self._traces) > 1:
                _, gone = self._traces.popitem(last=False)
                self._used -= sum(one.size for one in gone.values())

    def of(self, trace: str) -> list[Sent]:
        with self._lock:
            return list(self._traces.get(trace, {}).values())

    def starts(self) -> dict[str, float]:
        """When each trace began, as far as it was sent."""
        with self._lock:
            return {
                trace: min(float(one.document["start_time"]) for one in found.values())
                for trace, found in self._traces.items()
            }


def checked(text: str) -> dict[str, Any]:
    """A segment document.

    Raises:
        RefusedError: it lacks a field that every one has, or one is not what it must be ("PutTraceSegments").
    """
    if len(text.encode("utf-8", "surrogatepass")) > DOCUMENT_MAX_BYTES:
        raise RefusedError(None, "SegmentTooLarge", f"Segment document is larger than {DOCUMENT_MAX_BYTES} bytes.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RefusedError(None, "ParseError", f"Invalid segment. ParseError: {error}") from error
    if not isinstance(found, dict):
        raise RefusedError(None, "ParseError", f"Invalid segment. It is a {type(found).__name__}, not an object.")
    segment_id = found["id"] if isinstance(found.get("id"), str) else None
    for name, is_good in (
        ("id", bool(segment_id and _ID.fullmatch(segment_id))),
        ("trace_id", isinstance(found.get("trace_id"), str) and bool(_TRACE.fullmatch(found["trace_id"]))),
        ("name", isinstance(found.get("name"), str) and bool(found["name"])),
        ("start_time", _is_time(found.get("start_time"))),
        ("end_time", _is_time(found.get("end_time")) or found.get("in_progress") is True),
    ):
        if not is_good:
            kind = "Invalid" if name in found else "Missing"
            raise RefusedError(segment_id, f"{kind}Parameter", f"{kind} parameter: {name}")
    return found


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
