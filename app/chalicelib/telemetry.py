"""Telemetry: the app's log events on standard output, one line and one write each."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chalicelib.events import Context, EventName, build_event, to_line
from chalicelib.metrics import Metrics

if TYPE_CHECKING:
    from chalicelib.batches import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Writes events about one subject; ``about`` narrows the subject."""

    context: Context
    clock: Callable[[], float]
    write: Callable[[str], None]
    metrics: Metrics | None = None

    def about(self, **fields: Any) -> "Telemetry":
        """The same writer for a narrower subject (fields of events.Context)."""
        return replace(self, context=replace(self.context, **fields))

    def of(self, delivery: "Delivery") -> "Telemetry":
        """The same writer for one message of a batch, whose messages may be of different traces."""
        return self.about(
            message_id=delivery.message_id,
            receive_count=delivery.receive_count,
            trace_id=trace_root(delivery.trace_header) or self.context.trace_id,
        )

    def emit(self, name: EventName, *, at_ts: float | None = None, **own: Any) -> None:
        """Write one event; ``at_ts`` is when it happened, if not now."""
        ts = self.clock() if at_ts is None else at_ts
        self.write(to_line(build_event(name, self.context, ts, **own)))
        if self.metrics is not None:
            self.metrics.note(name, ts, own)

    def flush_metrics(self) -> None:
        """Write what the invocation has counted; to be called once, at its end."""
        for line in self.metrics.lines(self.context, self.clock()) if self.metrics else ():
            self.write(line)


def write_line(line: str) -> None:
    """One line to standard output, complete when this returns: the process may die right after it."""
    if not line.isascii():
        # Half a surrogate pair is not a character; as an escape it is still JSON.
        line = line.encode("utf-8", "backslashreplace").decode()
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def trace_root(header: str | None) -> str | None:
    """The trace id of an X-Ray header such as ``Root=1-...;Parent=...;Sampled=1``."""
    for part in (header or "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "Root" and value:
            return value
    return None
