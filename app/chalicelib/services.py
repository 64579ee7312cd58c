"""What the handlers work with in one execution environment: clients, made at first use and kept.

One connection pool per service and process, because a new connection costs more than a call.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Never

from chalicelib import clients
from chalicelib.batches import Delivery, deliveries, settle
from chalicelib.breaker import Breaker
from chalicelib.dead_letters import Monitor
from chalicelib.dynamo import DynamoArchive, DynamoTaskStore
from chalicelib.dynamo_breaker import DynamoBreakerStore
from chalicelib.dynamo_sweep import DynamoSweepStore
from chalicelib.process import Processor
from chalicelib.queues import SqsQueue
from chalicelib.submit import Submitter
from chalicelib.sweep import Sweeper
from taskrules.events import Context
from taskrules.metrics import Metrics
from taskrules.queues import Queue
from taskrules.requeue import Requeuer
from taskrules.settings import Settings
from taskrules.store import Archive, TaskStore
from taskrules.telemetry import Telemetry, trace_root

if TYPE_CHECKING:  # the stubs are not part of the bundle
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

CRASH_EXIT_CODE = 1


class Services:
    """Built once per execution environment; builds the core of each handler for one invocation."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._is_cold = True

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return clients.dynamodb()

    @cached_property
    def sqs(self) -> "SQSClient":
        return clients.sqs()

    @cached_property
    def store(self) -> TaskStore:
        return DynamoTaskStore(self.dynamodb, self.settings.task_table)

    @cached_property
    def archive(self) -> Archive:
        return DynamoArchive(self.dynamodb, self.settings.archive_table)

    @cached_property
    def task_queue(self) -> Queue:
        return SqsQueue(self.sqs, self.settings.task_queue)

    @cached_property
    def dead_letters(self) -> Queue:
        return SqsQueue(self.sqs, self.settings.dead_letter_queue)

    @cached_property
    def breaker(self) -> Breaker | None:
        """The breaker around the dependency, None where it is switched off; remembers what it last saw."""
        policy, settings = self.settings.breaker_policy, self.settings
        if policy is None:
            return None
        return Breaker(
            policy=policy,
            store=DynamoBreakerStore(self.dynamodb, settings.breaker_table),
            is_up=lambda: not settings.fault_plan.is_outage(time.time() - settings.run_started_ts),
            clock=time.time,
        )

    def submitter(self, lambda_context: Any) -> Submitter:
        """The core of the API's POST."""
        return Submitter(
            settings=self.settings,
            store=self.store,
            queue=self.task_queue,
            telemetry=self.telemetry(lambda_context),
            clock=time.time,
            request_id=lambda_context.aws_request_id,
            crash=crash,
        )

    def process(self, event: dict[str, Any], lambda_context: Any) -> dict[str, Any]:
        """Work on a batch of the task queue; see batches.settle for the answer."""
        batch = deliveries(event)
        telemetry = self.telemetry(lambda_context)
        processor = Processor(
            settings=self.settings,
            store=self.store,
            queue=self.task_queue,
            dead_letters=self.dead_letters,
            telemetry=telemetry,
            clock=time.time,
            sleep=time.sleep,
            crash=crash,
            request_id=lambda_context.aws_request_id,
            batch_size=len(batch),
            deadline_ts=time.time() + lambda_context.get_remaining_time_in_millis() / 1000,
            breaker=self.breaker,
        )
        return self._settle(batch, processor.handle, self.task_queue, telemetry)

    def watch(self, event: dict[str, Any], lambda_context: Any) -> dict[str, Any]:
        """Deal with a batch of the dead-letter queue; see batches.settle for the answer."""
        batch = deliveries(event)
        telemetry = self.telemetry(lambda_context)
        monitor = Monitor(
            settings=self.settings,
            store=self.store,
            archive=self.archive,
            dead_letters=self.dead_letters,
            telemetry=telemetry,
            clock=time.time,
        )
        return self._settle(batch, monitor.handle, self.dead_letters, telemetry)

    def _settle(
        self, batch: list[Delivery], handle: Callable[[Delivery], bool], queue: Queue, telemetry: Telemetry
    ) -> dict[str, Any]:
        try:
            return settle(batch, handle, queue, partial_responses=self.settings.partial_batch_responses)
        finally:
            telemetry.flush_metrics()

    def sweep(self, lambda_context: Any) -> dict[str, int]:
        """Enqueue what has been forgotten; how many tasks of which kind."""
        telemetry = self.telemetry(lambda_context)
        store = DynamoSweepStore(self.dynamodb, self.settings.task_table)
        queue = SqsQueue(self.sqs, self.settings.task_queue)
        requeuer = Requeuer(
            store=store,
            queue=queue,
            telemetry=telemetry,
            clock=time.time,
            token=f"sweep-{lambda_context.aws_request_id}",
        )
        sweeper = Sweeper(
            settings=self.settings,
            store=store,
            requeuer=requeuer,
            depth=queue.depth,
            clock=time.time,
            deadline_ts=time.time() + lambda_context.get_remaining_time_in_millis() / 1000,
        )
        try:
            return sweeper.sweep()
        finally:
            telemetry.flush_metrics()

    def begin(self) -> bool:
        """Note that an invocation begins; True for the first one of this environment, its cold start."""
        cold, self._is_cold = self._is_cold, False
        return cold

    def telemetry(self, lambda_context: Any) -> Telemetry:
        """The writer of one invocation; to be asked for once in each."""
        context = Context(
            run_id=self.settings.run_id,
            function=lambda_context.function_name,
            request_id=lambda_context.aws_request_id,
            # Lambda's runtime sets this variable anew for each invocation.
            trace_id=trace_root(os.environ.get("_X_AMZN_TRACE_ID")),
            cold_start=self.begin(),
        )
        return Telemetry(context=context, clock=time.time, write=write_line, metrics=Metrics())


def write_line(line: str) -> None:
    """One line to standard output, complete when this returns: the process may die right after it."""
    if not line.isascii():
        # Half a surrogate pair is no character; as an escape it is still JSON.
        line = line.encode("utf-8", "backslashreplace").decode()
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def crash() -> Never:
    """End the process at once, as a segmentation fault would; what was logged is out."""
    sys.stdout.flush()
    os._exit(CRASH_EXIT_CODE)
