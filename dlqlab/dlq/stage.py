"""The dead letters of a deployed stage: its archive, its tasks, its queue, and the log that a redrive leaves."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.contracts.names import log_group
from dlqlab.deploy.target import Target
from dlqlab.deploy.task_table import TaskTable
from dlqlab.dlq.letters import read_letters
from taskrules.events import Context
from taskrules.queues import QueueError
from taskrules.requeue import Requeuer
from taskrules.store import ArchivedMessage
from taskrules.telemetry import Telemetry

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

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


@dataclass(frozen=True)
class TaskQueue:
    """The task queue, sent to."""

    client: "SQSClient"
    name: str

    def send(self, body: str, *, trace_header: str | None = None) -> str:
        """Put a message on the queue; returns its id.

        Raises:
            QueueError: SQS did not answer or refused; the message may be out.
        """
        traced = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace_header}} if trace_header else {}
        try:
            answer = self.client.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageSystemAttributes=traced,  # type: ignore[arg-type]  # the stubs want the literal's own type
            )
        except (ClientError, BotoCoreError) as error:
            raise QueueError(f"{self.name} did not take the message: {error}") from error
        return answer["MessageId"]

    @cached_property
    def _url(self) -> str:
        return self.client.get_queue_url(QueueName=self.name)["QueueUrl"]


class StageDeadLetters:
    """Read and sent back; everything is looked up in the stage's topology."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.store = TaskTable(target.client("dynamodb"), target.topology.task_table.name)

    def letters(self) -> list[ArchivedMessage]:
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
                queue=TaskQueue(self.target.client("sqs"), work.queue.name),
                telemetry=Telemetry(context=context, clock=time.time, write=log.write),
                clock=time.time,
                token=token,
            )
        finally:
            log.flush()
