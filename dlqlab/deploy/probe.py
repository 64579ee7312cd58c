"""The task by which a deployment is proven: made, followed by its message's id, ended and removed, all by its own ids.

Nothing here receives, deletes or hides a message. The probe's message leaves its queue as any other does: its task is
FAILED before its time, so the pipeline acknowledges the message on its next delivery.
"""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any

from dlqlab.contracts.names import log_group, probe_prefix
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy.target import Target, TargetKind
from dlqlab.deploy.task_table import TaskTable
from dlqlab.deploy.web import open_url
from dlqlab.errors import DeployError
from taskrules.faults import MESSAGE_ALWAYS_FAILS
from taskrules.tasks import TERMINAL, Refusal, Skip, Task

PAYLOAD = MESSAGE_ALWAYS_FAILS
ENDED_TYPE = "DeploymentProof"
ENDED_TEXT = "the task of a deployment's proof: it has served"
_SIDE_DOOR = "/_aws/sqs/messages"
"""Where LocalStack lists a queue's messages without receiving them ("Developer endpoints" in its page on SQS)."""
_ACKNOWLEDGED = (Refusal.FAILED, Skip.ALREADY_DEAD_LETTERED)
"""What the processor and the monitor log of a message whose task has FAILED."""


def probe_id(run_id: str, scenario: Scenario) -> str:
    """An id for a probe that meets no fault but its own: neither the API's crash nor a second message."""
    plan = scenario.faults
    while True:
        task_id = probe_prefix(run_id) + uuid.uuid4().hex[:8]
        if plan.api_crash_rate == 1 or plan.duplicate_rate == 1:
            return task_id
        if not (plan.is_api_crash(task_id) or plan.is_duplicated(task_id)):
            return task_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One probe at one target. ``message_id`` is known once an attempt was made."""

    target: Target
    task_id: str
    created_ts: float = field(default_factory=time.time)

    @property
    def _store(self) -> TaskTable:
        return TaskTable(self.target.client("dynamodb"), self.target.topology.task_table.name)

    def task(self) -> Task | None:
        """The task as the table holds it."""
        return self._store.get(self.task_id)

    def is_queued(self, message_id: str) -> bool | None:
        """Whether a queue of the stage holds the message, hidden or not; None where nobody can look without receiving.

        One look may miss a message that changes from visible to hidden at that moment.
        """
        if self.target.kind is TargetKind.AWS:
            return None
        held = [self._message_ids(queue.name) for queue in self.target.topology.queues]
        if None in held:
            return None
        return any(ids is not None and message_id in ids for ids in held)

    def _message_ids(self, queue: str) -> set[str] | None:
        url = self.target.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
        query = urllib.parse.urlencode({"QueueUrl": url, "ShowInvisible": "true", "ShowDelayed": "true"})
        request = urllib.request.Request(  # noqa: S310  (the target's own URL)
            f"{self.target.endpoint}{_SIDE_DOOR}?{query}", headers={"Accept": "application/json"}
        )
        try:
            with open_url(request, timeout_s=30) as response:
                return listed(json.load(response))
        except (urllib.error.HTTPError, ValueError, KeyError, TypeError):
            return None  # another product than LocalStack: it has no such door
        except OSError as error:
            raise DeployError(f"{self.target.endpoint}: no answer: {error}") from error

    def end(self) -> bool:
        """Make the task FAILED, so that its message is acknowledged; False while an attempt is under way."""
        task = self.task()
        if task is None or task.status in TERMINAL:
            return True
        return self._store.close(task, error_type=ENDED_TYPE, error_message=ENDED_TEXT, now=time.time()).done

    def is_acknowledged(self) -> bool:
        """Whether the log says that the message came back and was acknowledged."""
        work = self.target.topology.work
        start_ms = int(self.created_ts * 1000)
        for function in (*work.consumers, *work.dead_letter_consumers):
            pages = self.target.client("logs").get_paginator("filter_log_events")
            found = pages.paginate(
                logGroupName=log_group(function.name), startTime=start_ms, filterPattern=f'"{self.task_id}"'
            )
            texts = (event["message"] for page in found for event in page["events"])
            if any(self.task_id in text and reason in text for text in texts for reason in _ACKNOWLEDGED):
                return True
        return False

    def remove(self) -> None:
        """Delete the task's item, and its dead letter's where one was archived before the task was ended."""
        dynamodb, topology = self.target.client("dynamodb"), self.target.topology
        for table, key in ((topology.task_table, self.task_id), (topology.archive_table, f"{self.task_id}#1")):
            dynamodb.delete_item(TableName=table.name, Key={table.key: {"S": key}})


def listed(answer: dict[str, Any]) -> set[str]:
    """The message ids in an answer of the side door."""
    result = answer["ReceiveMessageResponse"]["ReceiveMessageResult"]
    messages = (result or {}).get("Message") or []
    return {message["MessageId"] for message in ([messages] if isinstance(messages, dict) else messages)}
