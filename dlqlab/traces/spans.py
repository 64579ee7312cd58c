"""All spans of one trace, of the rows that belong to it."""

from collections.abc import Iterator, Sequence

from dlqlab.contracts.recorded import ActorKind, Kind
from dlqlab.traces import deliveries, invocations, requests, sends
from dlqlab.traces.deliveries import Delivery
from dlqlab.traces.index import Index, Sent
from dlqlab.traces.model import Place, Row, Rows, Span

type _Key = tuple[int | None, str, str]


def spans_of(trace: str, rows: Rows, index: Index) -> list[Span]:
    """The spans of a trace, by their starts.

    Args:
        rows: the messages and calls of the trace, and besides its own invocations those that were given its messages.
    """
    return sorted(_Trace(trace, rows, index).spans(), key=lambda span: (span.start_ts, -span.end_ts))


class _Trace:
    """What belongs together in one trace."""

    def __init__(self, trace: str, rows: Rows, index: Index) -> None:
        self._id, self._index, self._calls = trace, index, rows.calls
        self._own = [row for row in rows.invocations if invocations.place(index, row).trace_id == trace]
        self._messages: dict[_Key, list[Row]] = {}
        for row in rows.messages:
            self._messages.setdefault((row["cell"], row["queue"], row["message_id"]), []).append(row)
        self._given: dict[_Key, list[Row]] = {}
        for row in rows.invocations:
            for message_id in row["message_ids"] or ():
                self._given.setdefault((row["cell"], row["source_arn"], message_id), []).append(row)
        self._split = {
            key: deliveries.deliveries_of(found, self._given.get(key, ())) for key, found in self._messages.items()
        }

    def spans(self) -> Iterator[Span]:
        for row in self._calls:
            yield self._request(row) if requests.is_to_web(row) else self._call(row)
        for row in self._own:
            yield from invocations.spans(self._index, row, self._parent_of_invocation(row))
        for key, (before, delivered) in self._split.items():
            sent = self._index.message(*key)
            entry = [one for one in before if one["kind"] == Kind.SENT]
            if sent is not None and entry:
                yield self._send(sent, entry[0], before)
            for delivery in delivered:
                yield deliveries.span(self._index, self._id, delivery, sent and sent.place)

    def _request(self, row: Row) -> Span:
        caused = (one for one in self._own if one["client_request_id"] == row["request_id"])
        return requests.request_span(self._id, row, next(filter(None, map(invocations.route, caused)), None))

    def _call(self, row: Row) -> Span:
        ran = self._index.invocation(row["cell"], row["request_id"], row["ts"] + row["duration_s"])
        is_own = ran is not None and row["actor_kind"] == ActorKind.INVOCATION
        return requests.call_span(self._id, row, ran.place if ran and is_own else None)

    def _send(self, sent: Sent, row: Row, before: Sequence[Row]) -> Span:
        call = sends.call_of(row, self._calls)
        return sends.span(self._index, sent, row, call=call, parent=self._parent_of_send(row, call), before=before)

    def _parent_of_send(self, row: Row, call: Row | None) -> Place | None:
        """The call; else the delivery after which it was moved, redriven or sent anew; else who sent it."""
        if call is not None:
            return requests.request_place(self._id, call)
        for parent in self._index.parents(row):
            if parent.trace_id == self._id:
                delivery = self._last_delivery(parent, row["ts"])
                return delivery.place(self._id) if delivery else parent.place
        ran = self._index.invocation(row["cell"], row["request_id"], row["ts"])
        if ran is not None:
            return ran.place if ran.trace_id == self._id else None
        return self._place_of_request(row["cell"], row["request_id"])

    def _last_delivery(self, sent: Sent, ts: float) -> Delivery | None:
        _, delivered = self._split.get((sent.cell, sent.queue, sent.message_id), ([], []))
        return next((one for one in reversed(delivered) if one.received["ts"] <= ts), None)

    def _parent_of_invocation(self, row: Row) -> Place | None:
        """The delivery of its first message of this trace; else the request that led to it."""
        for message_id in row["message_ids"] or ():
            _, delivered = self._split.get((row["cell"], row["source_arn"], message_id), ([], []))
            for delivery in delivered:
                if any(one is row for one in delivery.invocations):
                    return delivery.place(self._id)
        return self._place_of_request(row["cell"], row["client_request_id"]) or self._place_of_invoke(row)

    def _place_of_request(self, cell: int | None, request_id: str | None) -> Place | None:
        if request_id is None:
            return None
        found = (
            call
            for call in self._calls
            if (call["cell"], call["request_id"], call["actor_kind"]) == (cell, request_id, ActorKind.CLIENT)
        )
        return next((requests.request_place(self._id, call) for call in found), None)

    def _place_of_invoke(self, row: Row) -> Place | None:
        """The last call of another function that asked for this one, where that is how it came about."""
        if row["source"] != "invocation":
            return None
        asked = [
            call
            for call in self._calls
            if call["service"] == "lambda"
            and call["ts"] <= row["started_ts"]
            and call["operation"] in {"Invoke", "InvokeAsync"}
            and str(call["resource"]).split(":function:")[-1].partition(":")[0] == row["function"]
        ]
        return requests.request_place(self._id, asked[-1]) if asked else None
