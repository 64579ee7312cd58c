"""The dead letters of a deployed stage: its archive, its tasks, its queue, and the log that a redrive leaves."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalicelib.dynamo import DynamoTaskStore
from chalicelib.events import Context
from chalicelib.queues import SqsQueue
from chalicelib.requeue import Requeuer
from chalicelib.telemetry import Telemetry

from dlqlab.contracts.names import log_group
from dlqlab.deploy.target import Target
from dlqlab.dlq.letters import Letter, read_letters

WRITER = "dlqlab dlq redrive"
LINES_MAX = 1000
"""Of one PutLogEvents; it takes 10,000 lines and 1 MiB (CloudWatch Logs API reference)."""


@dataclass
class EventLog:
    """Lines for a stream of their own in the monitor's log group: the log of dead letters is one place.

    The task itself records its redrive; this is its copy for whoever reads logs.
    """

    client: Any
    group: str
    stream: str
    lines: list[dict[str, Any]] = field(default_factory=list)

    def write(self, line: str) -> None:
        self.lines.append({"timestamp": int(time.time() * 1000), "message": line})
        if len(self.lines) >= LINES_MAX:
            self.flush()

    def flush(self) -> None:
        if self.lines:
            self.client.put_log_events(logGroupName=self.group, logStreamName=self.stream, logEvents=self.lines)
            self.lines = []


class Desk:
    """Everything is looked up in the stage's topology."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.store = DynamoTaskStore(target.client("dynamodb"), target.topology.task_table.name)

    def letters(self) -> list[Letter]:
        """What the archive holds, oldest first."""
        return read_letters(self.target.client("dynamodb"), self.target.topology.archive_table.name, now=time.time())

    @contextmanager
    def requeuer(self, token: str) -> Iterator[Requeuer]:
        """Sends tasks back; its events are in the log when the context ends, however it ends."""
        work = self.target.topology.work
        log = EventLog(self.target.client("logs"), log_group(work.dead_letter_consumer.name), token)
        log.client.create_log_stream(logGroupName=log.group, logStreamName=token)
        context = Context(function=WRITER, request_id=token, cold_start=False)
        try:
            yield Requeuer(
                store=self.store,
                queue=SqsQueue(self.target.client("sqs"), work.queue.name),
                telemetry=Telemetry(context=context, clock=time.time, write=log.write),
                clock=time.time,
                token=token,
            )
        finally:
            log.flush()
