"""A recording, trace by trace: all that is kept at once is where each row belongs, and the rows of a few traces."""

from collections import defaultdict
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from dlqlab.contracts.recorded import Kind
from dlqlab.contracts.recording import Recording
from dlqlab.traces.index import Index
from dlqlab.traces.model import Row, Rows, Span
from dlqlab.traces.spans import spans_of

TRACES_AT_ONCE = 200
_ROWS_AT_ONCE = 5_000
_OF_MESSAGE = ("ts", "queue", "message_id", "kind", "actor_kind", "request_id", "parent_ids", "trace_id", "cell")
_OF_INVOCATION = ("request_id", "source_arn", "started_ts", "message_ids", "client_request_id", "trace_id", "cell")
_OF_CALL = ("ts", "duration_s", "request_id", "actor_kind", "service", "trace_id", "cell")

type _Numbers = dict[str, list[int]]


def spans(recording: Recording) -> Iterator[list[Span]]:
    """The spans of the traces of a recording, some traces at a time, in the order in which these began."""
    sent = recording.messages.filter(pc.equal(recording.messages["kind"], Kind.SENT.value))
    index = Index(_rows(sent, _OF_MESSAGE), _rows(recording.invocations, _OF_INVOCATION))
    messages = _by_trace(index.trace_of_message(row) for row in _rows(recording.messages, _OF_MESSAGE))
    invocations = _invocations_by_trace(index, recording)
    calls = _by_trace(index.trace_of_call(row) for row in _rows(recording.calls, _OF_CALL))
    traces = list(dict.fromkeys((*calls, *invocations, *messages)))
    for at in range(0, len(traces), TRACES_AT_ONCE):
        some = traces[at : at + TRACES_AT_ONCE]
        taken = [
            _take(table, numbers, some)
            for table, numbers in (
                (recording.messages, messages),
                (recording.invocations, invocations),
                (recording.calls, calls),
            )
        ]
        yield [span for trace in some for span in spans_of(trace, Rows(*(rows[trace] for rows in taken)), index)]


def _invocations_by_trace(index: Index, recording: Recording) -> _Numbers:
    """An invocation of a batch belongs to the traces of all its messages: it is told of in each."""
    found: _Numbers = defaultdict(list)
    for number, row in enumerate(_rows(recording.invocations, _OF_INVOCATION)):
        ran = index.invocation(row["cell"], row["request_id"], row["started_ts"])
        given = [index.message(row["cell"], row["source_arn"], each) for each in row["message_ids"] or ()]
        for trace in {one.trace_id for one in (ran, *given) if one}:
            found[trace].append(number)
    return found


def _by_trace(traces: Iterator[str | None]) -> _Numbers:
    found: _Numbers = defaultdict(list)
    for number, trace in enumerate(traces):
        if trace is not None:
            found[trace].append(number)
    return found


def _rows(table: pa.Table, columns: tuple[str, ...]) -> Iterator[Row]:
    for batch in table.select(columns).to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield from batch.to_pylist()


def _take(table: pa.Table, numbers: _Numbers, traces: list[str]) -> dict[str, list[Row]]:
    """The rows of some traces, by trace."""
    wanted = {trace: numbers.get(trace, []) for trace in traces}
    taken = table.take(pa.array([number for found in wanted.values() for number in found], pa.int64()))
    rows = iter(taken.to_pylist())
    return {trace: [next(rows) for _ in found] for trace, found in wanted.items()}
