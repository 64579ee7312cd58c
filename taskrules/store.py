"""The task table and the archive: what the handlers ask of them, in terms of tasks.

Every transition is one conditional write. What the condition refused comes back with the refusal, from the same
call, so that nobody has to read first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from taskrules.tasks import Task


class StoreError(RuntimeError):
    """The table did not answer, or refused for another reason than its condition; what was asked may have happened."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the write happened.

    ``task``: after a claim the task as claimed; after a refusal the task as it stood, None if there is none; else None.
    """

    done: bool
    task: Task | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task to be created: QUEUED, generation 1, still to be enqueued by ``pending_by``."""

    task_id: str
    payload_json: str
    payload_digest: str
    created_ts: float
    pending_by: str
    run_id: str
    trace_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An attempt that wants to start. ``token`` names it; only its holder may end the attempt."""

    task_id: str
    generation: int
    message_id: str
    token: str
    now: float
    lease_until_ts: float
    attempts_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How an attempt failed. ``closed``: no attempt follows it."""

    error_type: str
    error_message: str
    not_before_ts: float
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedMessage:
    """A dead letter as it is kept. ``body`` is redacted; a redrive is rebuilt from the task's own payload."""

    archive_id: str  # taskId#generation; the message's id where there is no task
    task_id: str | None
    generation: int | None
    message_id: str
    body: str
    redacted: bool
    truncated: bool
    error_type: str
    error_message: str
    reason: str
    attempts: int | None
    first_ts: float | None
    last_ts: float | None
    archived_ts: float
    expires_ts: int
    run_id: str


class TaskStore(Protocol):
    """The task table. Every method may raise StoreError."""

    def create(self, task: NewTask) -> Outcome:
        """A new task, unless there is one of this id."""

    def adopt(self, task_id: str, *, expected: str, token: str, now: float) -> bool:
        """Take over the enqueueing of a task that the request ``expected`` left pending."""

    def mark_enqueued(self, task_id: str, *, token: str, now: float) -> None:
        """The task's message is on the queue, put there by ``token``; nothing, if somebody else has to enqueue it."""

    def withdraw(self, task_id: str, *, token: str) -> Outcome:
        """Remove a task that could not be enqueued, unless anybody else has touched it."""

    def requeue(self, task: Task, *, reason: str, token: str, now: float) -> Outcome:
        """QUEUED in a new generation, still to be enqueued by ``token``: for a FAILED task of this generation only.

        Done: the task as it is now.
        """

    def get(self, task_id: str) -> Task | None:
        """The task as the last write left it."""

    def claim(self, claim: Claim) -> Outcome:
        """PROCESSING, one attempt more; refused unless the task waits for one (see tasks.refusal)."""

    def complete(self, task: Task, *, now: float) -> Outcome:
        """COMPLETED and the effect, for the holder of the claim only."""

    def fail(self, task: Task, failure: Failure, *, now: float) -> Outcome:
        """RETRYING with the error, for the holder of the claim only."""

    def close(self, task: Task, *, error_type: str, error_message: str, now: float) -> Outcome:
        """FAILED, unless the task is terminal, of another generation, or an attempt may still be running."""


class SweepStore(TaskStore, Protocol):
    """The task table as the sweeper needs it. Every method may raise StoreError."""

    def pending(self, *, before_ts: float, limit: int) -> list[str]:
        """Ids of tasks that somebody has had to enqueue since before then, at most so many."""

    def stranded(self, *, before_ts: float) -> Iterator[Task]:
        """Live tasks that nothing has happened to since then, although it should have."""

    def take_stranded(self, task: Task, *, token: str, now: float) -> bool:
        """Make ``token`` enqueue the task; False when anything has happened to it since it was read."""


class Archive(Protocol):
    """The archive of dead letters. May raise StoreError."""

    def put(self, message: ArchivedMessage) -> bool:
        """Keep it; False when it is kept already."""
