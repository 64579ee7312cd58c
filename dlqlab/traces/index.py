"""Which trace messages, invocations and calls belong to.

A trace header decides where there is one. A message without one belongs to the trace of its parent, else of the
invocation that sent it, else to one of its own. An invocation of a mapping belongs to the trace of a message that it
was given; a call to that of the invocation that made it, or that it caused.
"""

from collections.abc import Iterable
from typing import NamedTuple

from dlqlab.contracts.recorded import ActorKind, Kind
from dlqlab.traces import ids
from dlqlab.traces.model import Place, Row

_HTTP = frozenset({"execute-api", "lambda-url"})


class Sent(NamedTuple):
    """A message that entered a queue."""

    ts: float
    cell: int | None
    queue: str
    message_id: str
    trace_id: str

    @property
    def place(self) -> Place:
        """Of the span of its sending."""
        return Place(self.trace_id, ids.span_id("send", self.cell, self.queue, self.message_id))


class Ran(NamedTuple):
    """An invocation."""

    started_ts: float
    cell: int | None
    request_id: str
    trace_id: str

    @property
    def place(self) -> Place:
        """Of its span; a request id may have several, one for each try."""
        return Place(self.trace_id, ids.span_id("invocation", self.cell, self.request_id, self.started_ts))


class Index:
    """Knows the trace of every row that it was made of, and where the spans of messages and invocations are."""

    def __init__(self, messages: Iterable[Row], invocations: Iterable[Row]) -> None:
        """Rows in the order of their times; of messages those that were sent, others are passed over."""
        self._sent: dict[tuple[int | None, str], list[Sent]] = {}
        self._ran: dict[tuple[int | None, str], list[Ran]] = {}
        self._caused: dict[tuple[int | None, str], str] = {}
        waiting = [row for row in messages if row["kind"] == Kind.SENT]
        started = list(invocations)
        at = 0
        for row in started:  # in step, since a message has its trace from an invocation, and the next from this message
            while at < len(waiting) and waiting[at]["ts"] <= row["started_ts"]:
                self._add_message(waiting[at])
                at += 1
            self._add_invocation(row)
        for row in waiting[at:]:
            self._add_message(row)

    def message(self, cell: int | None, queue: str, message_id: str) -> Sent | None:
        """The sending of a message to a queue."""
        return next((sent for sent in self._sent.get((cell, message_id), ()) if sent.queue == queue), None)

    def parents(self, row: Row) -> list[Sent]:
        """The messages that a sent one may come from, each as it was sent last before."""
        found = []
        for message_id in row["parent_ids"] or ():
            before = [
                sent
                for sent in self._sent.get((row["cell"], message_id), ())
                if sent.ts <= row["ts"] and (sent.queue, sent.message_id) != (row["queue"], row["message_id"])
            ]
            found += before[-1:]
        return found

    def invocation(self, cell: int | None, request_id: str | None, ts: float) -> Ran | None:
        """The one of that request id that ran at that time."""
        tries = self._ran.get((cell, request_id or ""), ())
        return next((ran for ran in reversed(tries) if ran.started_ts <= ts), None)

    def trace_of_message(self, row: Row) -> str | None:
        """Of any row about a message; None where its sending is not in the record."""
        sent = self.message(row["cell"], row["queue"], row["message_id"])
        return sent and sent.trace_id

    def trace_of_call(self, row: Row) -> str | None:
        """None for what neither an invocation did nor led to one or to a message."""
        if row["actor_kind"] == ActorKind.INVOCATION:
            ran = self.invocation(row["cell"], row["request_id"], row["ts"] + row["duration_s"])
            return ran and ran.trace_id
        if row["request_id"] is None or row["actor_kind"] != ActorKind.CLIENT:
            return None
        caused = self._caused.get((row["cell"], row["request_id"]))
        if caused is None and row["service"] in _HTTP:
            return ids.trace_id(row["trace_id"]) if row["trace_id"] else ids.made_trace_id("request", row["request_id"])
        return caused

    def _add_message(self, row: Row) -> None:
        sent = Sent(row["ts"], row["cell"], row["queue"], row["message_id"], self._trace_of_sent(row))
        self._sent.setdefault((sent.cell, sent.message_id), []).append(sent)
        if row["actor_kind"] != ActorKind.INVOCATION and row["request_id"]:
            self._caused.setdefault((sent.cell, row["request_id"]), sent.trace_id)

    def _trace_of_sent(self, row: Row) -> str:
        if row["trace_id"]:
            return ids.trace_id(row["trace_id"])
        if parents := self.parents(row):
            return parents[0].trace_id
        ran = self.invocation(row["cell"], row["request_id"], row["ts"])
        return ran.trace_id if ran else ids.made_trace_id("message", row["cell"], row["queue"], row["message_id"])

    def _add_invocation(self, row: Row) -> None:
        ran = Ran(row["started_ts"], row["cell"], row["request_id"], self._trace_of_invocation(row))
        self._ran.setdefault((ran.cell, ran.request_id), []).append(ran)
        if row["client_request_id"]:
            self._caused.setdefault((ran.cell, row["client_request_id"]), ran.trace_id)

    def _trace_of_invocation(self, row: Row) -> str:
        own = ids.trace_id(row["trace_id"]) if row["trace_id"] else None
        given = [self.message(row["cell"], row["source_arn"], each) for each in row["message_ids"] or ()]
        traces = [sent.trace_id for sent in given if sent]
        if own is not None and (own in traces or not traces):
            return own
        return traces[0] if traces else ids.made_trace_id("invocation", row["cell"], row["request_id"])
