"""Putting a task on the queue again: for a redrive out of FAILED, and for one whose message never got out.

The item first, then the message, then the mark that the message is out, as in submit: whoever dies in between leaves
an item that says who had to enqueue it, and the next one to come takes that over. A message that is sent twice is
harmless: the second one finds its task taken or done.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from taskrules.events import EventName
from taskrules.messages import TaskMessage
from taskrules.store import Outcome
from taskrules.tasks import Task
from taskrules.telemetry import Telemetry

REDRIVEN = "redrive"
NEVER_ENQUEUED = "never enqueued"
STRANDED = "stranded"


class Store(Protocol):
    """Of the task table what a requeue needs; see store.TaskStore."""

    def get(self, task_id: str) -> Task | None: ...
    def requeue(self, task: Task, *, reason: str, token: str, now: float) -> Outcome: ...
    def adopt(self, task_id: str, *, expected: str, token: str, now: float) -> bool: ...
    def mark_enqueued(self, task_id: str, *, token: str, now: float) -> None: ...


class Sender(Protocol):
    """Of the task queue what a requeue needs; see queues.Queue."""

    def send(self, body: str, *, trace_header: str | None = None) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeuer:
    """``token`` names who has to enqueue the tasks that this one takes over; unique per process or invocation."""

    store: Store
    queue: Sender
    telemetry: Telemetry
    clock: Callable[[], float]
    token: str

    def redrive(self, task: Task) -> bool:
        """A new generation of a FAILED task; False when the task is no longer FAILED in this generation.

        Raises:
            StoreError, QueueError: what was asked may have happened; the task may be pending.
        """
        outcome = self.store.requeue(task, reason=REDRIVEN, token=self.token, now=self.clock())
        if not outcome.done or outcome.task is None:
            return False
        self.enqueue(outcome.task, REDRIVEN)
        return True

    def enqueue_pending(self, task: Task) -> bool:
        """The message that somebody left to be sent; False when somebody else has taken that over, or it is out.

        Raises:
            StoreError, QueueError: as above.
        """
        if task.pending_by is None:
            return False
        if not self.store.adopt(task.task_id, expected=task.pending_by, token=self.token, now=self.clock()):
            return False
        self.enqueue(task, NEVER_ENQUEUED)
        return True

    def enqueue(self, task: Task, reason: str) -> None:
        """The message of a task that this one has to enqueue.

        Raises:
            StoreError, QueueError: as above.
        """
        body = TaskMessage(
            task_id=task.task_id,
            payload=json.loads(task.payload_json),
            generation=task.generation,
            run_id=task.run_id,
            trace_id=task.trace_id,
        ).to_body()
        message_id = self.queue.send(body, trace_header=f"Root={task.trace_id}" if task.trace_id else None)
        self.store.mark_enqueued(task.task_id, token=self.token, now=self.clock())
        about = {"task_id": task.task_id, "generation": task.generation, "message_id": message_id}
        log = self.telemetry.about(**about, run_id=task.run_id, trace_id=task.trace_id)
        log.emit(EventName.TASK_REQUEUED, reason=reason)
