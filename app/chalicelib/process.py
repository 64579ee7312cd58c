"""Working on tasks: what the processor does with each message of a batch.

A record is claimed right before the work on it, not the batch ahead: if the process dies, by a crash or a time-out,
only the record in work has burnt an attempt. The rest of the batch was received, though, and that counts towards the
queue's maxReceiveCount; it comes back when its visibility timeout ends.

A failed message stays on the queue, hidden for the backoff. After the last attempt it is not hidden, and SQS moves it
to the dead-letter queue on the next receive. What no retry can help is sent there at once, with the reason.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Never

from chalicelib.batches import Delivery
from chalicelib.breaker import Breaker
from chalicelib.work import DependencyError, PermanentFault, work
from taskrules.events import EventName
from taskrules.faults import Leaves
from taskrules.messages import MessageError, TaskMessage, parse_body
from taskrules.queues import Queue, QueueError
from taskrules.redaction import redact_text
from taskrules.settings import Settings
from taskrules.store import Claim, Failure, Outcome, TaskStore
from taskrules.tasks import (
    MALFORMED_MESSAGE,
    TIME_LEFT_MIN_S,
    UNUSABLE_MESSAGE,
    Action,
    Refusal,
    Skip,
    Status,
    Task,
    last_error,
    refusal,
)
from taskrules.telemetry import Telemetry

ERROR_CHARACTERS_MAX = 500
"""A history of many attempts must fit the item beside its payload (DynamoDB: 400 KB)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt under way."""

    delivery: Delivery
    message: TaskMessage
    task: Task
    log: Telemetry

    @property
    def started_ts(self) -> float:
        return self.task.history[-1].started_ts


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """Handles the messages of one invocation. ``deadline_ts`` is when Lambda ends it; ``crash`` ends the process."""

    settings: Settings
    store: TaskStore
    queue: Queue
    dead_letters: Queue
    telemetry: Telemetry
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    crash: Callable[[], Never]
    request_id: str
    batch_size: int
    deadline_ts: float
    breaker: Breaker | None = None

    def handle(self, delivery: Delivery) -> bool:
        """Work on one message; True when the queue may forget it.

        Whatever goes wrong stays with this message: the rest of the batch is worked on.
        """
        log = self.telemetry.of(delivery)
        try:
            message = parse_body(delivery.body)
        except MessageError as error:
            problem = str(error)
            return self._guarded(lambda: self._bury(delivery, log, Skip.MALFORMED, MALFORMED_MESSAGE, problem), log)
        log = log.about(
            task_id=message.task_id,
            generation=message.generation,
            trace_id=message.trace_id or log.context.trace_id,
        )
        return self._guarded(lambda: self._take(delivery, message, log), log)

    def _guarded(self, step: Callable[[], bool], log: Telemetry) -> bool:
        try:
            return step()
        except Exception as error:  # noqa: BLE001  (any failure is this message's: it stays, and comes again)
            log.emit(EventName.ATTEMPT_SKIPPED, reason=f"{type(error).__name__}: {_error_text(error)}")
            return False

    def _take(self, delivery: Delivery, message: TaskMessage, log: Telemetry) -> bool:
        now = self.clock()
        if self.deadline_ts - now < TIME_LEFT_MIN_S:
            # Not hidden anew: one call per remaining record would overrun the deadline.
            log.emit(EventName.ATTEMPT_SKIPPED, reason=Skip.NO_TIME)
            return False
        if self.breaker is not None and (wait_s := self.breaker.wait_s(message.task_id, log)) is not None:
            return self._put_off(delivery, log, wait_s)
        claim = Claim(
            task_id=message.task_id,
            generation=message.generation,
            message_id=delivery.message_id,
            token=f"{self.request_id}#{delivery.message_id}",
            now=now,
            # Lambda ends whoever holds the claim at the deadline, so nobody can hold it longer.
            lease_until_ts=min(self.deadline_ts, now + self.settings.function_timeout_s),
            attempts_max=self.settings.retry_policy.max_attempts,
        )
        outcome = self.store.claim(claim)
        if not outcome.done or outcome.task is None:
            return self._refused(delivery, claim, outcome.task, log)
        log = log.about(attempt=outcome.task.attempts)
        return self._attempt(Attempt(delivery=delivery, message=message, task=outcome.task, log=log))

    def _refused(self, delivery: Delivery, claim: Claim, task: Task | None, log: Telemetry) -> bool:
        # By the claim's clock, not by now: a lease that has run out since then is what the claim was refused for.
        why = refusal(
            task,
            generation=claim.generation,
            message_id=claim.message_id,
            now=claim.now,
            attempts_max=claim.attempts_max,
        )
        if why.action is Action.GIVE_BACK:
            until_ts = {Refusal.HELD: task and task.lease_until_ts, Refusal.EARLY: task and task.not_before_ts}.get(why)
            return self._give_back(delivery, log, why, seconds=max(1, math.ceil((until_ts or 0) - self.clock())))
        if why.action is Action.BURY:
            error = last_error(task) if task is not None and why.is_end else (UNUSABLE_MESSAGE, str(why))
            return self._bury(delivery, log, why, *error)
        log.emit(EventName.ATTEMPT_SKIPPED, reason=why)
        return True

    def _attempt(self, attempt: Attempt) -> bool:
        task, message = attempt.task, attempt.message
        attempt.log.emit(EventName.ATTEMPT_STARTED, at_ts=attempt.started_ts, batchSize=self.batch_size)
        decision = self.settings.fault_plan.decide(
            task.task_id,
            task.attempts,
            message=message.script,
            generation=task.generation,
            run_s=attempt.started_ts - self.settings.run_started_ts,
        )
        try:
            work(decision, timeout_s=self.settings.function_timeout_s, sleep=self.sleep, crash=self.crash)
            outcome = self.store.complete(task, now=self.clock())
        except Exception as error:  # noqa: BLE001  (an unknown error is a transient one)
            self._tell_breaker(attempt, is_failure=isinstance(error, DependencyError))
            return self._failed(attempt, error)
        self._tell_breaker(attempt, is_failure=False)
        if decision.fault.leaves is Leaves.EFFECT:
            self.crash()
        return self._ended(attempt, outcome)

    def _ended(self, attempt: Attempt, outcome: Outcome) -> bool:
        """After the effect; or without it, where somebody else has ended this attempt's claim."""
        task = outcome.task
        mine = task is not None and task.status is Status.COMPLETED and task.claim == attempt.task.claim
        if outcome.done or mine:
            attempt.log.emit(EventName.ATTEMPT_SUCCEEDED, durationS=self._duration_s(attempt))
            self._forget_last_delivery(attempt)
            return True
        attempt.log.emit(EventName.ATTEMPT_SKIPPED, reason=Skip.CLAIM_LOST)
        return task is not None and task.status is Status.COMPLETED

    def _forget_last_delivery(self, attempt: Attempt) -> None:
        """Delete a done message that the queue will not deliver again.

        Lambda deletes it only when the whole batch is over; if a batch mate ends the function before that, the queue
        would move a done task to the dead-letter queue. Earlier deliveries need no such care: the next one is skipped.
        """
        if self.batch_size == 1 or attempt.delivery.receive_count < self.settings.retry_policy.max_attempts:
            return
        try:
            self.queue.delete([attempt.delivery.receipt_handle])
        except QueueError as error:
            attempt.log.write(f"not deleted before the end of its batch: {error}")

    def _failed(self, attempt: Attempt, error: Exception) -> bool:
        permanent = isinstance(error, PermanentFault)
        task, policy, now = attempt.task, self.settings.retry_policy, self.clock()
        backoff_s = 0 if permanent else policy.delay_s(task.task_id, task.attempts, task.generation)
        failure = Failure(
            error_type=type(error).__name__,
            error_message=_error_text(error),
            not_before_ts=now + backoff_s,
            closed=permanent or policy.is_last(task.attempts),
        )
        outcome = self.store.fail(task, failure, now=now)
        if not outcome.done:
            return self._ended(attempt, outcome)
        if permanent:
            self._log_failed(attempt, failure, self.clock(), permanent=True, backoff_s=None)
            return self._bury(attempt.delivery, None, Refusal.PERMANENT, failure.error_type, failure.error_message)
        # Read before the call: SQS counts from the call, so no retry can be earlier than this plus the backoff.
        failed_ts = self.clock()
        hidden = self._hide(attempt.delivery, attempt.log, backoff_s)
        self._log_failed(attempt, failure, failed_ts, permanent=False, backoff_s=backoff_s if hidden else None)
        return False

    def _log_failed(
        self, attempt: Attempt, failure: Failure, failed_ts: float, *, permanent: bool, backoff_s: int | None
    ) -> None:
        attempt.log.emit(
            EventName.ATTEMPT_FAILED,
            at_ts=failed_ts,
            errorType=failure.error_type,
            errorMessage=failure.error_message,
            permanent=permanent,
            backoffS=backoff_s,
            durationS=round(failed_ts - attempt.started_ts, 6),
        )

    def _bury(
        self, delivery: Delivery, log: Telemetry | None, reason: str, error_type: str, error_message: str
    ) -> bool:
        """Send the message to the dead-letter queue with what is known about it, in the place of SQS."""
        self.dead_letters.send(
            delivery.body,
            {
                "reason": reason,
                "errorType": error_type,
                "errorMessage": error_message,
                "sourceMessageId": delivery.message_id,
            },
            trace_header=delivery.trace_header,
        )
        if log is not None:
            log.emit(EventName.ATTEMPT_SKIPPED, reason=reason)
        return True

    def _put_off(self, delivery: Delivery, log: Telemetry, wait_s: int) -> bool:
        """Come back to the message later, without an attempt and without a delivery that counts.

        As a new message: hiding this one would bring it nearer to maxReceiveCount each time, and with that a long
        outage would carry every waiting task to the dead-letter queue.
        """
        self.queue.send(delivery.body, delivery.attributes, delay_s=wait_s, trace_header=delivery.trace_header)
        log.emit(EventName.ATTEMPT_SKIPPED, reason=Skip.BREAKER_OPEN)
        return True

    def _tell_breaker(self, attempt: Attempt, *, is_failure: bool) -> None:
        if self.breaker is not None:
            self.breaker.record(attempt.log, is_failure=is_failure)

    def _give_back(self, delivery: Delivery, log: Telemetry, reason: str, *, seconds: int) -> bool:
        log.emit(EventName.ATTEMPT_SKIPPED, reason=reason)
        self._hide(delivery, log, seconds)
        return False

    def _hide(self, delivery: Delivery, log: Telemetry, seconds: int) -> bool:
        """Hide the message; if the queue does not, the message comes back after the queue's own visibility timeout."""
        try:
            self.queue.hide(delivery.receipt_handle, seconds)
        except QueueError as error:
            log.write(f"not hidden for {seconds} s: {error}")
            return False
        return True

    def _duration_s(self, attempt: Attempt) -> float:
        return round(self.clock() - attempt.started_ts, 6)


def _error_text(error: Exception) -> str:
    return redact_text(str(error))[:ERROR_CHARACTERS_MAX]
