"""Messages that a FIFO queue took for duplicates of other tasks' messages: accepted, and never there.

Whoever sends a message with the deduplication id of another one within five minutes is told that it is accepted, and
gets the other one's id (SQS developer guide, "Exactly-once processing in Amazon SQS"). A function that is tried again
and sends the same once more is what that is for; another task whose message has the same id, or with content-based
deduplication the same body, loses it.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from dlqlab.analysis.flow import Flow, subjects_of
from dlqlab.analysis.recorded_rows import Row
from dlqlab.contracts.recorded import Kind


class Duplicates:
    """The sends of one run that queues dropped as duplicates."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        table = flow.recording.messages
        is_any = Kind.DEDUPLICATED in pc.unique(table["kind"]).to_pylist()  # else nothing is looked at
        entering = table.filter(pc.is_in(table["kind"], pa.array([Kind.SENT, Kind.DEDUPLICATED]))) if is_any else None
        rows = [] if entering is None else entering.to_pylist()
        self._rows: list[Row] = [row for row in rows if flow.is_own(row["queue"])]

    def parents(self) -> tuple[str, ...]:
        """The messages whose functions sent something that was dropped as a duplicate of another task's; where the
        record does not tell which of a batch it is, the invocation's request id.
        """
        senders = (self._senders[row["request_id"]] for row in self._of_other_tasks())
        return tuple(dict.fromkeys(name for sender in senders for name in subjects_of(sender)))

    def _of_other_tasks(self) -> Iterator[Row]:
        kept = {(row["queue"], row["message_id"]): row for row in self._rows if row["kind"] == Kind.SENT}
        for row in self._rows:
            original = kept.get((row["queue"], row["message_id"]))
            if row["kind"] == Kind.DEDUPLICATED and original and self._is_other(row, original):
                yield row

    def _is_other(self, row: Row, original: Row) -> bool:
        if row["request_id"] == original["request_id"]:  # one invocation sends two: the same only with the same body
            return bool(row["request_id"]) and row["body_sha256"] != original["body_sha256"]
        own, others = self._origin(row), self._origin(original)
        return bool(own and others) and own.isdisjoint(others)

    def _origin(self, row: Row) -> set[str]:
        """What its sender had: ids, tasks and bodies of the messages. A task that came twice has the same body."""
        sender = self._senders.get(row["request_id"] or "")
        ids = sender["message_ids"] if sender else ()
        return {one for message_id in ids for one in (message_id, *self._known_by.get(message_id, ()))}

    @cached_property
    def _senders(self) -> Mapping[str, Row]:
        """The invocations that were given messages."""
        return {row["request_id"]: row for row in self._flow.invocations}

    @cached_property
    def _known_by(self) -> Mapping[str, tuple[str, ...]]:
        """Task and body of each message."""
        return {
            row["message_id"]: tuple(filter(None, (row["task_key"], row["body_sha256"])))
            for row in self._rows
            if row["kind"] == Kind.SENT
        }
