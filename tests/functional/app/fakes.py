"""In-memory task table, archive and queues that keep to the conditions of the real ones, on a clock of the test's."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.breaker import BreakerRecord, BreakerState

from taskrules.queues import QueueError
from taskrules.store import ArchivedMessage, Claim, Failure, NewTask, Outcome, StoreError
from taskrules.tasks import CLOCK_GRACE_S, TERMINAL, AttemptRecord, Redrive, Status, Task
from tests.events.factories import sqs_record


class Clock:
    """Time that passes only when told."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += seconds


class MemoryStore:
    """The task table. ``broken`` holds names of methods that shall raise; ``history`` every state of every task."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.broken: set[str] = set()
        self.history: list[Task] = []
        self.pending_since: dict[str, float] = {}

    def create(self, task: NewTask) -> Outcome:
        self._may_break("create")
        if task.task_id in self.tasks:
            return Outcome(done=False, task=self.tasks[task.task_id])
        self.pending_since[task.task_id] = task.created_ts
        self._put(
            Task(
                task_id=task.task_id,
                status=Status.QUEUED,
                generation=1,
                attempts=0,
                effects=0,
                payload_json=task.payload_json,
                payload_digest=task.payload_digest,
                created_ts=task.created_ts,
                updated_ts=task.created_ts,
                pending_by=task.pending_by,
                run_id=task.run_id,
                trace_id=task.trace_id,
            )
        )
        return Outcome(done=True, task=None)

    def adopt(self, task_id: str, *, expected: str, token: str, now: float) -> bool:
        self._may_break("adopt")
        task = self.tasks.get(task_id)
        if task is None or task.pending_by != expected:
            return False
        self.pending_since[task_id] = now
        self._put(replace(task, pending_by=token))
        return True

    def mark_enqueued(self, task_id: str, *, token: str, now: float) -> None:
        self._may_break("mark_enqueued")
        task = self.tasks.get(task_id)
        if task is not None and task.pending_by in {None, token}:
            self._put(replace(task, enqueued_ts=now, pending_by=None))

    def requeue(self, task: Task, *, reason: str, token: str, now: float) -> Outcome:
        self._may_break("requeue")
        current = self.tasks.get(task.task_id)
        if current is None or current.status is not Status.FAILED or current.generation != task.generation:
            return Outcome(done=False, task=current)
        redrive = Redrive(
            generation=task.generation + 1,
            at_ts=now,
            reason=reason,
            error_type=task.last_error_type,
            error_message=task.last_error_message,
        )
        queued = replace(
            current,
            status=Status.QUEUED,
            generation=redrive.generation,
            attempts=0,
            updated_ts=now,
            pending_by=token,
            redrives=(*current.redrives, redrive),
            closed=False,
            claim=None,
            carrier=None,
            lease_until_ts=None,
            not_before_ts=None,
            enqueued_ts=None,
            last_error_type=None,
            last_error_message=None,
        )
        self.pending_since[task.task_id] = now
        self._put(queued)
        return Outcome(done=True, task=queued)

    def pending(self, *, before_ts: float, limit: int) -> list[str]:
        self._may_break("pending")
        found = [task.task_id for task in self.tasks.values() if task.pending_by is not None]
        return [task_id for task_id in found if self.pending_since[task_id] < before_ts][:limit]

    def stranded(self, *, before_ts: float) -> Iterator[Task]:
        self._may_break("stranded")
        due = {Status.QUEUED: "updated_ts", Status.RETRYING: "not_before_ts", Status.PROCESSING: "lease_until_ts"}
        for task in list(self.tasks.values()):
            if task.status in due and task.pending_by is None and getattr(task, due[task.status]) < before_ts:
                yield task

    def take_stranded(self, task: Task, *, token: str, now: float) -> bool:
        self._may_break("take_stranded")
        current = self.tasks.get(task.task_id)
        if current is None or current.pending_by is not None:
            return False
        if (current.updated_ts, current.status) != (task.updated_ts, task.status):
            return False
        self.pending_since[task.task_id] = now
        self._put(replace(current, pending_by=token, updated_ts=now))
        return True

    def withdraw(self, task_id: str, *, token: str) -> Outcome:
        self._may_break("withdraw")
        task = self.tasks.get(task_id)
        if task is None or task.status is not Status.QUEUED or task.pending_by != token or task.redrives:
            return Outcome(done=False, task=task)
        del self.tasks[task_id]
        return Outcome(done=True, task=None)

    def get(self, task_id: str) -> Task | None:
        self._may_break("get")
        return self.tasks.get(task_id)

    def claim(self, claim: Claim) -> Outcome:
        self._may_break("claim")
        task = self.tasks.get(claim.task_id)
        if task is None or not _may_claim(task, claim):
            return Outcome(done=False, task=task)
        started = AttemptRecord(generation=task.generation, attempt=task.attempts + 1, started_ts=claim.now)
        claimed = replace(
            task,
            status=Status.PROCESSING,
            attempts=task.attempts + 1,
            claim=claim.token,
            carrier=claim.message_id,
            lease_until_ts=claim.lease_until_ts,
            not_before_ts=None,
            pending_by=None,
            updated_ts=claim.now,
            history=(*task.history, started),
        )
        self._put(claimed)
        return Outcome(done=True, task=claimed)

    def complete(self, task: Task, *, now: float) -> Outcome:
        self._may_break("complete")
        current = self.tasks.get(task.task_id)
        if current is None or current.status is not Status.PROCESSING or current.claim != task.claim:
            return Outcome(done=False, task=current)
        ended = replace(current.history[-1], ended_ts=now, outcome="succeeded")
        self._put(
            replace(
                current,
                status=Status.COMPLETED,
                effects=current.effects + 1,
                updated_ts=now,
                history=(*current.history[:-1], ended),
            )
        )
        return Outcome(done=True, task=None)

    def fail(self, task: Task, failure: Failure, *, now: float) -> Outcome:
        self._may_break("fail")
        current = self.tasks.get(task.task_id)
        if current is None or current.status is not Status.PROCESSING or current.claim != task.claim:
            return Outcome(done=False, task=current)
        ended = replace(
            current.history[-1],
            ended_ts=now,
            outcome="failed",
            error_type=failure.error_type,
            error_message=failure.error_message,
        )
        self._put(
            replace(
                current,
                status=Status.RETRYING,
                not_before_ts=failure.not_before_ts,
                closed=failure.closed,
                last_error_type=failure.error_type,
                last_error_message=failure.error_message,
                updated_ts=now,
                history=(*current.history[:-1], ended),
            )
        )
        return Outcome(done=True, task=None)

    def close(self, task: Task, *, error_type: str, error_message: str, now: float) -> Outcome:
        self._may_break("close")
        current = self.tasks.get(task.task_id)
        may = (
            current is not None
            and current.generation == task.generation
            and current.status not in TERMINAL
            and (current.status is not Status.PROCESSING or (current.lease_until_ts or 0) <= now + CLOCK_GRACE_S)
        )
        if current is None or not may:
            return Outcome(done=False, task=current)
        self._put(
            replace(
                current,
                status=Status.FAILED,
                last_error_type=error_type,
                last_error_message=error_message,
                updated_ts=now,
                pending_by=None,
            )
        )
        return Outcome(done=True, task=None)

    def _put(self, task: Task) -> None:
        self.tasks[task.task_id] = task
        self.history.append(task)

    def _may_break(self, method: str) -> None:
        if method in self.broken:
            raise StoreError(f"{method} is broken by the test")


def _may_claim(task: Task, claim: Claim) -> bool:
    by = claim.now + (CLOCK_GRACE_S if task.carrier == claim.message_id else 0)
    if task.generation != claim.generation or task.closed or task.attempts >= claim.attempts_max:
        return False
    if task.status is Status.RETRYING:
        return (task.not_before_ts or 0) <= by
    if task.status is Status.PROCESSING:
        return (task.lease_until_ts or 0) <= by
    return task.status is Status.QUEUED


class MemoryBreakerStore:
    """The breaker's record. ``moves`` holds every transition."""

    def __init__(self) -> None:
        self.record = BreakerRecord()
        self.moves: list[BreakerState] = []
        self.calls = 0
        self.is_broken = False

    def read(self) -> BreakerRecord:
        self._may_break()
        return self.record

    def count(self, *, window: int, is_failure: bool) -> BreakerRecord:
        self._may_break()
        if self.record.state is BreakerState.CLOSED and window >= self.record.window:
            is_same = window == self.record.window
            calls, failures = (self.record.calls, self.record.failures) if is_same else (0, 0)
            self.record = replace(self.record, window=window, calls=calls + 1, failures=failures + is_failure)
        return self.record

    def move(self, seen: BreakerRecord, to: BreakerState, *, now: float) -> bool:
        self._may_break()
        if (seen.state, seen.since_ts) != (self.record.state, self.record.since_ts):
            return False
        self.record = BreakerRecord(state=to, since_ts=now)
        self.moves.append(to)
        return True

    def _may_break(self) -> None:
        self.calls += 1
        if self.is_broken:
            raise StoreError("the breaker's table is broken by the test")


class MemoryArchive:
    """The archive."""

    def __init__(self) -> None:
        self.messages: dict[str, ArchivedMessage] = {}
        self.is_broken = False

    def put(self, message: ArchivedMessage) -> bool:
        if self.is_broken:
            raise StoreError("the archive is broken by the test")
        if message.archive_id in self.messages:
            return False
        self.messages[message.archive_id] = message
        return True


@dataclass(kw_only=True)
class Message:
    """A message on a queue."""

    message_id: str
    body: str
    attributes: Mapping[str, str]
    visible_ts: float
    trace_header: str | None = None
    receives: int = 0
    handle: str = ""


@dataclass(kw_only=True)
class MemoryQueue:
    """A queue with visibility timeouts and, given a dead-letter queue, SQS's redrive: on the receive after the last.

    Only the handle of the latest delivery is good: to delete the message, and to hide it as long as it is in flight.
    """

    clock: Callable[[], float]
    visibility_timeout_s: float = 60
    max_receives: int = 0
    dead_letters: "MemoryQueue | None" = None
    is_refusing: bool = False
    messages: list[Message] = field(default_factory=list)
    hidden_s: list[int] = field(default_factory=list)
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)

    def send(
        self,
        body: str,
        attributes: Mapping[str, str] | None = None,
        *,
        delay_s: int = 0,
        trace_header: str | None = None,
    ) -> str:
        self._may_refuse()
        message_id = f"m{id(self)}-{next(self._ids)}"
        self.messages.append(
            Message(
                message_id=message_id,
                body=body,
                attributes=attributes or {},
                visible_ts=self.clock() + delay_s,
                trace_header=trace_header,
            )
        )
        return message_id

    def hide(self, receipt_handle: str, seconds: int) -> None:
        self._may_refuse()
        self.hidden_s.append(seconds)
        in_flight = [one for one in self.messages if one.handle == receipt_handle and one.visible_ts > self.clock()]
        if not in_flight:
            raise QueueError("the message is not in flight by this handle")
        in_flight[0].visible_ts = self.clock() + seconds

    def depth(self) -> int:
        self._may_refuse()
        return len(self.messages)

    def delete(self, receipt_handles: Sequence[str]) -> None:
        self._may_refuse()
        self.messages = [message for message in self.messages if message.handle not in receipt_handles]

    def receive(self, count: int = 10) -> list[dict[str, Any]]:
        """Records of up to so many visible messages; one that was received too often moves on instead."""
        records: list[dict[str, Any]] = []
        for message in [message for message in self.messages if message.visible_ts <= self.clock()]:
            if self.dead_letters is not None and message.receives >= self.max_receives:
                self.messages.remove(message)
                self.dead_letters.messages.append(replace(message, receives=0, handle=""))
            elif len(records) < count:
                message.receives += 1
                message.handle = f"{message.message_id}:{next(self._ids)}"
                message.visible_ts = self.clock() + self.visibility_timeout_s
                records.append(
                    sqs_record(
                        message.body,
                        message_id=message.message_id,
                        receipt_handle=message.handle,
                        receive_count=message.receives,
                        attributes=message.attributes,
                        trace_header=message.trace_header,
                    )
                )
        return records

    def _may_refuse(self) -> None:
        if self.is_refusing:
            raise QueueError("the queue refuses by the test's wish")
