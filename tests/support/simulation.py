"""A small discrete simulation of the pipeline: the tables of a run without running one.

It follows the scenario's own fault plan and retry policy, so the oracle finds nothing to object to unless a defect is
planted. Messages are delivered one to an invocation.
"""

import heapq
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dlqlab.contracts.scenario import Scenario
from taskrules.faults import Fault
from tests.support.flight import REFUSED, Flight, body_of, claim_update, complete_update, fail_update

START_TS = 1_767_225_600.0
LOAD_STARTED_TS = START_TS + 10
WORKERS = 5
PROCESSOR, MONITOR, API = "dlqlab-local-processor", "dlqlab-local-monitor", "dlqlab-local"
JUNK_BODIES = ("not json", "{}", "[1, 2]", '{"payload": {}}', "42", '{"taskId": ""}')
ERROR = {"error_type": "SimulatedTransientError", "error_message": "simulated failure of the dependency"}
Rows = list[dict[str, Any]]


def task_id(number: int, seed: int = 1) -> str:
    return f"t-{seed}-{number:08d}"


@dataclass(slots=True)
class Task:
    """What the task table knows."""

    task_id: str
    payload: str
    created_ts: float
    status: str = "QUEUED"
    attempts: int = 0
    effects: int = 0
    busy_until: float = 0.0
    ended_ts: float = 0.0
    archived_ts: float | None = None
    archive_reason: str | None = None
    error: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Message:
    """One copy of a task in the queue; ``task`` is None for junk."""

    task: Task | None
    message_id: str
    body: str
    receive_count: int = 0


@dataclass(slots=True)
class Pipeline:
    """The simulation: a heap of messages by the time they become visible, and the rows written so far."""

    scenario: Scenario
    run_id: str
    rng: random.Random
    ledger: Rows = field(default_factory=list)
    events: Rows = field(default_factory=list)
    invocations: Rows = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    junk: Rows = field(default_factory=list)
    waits: list[tuple[str, str, float, float]] = field(default_factory=list)  # queue, state, from, to
    flight: Flight = field(default_factory=Flight)
    _heap: list[tuple[float, int, Message]] = field(default_factory=list)
    _free: list[tuple[float, int]] = field(default_factory=lambda: [(0.0, n) for n in range(WORKERS)])
    _serial: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))
    _request_ids: Iterator[str] = field(default_factory=lambda: (f"i-{number}" for number in range(10**9)))
    _running: dict[str, str] = field(default_factory=dict)  # request id by function

    def run(self, submit_seed: int) -> float:
        """Everything from the first request to the last dead letter; returns the time of the last request."""
        load = self.scenario.load
        rate = load.rate_per_s or 100.0
        count = min(load.tasks, round(load.duration_s * rate))
        for number in range(count):
            self._submit(task_id(number, submit_seed), LOAD_STARTED_TS + (number + self.rng.random()) / rate)
        for number in range(load.junk_messages):
            self._enqueue(None, f"junk-{number}", JUNK_BODIES[number % len(JUNK_BODIES)], LOAD_STARTED_TS + number)
        while self._heap:
            visible_ts, _, message = heapq.heappop(self._heap)
            self._deliver(message, visible_ts)
        return LOAD_STARTED_TS + count / rate

    def _submit(self, identifier: str, sent_ts: float) -> None:
        latency = self.rng.lognormvariate(-4.4, 0.35)
        accepted_ts = sent_ts + latency * 0.8
        payload = json.dumps({"customer": self.rng.randrange(10**6), "amount": self.rng.randrange(1, 500)})
        task = Task(identifier, payload, accepted_ts)
        self.tasks.append(task)
        self.ledger.append(
            {
                "task_id": identifier,
                "request_id": f"r-{identifier}",
                "payload": payload,
                "worker": "0",
                "sent_ts": sent_ts,
                "done_ts": sent_ts + latency,
                "outcome": "acknowledged",
                "status_code": 202,
                "latency_ms": latency * 1000,
            }
        )
        self._running[API] = f"q-{identifier}"
        self._event("task.accepted", API, accepted_ts, task, generation=1)
        copies = 2 if self.scenario.faults.is_duplicated(identifier) else 1
        for copy in range(copies):
            self._enqueue(task, f"m-{identifier}-{copy}", body_of(identifier, payload), accepted_ts)

    def _enqueue(self, task: Task | None, message_id: str, body: str, at: float) -> None:
        self.flight.sent(message_id, body, at, by=self._running[API] if task else None)
        self._show(Message(task, message_id, body), at)

    def _show(self, message: Message, at: float) -> None:
        heapq.heappush(self._heap, (at, next(self._serial), message))

    def _deliver(self, message: Message, visible_ts: float) -> None:
        free_ts, worker = heapq.heappop(self._free)
        start = max(free_ts, visible_ts) + self.rng.uniform(0.001, 0.006)
        self.waits.append(("tasks", "visible", visible_ts, start))
        message.receive_count += 1
        if message.receive_count > self.scenario.retry.max_attempts:
            self.flight.moved(message.message_id, start)
            self.flight.sent(message.message_id, message.body, start, by=None, dead=True)
            self._dead_letter(message, "retries exhausted", start)
            heapq.heappush(self._free, (free_ts, worker))
            return
        request_id = self._running[PROCESSOR] = next(self._request_ids)
        shown = len(self._heap)
        busy_s = self._work(message, start, worker)
        status = "timeout" if busy_s >= self.scenario.pipeline.function_timeout_s else "ok"
        self._invoked(PROCESSOR, worker, start, busy_s, status)
        is_dead = self._running.pop("died", None)
        outcome = status if status != "ok" or not is_dead else "crash"
        self.flight.invoked(PROCESSOR, request_id, start, start + busy_s, outcome, [message.message_id])
        if len(self._heap) == shown:  # it does not come again
            self.flight.deleted(message.message_id, start + busy_s, by=request_id)
        self.waits.append(("tasks", "in_flight", start, start + busy_s))
        heapq.heappush(self._free, (start + busy_s, worker))

    def _work(self, message: Message, start: float, worker: int) -> float:
        """Hand the message to a function; returns how long that took."""
        busy_s = self.rng.lognormvariate(-4.2, 0.3)
        task = message.task
        if task is None:
            self._bury(message, "malformed message", start + busy_s)
            return busy_s
        by = self._running[PROCESSOR]
        if task.status in ("COMPLETED", "FAILED"):
            self.flight.updated(task.task_id, claim_update(), start, by=by, **REFUSED)
            self._skip(message, task, "already " + task.status.lower(), start)
            return busy_s
        if task.busy_until > start:
            self._skip(message, task, "in progress elsewhere", start)
            self._show(message, task.busy_until)
            return busy_s
        if task.attempts >= self.scenario.retry.max_attempts:
            self._skip(message, task, "retries exhausted", start)
            self._bury(message, "retries exhausted", start)
            return busy_s
        task.attempts += 1
        self.flight.updated(task.task_id, claim_update(), start, by=by)
        task.status = "PROCESSING"
        decision = self.scenario.faults.decide(task.task_id, task.attempts)
        busy_s += decision.slow_s
        self._attempt("attempt.started", message, task, start, worker=worker, batch_size=1)
        return self._outcome(message, task, decision.fault, start, busy_s)

    def _outcome(self, message: Message, task: Task, fault: Fault, start: float, busy_s: float) -> float:
        end = start + busy_s
        match fault:
            case Fault.NONE:
                self._complete(task, end)
                self._attempt("attempt.succeeded", message, task, end, duration_s=busy_s)
            case Fault.TRANSIENT | Fault.PERMANENT:
                self._fail(message, task, end, permanent=fault is Fault.PERMANENT, busy_s=busy_s)
            case Fault.TIMEOUT:
                busy_s = float(self.scenario.pipeline.function_timeout_s)
                self._vanish(message, task, start, start + busy_s)
            case Fault.CRASH_BEFORE_EFFECT:
                self._vanish(message, task, start, end)
            case Fault.CRASH_AFTER_EFFECT:
                self._complete(task, end)
                self._vanish(message, task, start, end)
        task.busy_until = start + busy_s
        return busy_s

    def _complete(self, task: Task, at: float) -> None:
        task.status, task.effects, task.ended_ts = "COMPLETED", task.effects + 1, at
        self.flight.updated(task.task_id, complete_update(task.attempts), at, by=self._running[PROCESSOR])

    def _fail(self, message: Message, task: Task, at: float, *, permanent: bool, busy_s: float) -> None:
        policy = self.scenario.retry
        delay_s = 0 if permanent else policy.delay_s(task.task_id, task.attempts)
        task.error = ERROR | ({"error_type": "SimulatedPermanentError"} if permanent else {})
        task.status, task.ended_ts = "RETRYING", at
        closed = permanent or task.attempts >= policy.max_attempts
        update = fail_update(task.attempts, closed=closed)
        self.flight.updated(task.task_id, update, at, by=self._running[PROCESSOR])
        own: dict[str, Any] = {"permanent": permanent, "backoff_s": delay_s, "duration_s": busy_s, **task.error}
        self._attempt("attempt.failed", message, task, at, **own)
        if permanent:
            self._bury(message, "permanent error", at)
            return
        back_ts = at + delay_s + self.rng.uniform(0.02, 0.38)
        self.waits.append(("tasks", "in_flight", at, back_ts))
        self._show(message, back_ts)

    def _vanish(self, message: Message, task: Task, start: float, died_ts: float) -> None:
        """The function died: nobody changed the visibility, the queue's own timeout runs from the receive."""
        self._running["died"] = message.message_id
        task.ended_ts = died_ts
        back_ts = start + self.scenario.pipeline.visibility_timeout_s + self.rng.uniform(0.02, 0.38)
        self.waits.append(("tasks", "in_flight", died_ts, back_ts))
        self._show(message, back_ts)

    def _bury(self, message: Message, reason: str, at: float) -> None:
        """The processor sends it to the dead-letter queue."""
        self.flight.sent(message.message_id, message.body, at, by=self._running[PROCESSOR], dead=True)
        self._dead_letter(message, reason, at)

    def _dead_letter(self, message: Message, reason: str, at: float) -> None:
        request_id = self._running[MONITOR] = next(self._request_ids)
        seen_ts = at + self.rng.uniform(0.02, 0.4)
        done_ts = seen_ts + self.rng.uniform(0.01, 0.03)
        self.waits += [("dead-letters", "visible", at, seen_ts), ("dead-letters", "in_flight", seen_ts, done_ts)]
        self._invoked(MONITOR, 0, seen_ts, done_ts - seen_ts, "ok")
        self.flight.invoked(MONITOR, request_id, seen_ts, done_ts, "ok", [message.message_id])
        self.flight.deleted(message.message_id, done_ts, by=request_id, dead=True)
        message.receive_count += 1
        task = message.task
        if task is None:
            self._junk(message, reason, done_ts)
            return
        if task.archived_ts is not None:
            self._skip(message, task, "already archived", seen_ts, function=MONITOR)
            return
        self.flight.archived(f"{task.task_id}#1", done_ts, by=request_id)
        task.archive_reason = "already completed" if task.status == "COMPLETED" else reason
        task.archived_ts = done_ts
        task.error = task.error or {"error_type": "FunctionDied", "error_message": "no attempt reported its end"}
        task.status = "COMPLETED" if task.status == "COMPLETED" else "FAILED"
        own: dict[str, Any] = {
            "payload": task.payload,
            "attempts": task.attempts,
            "reason": task.archive_reason,
            "archived": True,
            "first_ts": task.created_ts,
            "last_ts": task.ended_ts,
            **task.error,
        }
        self._attempt("task.dead_lettered", message, task, done_ts, function=MONITOR, **own)

    def _junk(self, message: Message, reason: str, at: float) -> None:
        error: dict[str, Any] = {"error_type": "MalformedMessage", "error_message": "the body is not a task"}
        own: dict[str, Any] = {
            "payload": json.dumps(message.body),
            "attempts": 0,
            "reason": reason,
            "archived": True,
            **error,
        }
        self._event("task.dead_lettered", MONITOR, at, None, message_id=message.message_id, **own)
        self.junk.append(
            {
                "in_table": False,
                "archived": True,
                "archive_id": message.message_id,
                "archive_reason": reason,
                "archive_body": message.body,
                "archived_ts": at,
                "archive_expires_ts": at + 14 * 86_400,
            }
        )

    def _skip(self, message: Message, task: Task, reason: str, at: float, function: str = PROCESSOR) -> None:
        self._attempt("attempt.skipped", message, task, at, function=function, reason=reason)

    def _attempt(
        self,
        name: str,
        message: Message,
        task: Task,
        at: float,
        *,
        worker: int = 0,
        function: str = PROCESSOR,
        **own: Any,
    ) -> None:
        common: dict[str, Any] = {"attempt": task.attempts, "generation": 1, "message_id": message.message_id}
        self._event(name, function, at, task, worker=worker, receive_count=message.receive_count, **common, **own)

    def _event(self, name: str, function: str, at: float, task: Task | None, *, worker: int = 0, **fields: Any) -> None:
        number = len(self.events)
        self.events.append(
            {
                "event": name,
                "ts": round(at, 6),
                "run_id": self.run_id,
                "task_id": None if task is None else task.task_id,
                "function": function,
                "request_id": self._running[function],
                "cold_start": False,
                "stored_ts": round(at + self.rng.uniform(0.01, 0.2), 3),
                "log_stream": f"{function}/{worker}",
                "line_id": f"{number:012d}",
                **fields,
            }
        )

    def _invoked(self, function: str, worker: int, start: float, busy_s: float, status: str) -> None:
        number = len(self.invocations)
        self.invocations.append(
            {
                "function": function,
                "request_id": self._running[function],
                "log_stream": f"{function}/{worker}",
                "stored_ts": start + busy_s + 0.05,
                "duration_ms": busy_s * 1000,
                "init_duration_ms": 180.0 if number < WORKERS else None,
                "memory_mb": self.rng.uniform(38, 52),
                "status": status,
            }
        )
