"""The dead-letter monitor: archives each dead letter, then reports it, then closes its task.

In that order: a letter that cannot be archived stays on the dead-letter queue, and a function that dies in between
does it again from the start, which the archive's key and the task's state make harmless.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.batches import Delivery
from taskrules.events import EventName
from taskrules.messages import MessageError, TaskMessage, attribute_text, parse_body
from taskrules.queues import Queue, QueueError
from taskrules.redaction import redact, redact_body, redact_text, unescaped
from taskrules.settings import Settings
from taskrules.store import Archive, ArchivedMessage, TaskStore
from taskrules.tasks import (
    CLOCK_GRACE_S,
    OUTLIVED_TASK,
    OUTLIVED_TEXT,
    TERMINAL,
    UNUSABLE_MESSAGE,
    Refusal,
    Skip,
    Status,
    Task,
    end_reason,
    last_error,
)
from taskrules.telemetry import Telemetry

BODY_BYTES_MAX = 350_000
"""An item holds 400 KB; a stranger's message may have 1 MiB."""
SHOWN_CHARACTERS_MAX = 100_000
"""Of a body that is not a task: CloudWatch cuts a log event at 1 MiB, and a line that is cut is not JSON."""
SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter, its task if it has one, and why it is dead."""

    delivery: Delivery
    message: TaskMessage | None
    task: Task | None
    error_type: str
    error_message: str
    reason: str

    @property
    def archive_id(self) -> str:
        if self.task is not None:
            return f"{self.task.task_id}#{self.task.generation}"
        # The processor names the message that it buried: buried twice, it is still one letter.
        return self.delivery.attributes.get("sourceMessageId", self.delivery.message_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """Handles the dead letters of one invocation."""

    settings: Settings
    store: TaskStore
    archive: Archive
    dead_letters: Queue
    telemetry: Telemetry
    clock: Callable[[], float]

    def handle(self, delivery: Delivery) -> bool:
        """Deal with one dead letter; True when the queue may forget it."""
        log = self.telemetry.of(delivery)
        message, problem = _parsed(delivery.body)
        if message is not None:
            trace_id = message.trace_id or log.context.trace_id
            log = log.about(task_id=message.task_id, generation=message.generation, trace_id=trace_id)
        try:
            return self._deal(delivery, message, problem, log)
        except Exception as error:  # noqa: BLE001  (any failure is this letter's: it stays on the queue)
            text = redact_text(str(error))[:500]
            log.emit(EventName.ATTEMPT_SKIPPED, reason=f"{type(error).__name__}: {text}")
            return False

    def _deal(self, delivery: Delivery, message: TaskMessage | None, problem: str, log: Telemetry) -> bool:
        task = self.store.get(message.task_id) if message is not None else None
        if message is not None and task is not None:
            if message.generation < task.generation:
                return self._skip(log, Refusal.STALE)
            if message.generation > task.generation:
                task, problem = None, Refusal.LATER
            elif task.status is Status.FAILED:
                return self._skip(log, Skip.ALREADY_DEAD_LETTERED)
            elif _is_held(task, self.clock()):
                return self._wait_for_lease(delivery, task, log)
        letter = self._letter(delivery, message, task, problem)
        self.archive.put(self._archived(letter))
        self._report(letter, log)
        return task is None or task.status is Status.COMPLETED or self._close(letter, task, log)

    def _letter(self, delivery: Delivery, message: TaskMessage | None, task: Task | None, problem: str) -> Letter:
        said = delivery.attributes
        if task is None:
            reason = Skip.MALFORMED if message is None else problem or Refusal.UNKNOWN
            error_type, error_message = UNUSABLE_MESSAGE, problem or reason
        elif task.status is Status.COMPLETED:
            reason, error_type, error_message = Refusal.COMPLETED, OUTLIVED_TASK, OUTLIVED_TEXT
        else:
            ended = end_reason(task, self.settings.retry_policy.max_attempts)
            reason = said.get("reason") or ended or Skip.RECEIVED_TOO_OFTEN
            error_type, error_message = last_error(task)
        return Letter(
            delivery=delivery,
            message=message,
            task=task,
            error_type=attribute_text(redact_text(said.get("errorType", error_type))),
            error_message=attribute_text(redact_text(said.get("errorMessage", error_message))),
            reason=attribute_text(redact_text(reason)),
        )

    def _archived(self, letter: Letter) -> ArchivedMessage:
        body, redacted = redact_body(letter.delivery.body, self.settings.redact_fields)
        if len(body.encode()) > BODY_BYTES_MAX and letter.message:
            body = unescaped(body)  # the same JSON, and short enough for any task that the API takes
        kept = body.encode()[:BODY_BYTES_MAX].decode(errors="ignore")
        now, task = self.clock(), letter.task
        return ArchivedMessage(
            archive_id=letter.archive_id,
            task_id=letter.message.task_id if letter.message and task else None,
            generation=letter.message.generation if letter.message else None,
            message_id=letter.delivery.message_id,
            body=kept,
            redacted=redacted,
            truncated=len(kept) != len(body),
            error_type=letter.error_type,
            error_message=letter.error_message,
            reason=letter.reason,
            attempts=task.attempts if task else None,
            first_ts=task.created_ts if task else None,
            last_ts=task.updated_ts if task else None,
            archived_ts=now,
            expires_ts=int(now) + self.settings.archive_days * SECONDS_PER_DAY,
            run_id=self.settings.run_id,
        )

    def _report(self, letter: Letter, log: Telemetry) -> None:
        task = letter.task
        log.emit(
            EventName.TASK_DEAD_LETTERED,
            payload=self._shown_payload(letter),
            errorType=letter.error_type,
            errorMessage=letter.error_message,
            attempts=task.attempts if task else None,
            reason=letter.reason,
            firstTs=task.created_ts if task else None,
            lastTs=task.updated_ts if task else None,
            archived=True,
        )

    def _shown_payload(self, letter: Letter) -> Any:
        """The payload without secrets; of a message that is not a task, its body as text."""
        if letter.message is None:
            return redact_body(letter.delivery.body, self.settings.redact_fields)[0][:SHOWN_CHARACTERS_MAX]
        payload = letter.message.payload
        stored = letter.task.payload_json if letter.task else None
        # What a stranger wrote into a message for this task is in the archive; the task's payload is the table's.
        value = json.loads(stored) if stored is not None else payload
        return redact(value, self.settings.redact_fields)

    def _close(self, letter: Letter, task: Task, log: Telemetry) -> bool:
        outcome = self.store.close(
            task, error_type=letter.error_type, error_message=letter.error_message, now=self.clock()
        )
        if outcome.done:
            return True
        # Somebody took the task up meanwhile: if it ended, so does this letter, else it is looked at again.
        ended = outcome.task is None or outcome.task.status in TERMINAL
        log.emit(EventName.ATTEMPT_SKIPPED, reason="not closed: the task has moved on")
        return ended

    def _wait_for_lease(self, delivery: Delivery, task: Task, log: Telemetry) -> bool:
        self._skip(log, Refusal.HELD)
        left_s = (task.lease_until_ts or 0) - self.clock()
        try:
            self.dead_letters.hide(delivery.receipt_handle, max(1, math.ceil(left_s)))
        except QueueError as error:
            log.write(f"not hidden: {error}")
        return False

    @staticmethod
    def _skip(log: Telemetry, reason: str) -> bool:
        log.emit(EventName.ATTEMPT_SKIPPED, reason=reason)
        return True


def _is_held(task: Task, now: float) -> bool:
    return task.status is Status.PROCESSING and (task.lease_until_ts or 0) > now + CLOCK_GRACE_S


def _parsed(body: str) -> tuple[TaskMessage | None, str]:
    """The task of a body, or what is wrong with the body."""
    try:
        return parse_body(body), ""
    except MessageError as error:
        return None, str(error)
