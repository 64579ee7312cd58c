"""The whole pipeline in one process: the app's cores between in-memory tables and queues, Lambda's part played here."""

import json
from collections.abc import Mapping
from typing import Any, Never

from chalicelib.answers import Answer
from chalicelib.batches import BatchFailedError, deliveries, settle
from chalicelib.breaker import Breaker
from chalicelib.dead_letters import Monitor
from chalicelib.process import Processor
from chalicelib.submit import Submitter
from chalicelib.sweep import Sweeper

from taskrules.events import Context, parse_line
from taskrules.requeue import Requeuer
from taskrules.settings import Settings
from taskrules.tasks import Task
from taskrules.telemetry import Telemetry
from tests.functional.app.fakes import Clock, MemoryArchive, MemoryBreakerStore, MemoryQueue, MemoryStore

ENVIRONMENT = {
    "TASK_TABLE": "dlqlab-local-task-items",
    "ARCHIVE_TABLE": "dlqlab-local-archive",
    "TASK_QUEUE": "dlqlab-local-tasks",
    "DEAD_LETTER_QUEUE": "dlqlab-local-dead-letters",
    "RUN_ID": "run-1",
    "PARTIAL_BATCH_RESPONSES": "1",
    "CORS_ORIGIN": "*",
}
NO_FAULTS = {"mode": "none"}
ALWAYS = {"failure_rate": 1.0}


class ProcessDied(BaseException):  # no Exception on purpose: the app must not be able to catch its death
    """The function's process ended by a crash or at its deadline."""


class World:
    """One deployment. Time passes only by ``clock``; every method that invokes a function plays Lambda's part."""

    def __init__(
        self,
        *,
        faults: Mapping[str, Any] = NO_FAULTS,
        retry: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        visibility_timeout_s: float = 60,
    ) -> None:
        variables = {"FAULT_PLAN": json.dumps(faults), "RETRY_POLICY": json.dumps(retry or {}), **(env or {})}
        self.settings = Settings.from_env(ENVIRONMENT | variables)
        self.clock = Clock()
        self.store = MemoryStore()
        self.archive = MemoryArchive()
        self.dead_letters = MemoryQueue(clock=self.clock)
        self.tasks = MemoryQueue(
            clock=self.clock,
            visibility_timeout_s=visibility_timeout_s,
            max_receives=self.settings.retry_policy.max_attempts,
            dead_letters=self.dead_letters,
        )
        self.breaker_store = MemoryBreakerStore()
        self.breaker = self.new_breaker()
        self.lines: list[str] = []
        self._requests = 0
        self._deadline_ts = 0.0

    def submit(self, body: Mapping[str, Any] | bytes, content_type: str | None = "application/json") -> Answer:
        request_id = self._request_id()
        submitter = Submitter(
            settings=self.settings,
            store=self.store,
            queue=self.tasks,
            telemetry=self._telemetry("dlqlab-local", request_id),
            clock=self.clock,
            request_id=request_id,
            crash=_crash,
        )
        return submitter.submit(body if isinstance(body, bytes) else json.dumps(body).encode(), content_type)

    def submit_and_die(self, body: Mapping[str, Any]) -> None:
        """A submission in which the API's process dies by a planned crash."""
        try:
            answer = self.submit(body)
        except ProcessDied:
            return
        raise AssertionError(f"the API lived and answered {answer}")

    def requeuer(self, token: str) -> Requeuer:
        return Requeuer(
            store=self.store,
            queue=self.tasks,
            telemetry=self._telemetry("dlqlab-local-sweeper", token),
            clock=self.clock,
            token=token,
        )

    def sweep(self, *, time_left_s: float = 60) -> dict[str, int]:
        """One invocation of the sweeper."""
        sweeper = Sweeper(
            settings=self.settings,
            store=self.store,
            requeuer=self.requeuer(self._request_id()),
            depth=self.tasks.depth,
            clock=self.clock,
            deadline_ts=self.clock() + time_left_s,
        )
        return sweeper.sweep()

    def process(self, count: int = 10) -> dict[str, Any] | None:
        """One invocation of the processor with what the queue has; None if that is nothing or the process dies."""
        records = self.tasks.receive(count)
        return self.process_event({"Records": records}) if records else None

    def process_event(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        """One invocation with this event. Lambda deletes what its answer says."""
        batch = deliveries(event)
        processor = self.processor(len(batch))
        try:
            answer = settle(
                batch, processor.handle, self.tasks, partial_responses=self.settings.partial_batch_responses
            )
        except (ProcessDied, BatchFailedError):
            return None
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        self.tasks.delete([delivery.receipt_handle for delivery in batch if delivery.message_id not in failed])
        return answer

    def processor(self, batch_size: int = 1) -> Processor:
        request_id = self._request_id()
        self._deadline_ts = self.clock() + self.settings.function_timeout_s
        return Processor(
            settings=self.settings,
            store=self.store,
            queue=self.tasks,
            dead_letters=self.dead_letters,
            telemetry=self._telemetry("dlqlab-local-processor", request_id),
            clock=self.clock,
            sleep=self._sleep,
            crash=_crash,
            request_id=request_id,
            batch_size=batch_size,
            deadline_ts=self._deadline_ts,
            breaker=self.breaker,
        )

    def watch(self) -> dict[str, Any] | None:
        """One invocation of the monitor with what the dead-letter queue has; None if that is nothing."""
        records = self.dead_letters.receive()
        if not records:
            return None
        monitor = Monitor(
            settings=self.settings,
            store=self.store,
            archive=self.archive,
            dead_letters=self.dead_letters,
            telemetry=self._telemetry("dlqlab-local-monitor", self._request_id()),
            clock=self.clock,
        )
        batch = deliveries({"Records": records})
        try:
            answer = settle(
                batch, monitor.handle, self.dead_letters, partial_responses=self.settings.partial_batch_responses
            )
        except BatchFailedError:
            return None
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        self.dead_letters.delete([item.receipt_handle for item in batch if item.message_id not in failed])
        return answer

    def sweep_stranded(self) -> int:
        """Let time pass until the sweeper searches the whole table, and everything unfinished is overdue."""
        period_s = self.settings.stranded_after_s
        self.clock.now += 3 * period_s - self.clock.now % period_s
        return self.sweep()["stranded"]

    def new_breaker(self) -> Breaker | None:
        """The breaker as an execution environment has it that has seen nothing yet."""
        policy = self.settings.breaker_policy
        if policy is None:
            return None
        return Breaker(
            policy=policy,
            store=self.breaker_store,
            is_up=lambda: not self.settings.fault_plan.is_outage(self.clock() - self.settings.run_started_ts),
            clock=self.clock,
        )

    def drain(self, steps: int = 500, step_s: float = 1.0) -> None:
        """Let time pass and the functions run until both queues are empty."""
        for _ in range(steps):
            self.process()
            self.watch()
            if not self.tasks.messages and not self.dead_letters.messages:
                return
            self.clock.pass_s(step_s)
        raise AssertionError(f"not drained after {steps} steps: {self.tasks.messages} {self.dead_letters.messages}")

    def task(self, task_id: str) -> Task:
        return self.store.tasks[task_id]

    def events(self, *names: str) -> list[dict[str, Any]]:
        """The events in the log, all or those of these names."""
        events = [event for event in map(parse_line, self.lines) if event is not None]
        return [event for event in events if not names or event["event"] in names]

    def names(self) -> list[str]:
        return [event["event"] for event in self.events()]

    def names_of(self, kind: str) -> list[str]:
        """Names of the events that begin so."""
        return [name for name in self.names() if name.startswith(f"{kind}.")]

    def _telemetry(self, function: str, request_id: str) -> Telemetry:
        context = Context(run_id=self.settings.run_id, function=function, request_id=request_id, cold_start=False)
        return Telemetry(context=context, clock=self.clock, write=self.lines.append)

    def _request_id(self) -> str:
        self._requests += 1
        return f"request-{self._requests}"

    def _sleep(self, seconds: float) -> None:
        self.clock.pass_s(seconds)
        if self.clock() >= self._deadline_ts:
            self.clock.now = self._deadline_ts
            raise ProcessDied


def _crash() -> Never:
    raise ProcessDied
