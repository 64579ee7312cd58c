"""Every message of a record to its task: by key, else by the chain of messages that it belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dlqlab.contracts.recorded import ActorKind, Kind
from dlqlab.lineage.parents import narrowed

type _Publish = tuple[str | None, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What is asked of a row of ``messages``.

    ``parent_ids`` are all messages that it may come from, ``given_trace_id`` is of the invocation that sent it; ``key``
    and ``content`` are of its body, None where that is not kept.
    """

    kind: str
    message_id: str
    actor_kind: str = ActorKind.CLIENT
    actor: str | None = None
    request_id: str | None = None
    parent_ids: Sequence[str] | None = None
    trace_id: str | None = None
    given_trace_id: str | None = None
    key: str | None = None
    content: str | None = None


class Told(NamedTuple):
    """What follows for the columns ``parent_ids`` and ``task_key``."""

    parent_ids: Sequence[str] | None
    task_key: str | None


class Tasks:
    """Takes the rows of a record in their order, and tells the task of each.

    With a declared key, a task is what has the same key; a message whose body has none is of its parents' task where
    all that it may come from are of one. Without, a task is named by the id of its first message: what comes from it
    alone belongs to it, and so do the copies of one publish that a service (SNS) sent to several queues.
    A message that may come from several tasks has none: nothing is guessed.
    """

    def __init__(self, *, is_declared: bool) -> None:
        """Args:
        is_declared: the pipeline says where keys are found; otherwise chains name the tasks.
        """
        self._is_declared = is_declared
        self._tasks: dict[str, str | None] = {}
        """By message id. Without an entry: with a declared key none, else the message's own id."""
        self._traces: dict[str, str] = {}
        self._published: dict[_Publish, str] = {}

    def told(self, row: Happened) -> Told:
        """Of one row. What was sent is taken in by it."""
        if row.kind != Kind.SENT:
            return Told(row.parent_ids, self.task_of(row.message_id))
        parents = row.parent_ids
        if parents is not None and len(parents) > 1:
            parents = narrowed(
                parents,
                trace_id=row.trace_id,
                given_trace_id=row.given_trace_id,
                key=row.key,
                trace_of=self._traces.get,
                key_of=self._known_key,
            )
        task = self._task(row, parents or ())
        if task != self._default(row.message_id):
            self._tasks[row.message_id] = task
        if row.trace_id is not None:
            self._traces[row.message_id] = row.trace_id
        return Told(parents, task)

    def task_of(self, message_id: str) -> str | None:
        """The task of a message whose sending was told, or is not in the record."""
        return self._tasks.get(message_id, self._default(message_id))

    def _default(self, message_id: str) -> str | None:
        return None if self._is_declared else message_id

    def _known_key(self, message_id: str) -> str | None:
        return self._tasks.get(message_id) if self._is_declared else None

    def _task(self, row: Happened, parents: Sequence[str]) -> str | None:
        if self._is_declared and row.key is not None:
            return row.key
        if parents:
            found = {self.task_of(parent) for parent in parents}
            return found.pop() if len(found) == 1 else None
        if self._is_declared:
            return None
        if row.actor_kind == ActorKind.SERVICE and row.request_id and row.content:
            return self._published.setdefault((row.actor, row.request_id, row.content), row.message_id)
        return row.message_id


def tasks_of(rows: Sequence[Happened], *, is_declared: bool) -> Mapping[str, str | None]:
    """The task of each message that is in a record, by message id; None where the record cannot tell.

    Args:
        rows: of ``messages``, in their order.
        is_declared: as of ``Tasks``.
    """
    tasks = Tasks(is_declared=is_declared)
    return {row.message_id: tasks.told(row).task_key for row in rows}
