"""The task: its states, what is known about it, and what may happen to it next. Pure.

    QUEUED -> PROCESSING -> COMPLETED
                         -> RETRYING -> PROCESSING ... -> FAILED

COMPLETED and FAILED are terminal. The one way out is a redrive: FAILED -> QUEUED with a new generation, recorded in
the task. A task may also go from QUEUED straight to FAILED: its message was dead-lettered
before any attempt (throttled or crashed deliveries use up the queue's receive count).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
PAYLOAD_BYTES_MAX = 256 * 1024
"""DynamoDB takes 400 KB an item and SQS 1 MiB a message; escaped to ASCII a payload may grow threefold."""
PAYLOAD_DEPTH_MAX = 64
BODY_BYTES_MAX = 2 * 1024 * 1024
"""Of a submission: a payload within its limit, every character escaped by the client, and room for the rest."""
CLOCK_GRACE_S = 1.0
"""SQS counts whole seconds and has its own clock: a message that comes back at the end of a lease or a backoff may be
early by our clock. The message that holds the task is let through within this; any other is not."""

TIME_LEFT_MIN_S = 0.5
"""An attempt that cannot end before the function is ended must not begin, and the answer for the batch takes time too:
without it nothing of the batch is deleted."""
NEVER_ATTEMPTED, ATTEMPT_LOST = "NeverAttempted", "AttemptLost"
UNUSABLE_MESSAGE, MALFORMED_MESSAGE = "UnusableMessage", "MalformedMessage"
OUTLIVED_TASK = "MessageOutlivedTask"
NEVER_TEXT = "no delivery of the message led to an attempt: throttled, crashed or refused"
OUTLIVED_TEXT = "the task was completed before its message was deleted"


class Status(StrEnum):
    """Where a task stands."""

    QUEUED = "QUEUED"
    PROCESSING = "PROCESSING"
    RETRYING = "RETRYING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One attempt; without ``ended_ts`` it is running, or its process died."""

    generation: int
    attempt: int
    started_ts: float
    ended_ts: float | None = None
    outcome: str | None = None  # succeeded | failed
    error_type: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    """A way out of FAILED: the generation that it began, and the error that had ended the one before."""

    generation: int
    at_ts: float
    reason: str
    error_type: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as the table holds it. Times are seconds since the epoch."""

    task_id: str
    status: Status
    generation: int  # 1 at first, one more after each redrive
    attempts: int  # of this generation
    effects: int  # how often the task's effect happened: 0 or 1, or the pipeline is broken
    payload_json: str
    payload_digest: str
    created_ts: float
    updated_ts: float
    enqueued_ts: float | None = None
    pending_by: str | None = None  # request that still has to enqueue it
    lease_until_ts: float | None = None  # PROCESSING: the attempt cannot outlive this
    not_before_ts: float | None = None  # RETRYING: end of the backoff
    closed: bool = False  # RETRYING: no attempt follows, the message is on its way to the dead-letter queue
    claim: str | None = None  # token of the attempt that may end this task
    carrier: str | None = None  # message that made the latest claim
    last_error_type: str | None = None
    last_error_message: str | None = None
    history: tuple[AttemptRecord, ...] = ()
    redrives: tuple[Redrive, ...] = ()
    run_id: str | None = None
    trace_id: str | None = None


class Action(StrEnum):
    """What becomes of a message whose claim was refused."""

    BURY = "bury"  # to the dead-letter queue, with the reason
    ACKNOWLEDGE = "acknowledge"  # the queue may forget it
    GIVE_BACK = "give back"  # it stays on the queue, and comes again


class Refusal(StrEnum):
    """Why a delivery may not start an attempt, and with it what becomes of the message."""

    action: Action

    def __new__(cls, text: str, action: Action) -> Self:
        made = str.__new__(cls, text)
        made._value_ = text
        made.action = action
        return made

    UNKNOWN = "unknown task", Action.BURY
    LATER = "later generation", Action.BURY  # nobody but a stranger can have sent it
    STALE = "stale generation", Action.ACKNOWLEDGE  # a redrive has replaced it
    COMPLETED = "already completed", Action.ACKNOWLEDGE
    FAILED = "already failed", Action.ACKNOWLEDGE
    EXHAUSTED = "retries exhausted", Action.BURY
    PERMANENT = "permanent error", Action.BURY
    HELD = "claimed elsewhere", Action.GIVE_BACK  # until the lease ends
    EARLY = "backoff not over", Action.GIVE_BACK  # until the backoff ends
    DUPLICATE = "duplicate message", Action.ACKNOWLEDGE  # another message, which is in the queue, carries the task
    MOVED = "task moved on meanwhile", Action.GIVE_BACK  # what refused the claim holds no more

    @property
    def is_end(self) -> bool:
        """Whether the task itself has come to its end: its last error is the message's."""
        return self in (Refusal.EXHAUSTED, Refusal.PERMANENT)


class Skip(StrEnum):
    """Other reasons than a refused claim why a delivery led to no attempt, or a message to its dead letter."""

    NO_TIME = "no time left"
    CLAIM_LOST = "claim lost"
    BREAKER_OPEN = "breaker open"
    MALFORMED = "malformed message"
    RECEIVED_TOO_OFTEN = "received too often"
    ALREADY_DEAD_LETTERED = "already dead-lettered"


def refusal(task: Task | None, *, generation: int, message_id: str, now: float, attempts_max: int) -> Refusal:
    """Why the claim that this message made at ``now`` was refused, given the task as it stood.

    A second message of a live task is dropped, because the one that holds it stays in the queue until the task is
    terminal. "Live" means proven so: its lease or its backoff is running. Otherwise the claim would not have been
    refused, and the second message would have taken over.
    """
    if task is None:
        return Refusal.UNKNOWN
    if generation != task.generation:
        return Refusal.STALE if generation < task.generation else Refusal.LATER
    if task.status in TERMINAL:
        return Refusal.COMPLETED if task.status is Status.COMPLETED else Refusal.FAILED
    held = task.status is Status.PROCESSING and (task.lease_until_ts or 0) > now
    early = task.status is Status.RETRYING and (task.not_before_ts or 0) > now
    if held or early:
        if task.carrier != message_id:
            return Refusal.DUPLICATE
        return Refusal.HELD if held else Refusal.EARLY
    return end_reason(task, attempts_max) or Refusal.MOVED


def end_reason(task: Task, attempts_max: int) -> Refusal | None:
    """Why no attempt may follow, None if one may."""
    if task.attempts >= attempts_max:
        return Refusal.EXHAUSTED
    return Refusal.PERMANENT if task.closed else None


def last_error(task: Task) -> tuple[str, str]:
    """Type and message of what went wrong last.

    A latest attempt without an end outranks the error of an earlier one: its process died, so nobody recorded it.
    """
    latest = task.history[-1] if task.history else None
    if latest is not None and latest.ended_ts is None and latest.generation == task.generation:
        return ATTEMPT_LOST, lost_text(latest.attempt)
    if task.last_error_type is not None:
        return task.last_error_type, task.last_error_message or ""
    return NEVER_ATTEMPTED, NEVER_TEXT


def lost_text(attempt: int) -> str:
    """The last error of a task whose attempt never ended."""
    return f"attempt {attempt} started and never ended: the function timed out or crashed"
