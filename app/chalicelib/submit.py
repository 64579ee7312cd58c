"""Accepting a task: the item first, then the message, then the mark that the message is out.

The order makes each half-way death harmless. Died after the item: it says who has to enqueue it, and the client's
retry does. Died after the message: the task runs; a retry may enqueue it again, and the second message finds the task
taken or done. The message never exists without its item, so no function works on a task that nobody knows.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Never

from chalicelib.answers import UNAVAILABLE, Answer, FieldError, refused
from chalicelib.submissions import Submission, SubmissionError, parse_submission
from taskrules.events import EventName
from taskrules.messages import TaskMessage
from taskrules.queues import Queue, QueueError
from taskrules.redaction import MASK
from taskrules.settings import Settings
from taskrules.store import NewTask, StoreError, TaskStore
from taskrules.tasks import Status, Task
from taskrules.telemetry import Telemetry

ACCEPTED, REPLAYED, CONFLICT = 202, 200, 409
CREATE_TRIES = 3
"""Rounds in which a task may appear, vanish or change hands under a submission before the client is sent to retry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitter:
    """Takes one request. ``request_id`` is unique per invocation and names who has to enqueue a task.

    ``crash`` ends the process.
    """

    settings: Settings
    store: TaskStore
    queue: Queue
    telemetry: Telemetry
    clock: Callable[[], float]
    request_id: str
    crash: Callable[[], Never]

    def submit(self, body: bytes, content_type: str | None) -> Answer:
        """The answer to a POST: 202, 200 for a replay, 4xx with one entry per wrong field, 503 with Retry-After."""
        try:
            submission = parse_submission(body, content_type, _new_id)
        except SubmissionError as error:
            return self._reject(self.telemetry, error.status_code, error.errors)
        log = self.telemetry.about(task_id=submission.task_id, generation=1)
        try:
            return self._take(submission, log)
        except StoreError:
            return self._unavailable(log, "the task table does not answer")

    def _take(self, submission: Submission, log: Telemetry) -> Answer:
        digest = submission.digest
        for _ in range(CREATE_TRIES):
            outcome = self.store.create(self._new_task(submission, digest))
            task = outcome.task
            if outcome.done:
                if self.settings.fault_plan.is_api_crash(submission.task_id):
                    self.crash()
                return self._enqueue(submission, 1, log)
            if task is None:
                continue  # withdrawn between the refusal and the look
            if task.payload_digest != digest:
                problem = FieldError("taskId", submission.task_id, "is taken by a task with another payload")
                return self._reject(log, CONFLICT, [problem])
            if task.pending_by is None:
                return self._replay(task, log)
            # Ours after all (the SDK sent the write twice), or left behind by a function that died.
            if task.pending_by == self.request_id or self._adopt(task):
                return self._enqueue(submission, task.generation, log.about(generation=task.generation))
        return self._unavailable(log, "other requests with this taskId are being handled")

    def _new_task(self, submission: Submission, digest: str) -> NewTask:
        return NewTask(
            task_id=submission.task_id,
            payload_json=submission.payload_json,
            payload_digest=digest,
            created_ts=self.clock(),
            pending_by=self.request_id,
            run_id=self.settings.run_id,
            trace_id=self.telemetry.context.trace_id,
        )

    def _adopt(self, task: Task) -> bool:
        return self.store.adopt(task.task_id, expected=task.pending_by or "", token=self.request_id, now=self.clock())

    def _enqueue(self, submission: Submission, generation: int, log: Telemetry) -> Answer:
        body = TaskMessage(
            task_id=submission.task_id,
            payload=submission.payload,
            generation=generation,
            run_id=self.settings.run_id,
            trace_id=self.telemetry.context.trace_id,
        ).to_body()
        try:
            message_id = self.queue.send(body)
            if self.settings.fault_plan.is_duplicated(submission.task_id, generation):
                self.queue.send(body)
        except QueueError:
            return self._withdraw(submission, log)
        return self._accepted(submission, log.about(message_id=message_id))

    def _accepted(self, submission: Submission, log: Telemetry) -> Answer:
        try:
            self.store.mark_enqueued(submission.task_id, token=self.request_id, now=self.clock())
        except StoreError as error:
            # The message is out: the task is accepted. Its first attempt, or else a replay, sets what is missing.
            log.write(f"not marked as enqueued: {error}")
        log.emit(EventName.TASK_ACCEPTED)
        return Answer(status_code=ACCEPTED, body={"taskId": submission.task_id, "status": Status.QUEUED})

    def _withdraw(self, submission: Submission, log: Telemetry) -> Answer:
        """The queue refused, or its answer got lost: take the task back, unless it runs already."""
        outcome = self.store.withdraw(submission.task_id, token=self.request_id)
        if not outcome.done and outcome.task is not None and outcome.task.pending_by is None:
            return self._accepted(submission, log)
        return self._unavailable(log, "the queue does not take the task")

    def _replay(self, task: Task, log: Telemetry) -> Answer:
        log.emit(EventName.TASK_REPLAYED, status=task.status)
        return Answer(status_code=REPLAYED, body={"taskId": task.task_id, "status": task.status})

    def _unavailable(self, log: Telemetry, message: str) -> Answer:
        problem = FieldError("taskId", log.context.task_id, f"{message}: try again")
        return self._reject(log, UNAVAILABLE, [problem])

    def _reject(self, log: Telemetry, status_code: int, problems: list[FieldError]) -> Answer:
        errors = [problem.to_json() for problem in problems]
        shown = [
            error | {"value": MASK} if error["field"].lower() in self.settings.redact_fields else error
            for error in errors
        ]
        log.emit(EventName.TASK_REJECTED, statusCode=status_code, errors=shown)
        return refused(status_code, problems)


def _new_id() -> str:
    return str(uuid.uuid4())
