"""Looking rows up in a recording: by message, invocation, trace, body or item. Columns first, so that one task among
fifty thousand is found without making a row of each.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dlqlab.contracts.recorded import ActorKind, Kind
from dlqlab.contracts.recording import Recording

type Row = Mapping[str, Any]

ENTERED = "entered"
"""The rows of table ``messages`` that tell of one that was sent."""


class Rows:
    """The rows of a recording; each look-up keeps the order of the table."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def messages(self, ids: Collection[str]) -> list[Row]:
        """All that happened to these messages, in every queue."""
        return self._where("messages", "message_id", ids)

    def sent(self, ids: Collection[str]) -> list[Row]:
        """How these messages entered their queues."""
        return self._where(ENTERED, "message_id", ids)

    def sent_by(self, request_ids: Collection[str]) -> list[Row]:
        """The messages that these invocations and requests of clients sent."""
        return self._where(ENTERED, "request_id", request_ids)

    def sent_in(self, trace_ids: Collection[str]) -> list[Row]:
        """The messages that carry one of these trace ids."""
        return self._where(ENTERED, "trace_id", trace_ids)

    def sent_as(self, body_hashes: Collection[str]) -> list[Row]:
        return self._where(ENTERED, "body_sha256", body_hashes)

    def sent_of(self, task_keys: Collection[str]) -> list[Row]:
        """The messages of these tasks."""
        return self._where(ENTERED, "task_key", task_keys)

    def children(self, ids: Collection[str]) -> list[Row]:
        """The messages that may come from these."""
        return self._where_any(ENTERED, "parent_ids", ids)

    def invocations(self, request_ids: Collection[str]) -> list[Row]:
        return self._where("invocations", "request_id", request_ids)

    def invocations_given(self, ids: Collection[str]) -> list[Row]:
        """The invocations that were given one of these messages."""
        return self._where_any("invocations", "message_ids", ids)

    def invocations_for(self, client_request_ids: Collection[str]) -> list[Row]:
        return self._where("invocations", "client_request_id", client_request_ids)

    def invocations_in(self, trace_ids: Collection[str]) -> list[Row]:
        return self._where("invocations", "trace_id", trace_ids)

    def calls(self, request_ids: Collection[str]) -> list[Row]:
        """The calls of these invocations, or with these request ids of clients."""
        return self._where("calls", "request_id", request_ids)

    def calls_about(self, text: str) -> list[Row]:
        """The calls whose item's key has the text in it."""
        return self._containing("calls", "item_key", text)

    def bodies(self, hashes: Collection[str]) -> list[Row]:
        return self._where("bodies", "body_sha256", hashes)

    def bodies_with(self, text: str) -> list[Row]:
        return self._containing("bodies", "body", text)

    def bodies_of(self, sent: Iterable[Row]) -> dict[str, str]:
        """The bodies of messages that were sent, by message id; without those that are not kept."""
        hashes = {row["message_id"]: row["body_sha256"] for row in sent if row["body_sha256"]}
        texts = {row["body_sha256"]: row["body"] for row in self.bodies(set(hashes.values()))}
        return {message_id: texts[found] for message_id, found in hashes.items() if found in texts}

    def next_start(self, invocation: Row) -> float | None:
        """When the next invocation of the same environment started; None where there is none."""
        return self._next_starts.get((invocation["environment"], invocation["started_ts"]))

    @cached_property
    def _next_starts(self) -> Mapping[tuple[str, float], float]:
        some = self.recording.invocations.select(["environment", "started_ts"])
        some = some.filter(pc.is_valid(some["environment"])).sort_by(
            [("environment", "ascending"), ("started_ts", "ascending")]
        )
        starts = list(zip(some["environment"].to_pylist(), some["started_ts"].to_pylist(), strict=True))
        return {one: following[1] for one, following in pairwise(starts) if one[0] == following[0]}

    def table(self, name: str) -> pa.Table:
        """A table of the recording, or the rows of what was sent (``ENTERED``)."""
        found: pa.Table = self._entered if name == ENTERED else getattr(self.recording, name)
        return found

    @cached_property
    def _entered(self) -> pa.Table:
        """The rows of what was sent: few beside all others."""
        table = self.recording.messages
        return table.filter(pc.equal(table["kind"], Kind.SENT.value))

    def _where(self, name: str, column: str, values: Collection[str]) -> list[Row]:
        """Rows that have one of the values."""
        return _where(self.table(name), column, values)

    def _where_any(self, name: str, column: str, values: Collection[str]) -> list[Row]:
        """Rows whose list has one of the values."""
        return _where_any(self.table(name), column, values)

    def _containing(self, name: str, column: str, text: str) -> list[Row]:
        """Rows whose value has the text in it."""
        return _containing(self.table(name), column, text)


def is_of_client(row: Row) -> bool:
    return bool(row["actor_kind"] == ActorKind.CLIENT)


def texts(values: Iterable[str | None]) -> Iterator[str]:
    """Those that are there."""
    return (value for value in values if value)


def _where(table: pa.Table, column: str, values: Collection[str]) -> list[Row]:
    if not values:
        return []
    found: list[Row] = table.filter(pc.is_in(table[column], pa.array(sorted(values), pa.string()))).to_pylist()
    return found


def _where_any(table: pa.Table, column: str, values: Collection[str]) -> list[Row]:
    """Rows whose list has one of the values."""
    if not values or not len(table):
        return []
    lists = table[column].combine_chunks()
    hits = pc.is_in(pc.list_flatten(lists), pa.array(sorted(values), pa.string()))
    at = pc.unique(pc.list_parent_indices(lists).filter(hits))
    found: list[Row] = table.take(at).to_pylist()
    return found


def _containing(table: pa.Table, column: str, text: str) -> list[Row]:
    found: list[Row] = table.filter(pc.match_substring(table[column], text)).to_pylist()
    return found
