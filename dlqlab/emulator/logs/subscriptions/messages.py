"""Log events of a stream to the messages that CloudWatch Logs sends to the subscriber of a log group. Pure.

"Log group-level subscription filters" (Amazon CloudWatch Logs user guide): JSON, compressed with gzip, in base64 under
``awslogs.data``.
"""

import base64
import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dlqlab.emulator.logs.patterns import Pattern
from dlqlab.emulator.logs.patterns.columns import ColumnPattern

RAW_BYTES_MAX = 700_000
"""Of the events of one message: even what does not compress then stays below 1 MB, the most that Lambda takes of an
asynchronous invocation."""
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Event:
    """A log event; ``timestamp_ms`` is since the epoch."""

    id: str
    timestamp_ms: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Whose events they are and which filter let them through."""

    account_id: str
    group: str
    stream: str
    filter: str


@dataclass(slots=True)
class Message:
    """What one delivery carries: ``events`` in JSON."""

    events: list[str] = field(default_factory=list)
    size: int = 0

    def packed(self, source: Source) -> bytes:
        """The message as a stream gets it: JSON, compressed with gzip."""
        about = {
            "messageType": "DATA_MESSAGE",
            "owner": source.account_id,
            "logGroup": source.group,
            "logStream": source.stream,
            "subscriptionFilters": [source.filter],
        }
        text = f'{_ENCODE(about)[:-1]},"logEvents":[{",".join(self.events)}]}}'
        return gzip.compress(text.encode(), compresslevel=1)

    def payload(self, source: Source) -> bytes:
        """The event that a function gets, as JSON."""
        return _ENCODE({"awslogs": {"data": base64.b64encode(self.packed(source)).decode()}}).encode()


def messages(events: Iterable[Event], pattern: Pattern) -> Iterator[Message]:
    """The events that match, in as few messages as they fit into."""
    message = Message()
    for event in events:
        written = _written(event, pattern)
        if written is None:
            continue
        if message.events and message.size + len(written) > RAW_BYTES_MAX:
            yield message
            message = Message()
        message.events.append(written)
        message.size += len(written)
    if message.events:
        yield message


def _written(event: Event, pattern: Pattern) -> str | None:
    """The event in JSON, with the columns that a space-delimited pattern names; None where it does not match."""
    match = pattern.match(event.message)
    if match is None:
        return None
    document: dict[str, Any] = {"id": event.id, "timestamp": event.timestamp_ms, "message": event.message}
    if isinstance(pattern, ColumnPattern):
        document["extractedFields"] = {name[1:]: value for name, value in match.extracted().items()}
    return _ENCODE(document)
