"""Rows of the traces that are asked for, out of the chunks of the recorder's files that may have them.

The tables of ``recorder.reader`` hold everything, which is too much for the emulator's own process.
"""

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from localstack.utils.xray.trace_header import TraceHeader

from dlqlab.contracts.recorded import ActorKind, Kind
from dlqlab.contracts.recording import CALLS, INVOCATIONS, MESSAGES, Column
from dlqlab.emulator.recorder.chunks import Row as Written
from dlqlab.emulator.recorder.rows import (
    CALL,
    CALL_FIELDS,
    ENDED,
    ENDED_FIELDS,
    MESSAGE,
    MESSAGE_FIELDS,
    STARTED,
    STARTED_FIELDS,
)
from dlqlab.emulator.xray.chunk_index import ChunkIndex
from dlqlab.lineage.parents import narrowed
from dlqlab.traces import ids
from dlqlab.traces.index import Index
from dlqlab.traces.model import Row, Rows, Span
from dlqlab.traces.spans import spans_of


def index_of(folder: Path) -> ChunkIndex:
    """Of the record in a folder."""
    return ChunkIndex(folder, root)


def spans(index: ChunkIndex, wanted: Collection[str]) -> dict[str, list[Span]]:
    """The spans of traces, by X-Ray's ids; of those that the recorder does not know there are none."""
    found = _found(index, frozenset(wanted))
    traces = Index(found.messages, found.invocations)
    return {root: _spans_of(ids.trace_id(root), found, traces) for root in wanted}


def _found(index: ChunkIndex, wanted: frozenset[str]) -> "_Rows":
    """All rows of the traces: what is found names more to look for, until it names nothing new."""
    names: set[object] = set(wanted)
    while True:
        found = _Rows(functools.partial(index.rows, names), wanted)
        if found.names <= names:
            return found
        names = names | found.names


def _spans_of(trace: str, rows: "_Rows", index: Index) -> list[Span]:
    messages = [row for row in rows.messages if index.trace_of_message(row) == trace]
    keys = {(row["queue"], row["message_id"]) for row in messages}
    invocations = [
        row
        for row in rows.invocations
        if _trace_of(index, row) == trace or any((row["source_arn"], each) in keys for each in row["message_ids"] or ())
    ]
    calls = [row for row in rows.calls if index.trace_of_call(row) == trace]
    return spans_of(trace, Rows(messages, invocations, calls), index)


def _trace_of(index: Index, row: Row) -> str | None:
    ran = index.invocation(row["cell"], row["request_id"], row["started_ts"])
    return ran.trace_id if ran else None


class _Rows:
    """All rows that have to do with some traces, in the order of their times: three passes over what may have them.

    ``names`` are by what these rows, and those that belong to them, are found.
    """

    def __init__(self, written: Callable[[], Iterator[Written]], wanted: frozenset[str]) -> None:
        self.names: set[object] = set()
        self.messages = self._messages(written(), wanted)
        given = {row["message_id"] for row in self.messages}
        self.invocations = self._invocations(written(), wanted, given)
        self._name_parents()
        ran = {row["request_id"] for row in self.invocations}
        asked = {row["client_request_id"] for row in self.invocations} | {row["request_id"] for row in self.messages}
        self.calls = self._calls(written(), ran, asked - {None})
        self.names |= given | ran | (asked - {None})

    @staticmethod
    def _messages(written: Iterator[Written], wanted: frozenset[str]) -> list[Row]:
        rows: list[tuple[Written, Row]] = []
        keys: set[tuple[object, object]] = set()
        about_messages = (row for row in written if row[0] == MESSAGE)
        for row in sorted(about_messages, key=itemgetter(1)):  # another thread may have written down its receive first
            made = _made(row, MESSAGE_FIELDS, MESSAGES)
            key = made["queue"], made["message_id"]
            comes_of = {(None, each) for each in made["parent_ids"] or ()} & keys
            if made["kind"] == Kind.SENT and (made["trace_id"] in wanted or (comes_of and made["trace_id"] is None)):
                keys |= {key, (None, made["message_id"])}
            if key in keys:
                rows.append((row, made))
        return _in_order(rows)

    def _invocations(self, written: Iterator[Written], wanted: frozenset[str], given: set[object]) -> list[Row]:
        began: dict[int, Written] = {}
        rows: list[tuple[Written, Row]] = []

        def keep(row: Written, ended: Written | None) -> None:
            values = dict(zip(ENDED_FIELDS, ended[1:], strict=True)) if ended else {}
            made = _made(row, STARTED_FIELDS, INVOCATIONS, values)
            if made["trace_id"] in wanted or given.intersection(made["message_ids"] or ()):
                rows.append((row, made))
                self.names.add(row[1])

        for row in written:
            if row[0] == STARTED:
                began[row[1]] = row
            elif row[0] == ENDED and row[1] in began:
                keep(began.pop(row[1]), row)
            elif row[0] == ENDED and root(row[-1]) in wanted:
                self.names.add(row[1])  # its start stands elsewhere
        for row in began.values():
            keep(row, None)
        return _in_order(rows)

    def _name_parents(self) -> None:
        """What the reader does for the tables, as far as trace headers tell: keys are in bodies, which are not read."""
        given = {row["request_id"]: row for row in self.invocations if row["message_ids"]}
        traces = {row["message_id"]: row["trace_id"] for row in self.messages if row["kind"] == Kind.SENT}
        self.messages = [
            {**row, "parent_ids": _parents(row, given[row["request_id"]], traces)}
            if row["parent_ids"] is None
            and row["kind"] == Kind.SENT
            and row["actor_kind"] in {ActorKind.INVOCATION, ActorKind.SERVICE}
            and row["request_id"] in given
            else row
            for row in self.messages
        ]

    @staticmethod
    def _calls(written: Iterator[Written], ran: set[object], asked: set[object]) -> list[Row]:
        kind, request_id = 1 + CALL_FIELDS.index("actor_kind"), 1 + CALL_FIELDS.index("request_id")
        return _in_order(
            [
                (row, _made(row, CALL_FIELDS, CALLS))
                for row in written
                if row[0] == CALL and row[request_id] in (asked if row[kind] == ActorKind.CLIENT else ran)
            ]
        )


def _parents(row: Row, invocation: Row, traces: Mapping[str, str | None]) -> Sequence[str]:
    return narrowed(
        invocation["message_ids"],
        trace_id=row["trace_id"],
        given_trace_id=invocation["trace_id"],
        key=None,
        trace_of=traces.get,
        key_of=lambda _message_id: None,
    )


def _made(
    row: Written, fields: Sequence[str], columns: Mapping[str, Column], more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    values = dict(zip(fields, row[1:], strict=True)) | dict(more or {})
    values["trace_id"] = root(values.get("trace_header"))
    return dict.fromkeys(columns) | values


def _in_order(rows: list[tuple[Written, Row]]) -> list[Row]:
    """As in the tables: by time, then as they were counted."""
    return [made for _, made in sorted(rows, key=lambda pair: (pair[0][2], pair[0][1]))]


def root(header: str | None) -> str | None:
    """The trace of a trace header."""
    found: str | None = TraceHeader.from_header_str(header).root if header else None
    return found
