"""Proof that the deployed pipeline keeps a failed message, by a message: what a mapping says of itself is no proof."""

import json
import os
import time
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dlqlab.contracts.access import api_headers
from dlqlab.contracts.names import probe_prefix
from dlqlab.deploy.target import Kind, Target
from dlqlab.errors import DeployError
from dlqlab.waiting import DeadlinePassedError, wait_for

PROBE_DEADLINE_S = 30.0
PURGE_DEADLINE_S = 90.0
"""SQS takes one PurgeQueue of a queue in 60 s (PurgeQueue in the SQS API reference); LocalStack has no such limit."""
PURGE_SETTLES_S = 60.0
"""A purge takes up to 60 s on AWS and may delete what is sent meanwhile; nothing tells its end (ibidem)."""
AGAIN_DEADLINE_S = 180.0
"""For a second attempt on AWS: backoff or visibility timeout, and a cold start."""
_DELETED = (
    "a failed task was deleted from the queue: the event source mapping does not honour ReportBatchItemFailures; "
    "deploy again with dlqlab deploy"
)
_SETTLED_S = 0.3
"""Lambda deletes what a batch handled right after the function returned; this is long after that."""

EMPTY_LOOKS = 2
"""The counts are approximate: a message that is just being received is in none of them for a moment."""


def call_api(url: str, path: str, body: Any = None, *, timeout_s: float = 10.0) -> tuple[int, Any]:
    """One request to the API: status and JSON.

    Raises:
        DeployError: no answer, or one that is not JSON.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, headers=api_headers(os.environ))  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:  # noqa: S310  (the target's own URL)
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, _json_of(error)
    except (OSError, ValueError) as error:
        raise DeployError(f"{url}{path}: no usable answer: {error}") from error


def _json_of(error: urllib.error.HTTPError) -> Any:
    try:
        return json.load(error)
    except ValueError:
        return None


def invoke_empty(functions: Any, function: str) -> None:
    """A batch without records: loads the code and does nothing.

    Raises:
        DeployError: the function fails.
    """
    answer = functions.invoke(FunctionName=function, Payload=json.dumps({"Records": []}))
    if "FunctionError" in answer:
        raise DeployError(f"{function} fails on an empty batch: {answer['Payload'].read().decode()}")


def prove_failed_task_is_kept(target: Target, url: str, run_id: str) -> None:
    """Submit a task that fails, and see its message still on the queue after the invocation has ended.

    The task's id tells that it is none of the run's own (see ``probe_prefix``). Leaves both queues empty and no task
    behind.

    Raises:
        DeployError: the message was deleted, or the pipeline did not work on it.
    """
    task_id = probe_prefix(run_id) + uuid.uuid4().hex[:8]
    with ThreadPoolExecutor(1) as pool:
        # The processor's first execution environment starts beside the API's instead of after it.
        started = pool.submit(invoke_empty, target.client("lambda"), target.names.processor_function)
        status, answer = call_api(url, "/tasks", {"taskId": task_id, "payload": "ERROR"})
        started.result()
    if status != 202:  # noqa: PLR2004
        raise DeployError(f"the API answered {status} to a probe task: {answer}")
    try:
        wait_for("the failure of a probe task", lambda: _has_failed(url, task_id), deadline_s=PROBE_DEADLINE_S)
        if target.kind is Kind.AWS:
            _watch_message_return(url, task_id)
        else:
            _watch_message_stay(target)
    except DeadlinePassedError as error:
        raise DeployError(str(error)) from error
    finally:
        purge(target)
        target.client("dynamodb").delete_item(TableName=target.names.task_table, Key={"taskId": {"S": task_id}})


def purge(target: Target) -> None:
    """Empty both queues, after a while where they were emptied a moment ago.

    Raises:
        DeployError: SQS refuses for too long.
    """
    sqs = target.client("sqs")
    for name in target.names.queues.values():
        _purge(sqs, name)
    if target.kind is Kind.AWS:
        purged = time.monotonic()
        over = lambda: (time.monotonic() - purged >= PURGE_SETTLES_S, "")  # noqa: E731
        wait_for("the end of a purge", over, deadline_s=2 * PURGE_SETTLES_S, interval_s=1.0)


def _purge(sqs: Any, name: str) -> None:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def probe() -> tuple[bool, str]:
        try:
            sqs.purge_queue(QueueUrl=url)
        except sqs.exceptions.PurgeQueueInProgress as error:
            return False, str(error)
        return True, "purged"

    try:
        wait_for(f"a purge of {name}", probe, deadline_s=PURGE_DEADLINE_S, interval_s=2.0)
    except DeadlinePassedError as error:
        raise DeployError(str(error)) from error


def _has_failed(url: str, task_id: str) -> tuple[bool, Any]:
    _, task = call_api(url, f"/tasks/{task_id}")
    return isinstance(task, dict) and task.get("status") == "RETRYING", task


def _watch_message_return(url: str, task_id: str) -> None:
    """On AWS, whose counts may be a minute behind: the task is attempted again, or ends as failed."""

    def probe() -> tuple[bool, Any]:
        _, task = call_api(url, f"/tasks/{task_id}")
        return isinstance(task, dict) and (task["attemptCount"] > 1 or task["status"] == "FAILED"), task

    try:
        wait_for("another attempt", probe, deadline_s=AGAIN_DEADLINE_S, interval_s=1.0)
    except DeadlinePassedError as error:
        raise DeployError(_DELETED) from error


def _watch_message_stay(target: Target) -> None:
    """The message must be there throughout, not only at the first look."""
    sqs = target.client("sqs")
    url = sqs.get_queue_url(QueueName=target.names.task_queue)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    began = time.monotonic()
    empty_looks = 0

    def probe() -> tuple[bool, int]:
        nonlocal empty_looks
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        left = sum(int(value) for value in counts.values())
        empty_looks = 0 if left else empty_looks + 1
        if empty_looks >= EMPTY_LOOKS:
            raise DeployError(_DELETED)
        return time.monotonic() - began >= _SETTLED_S and left > 0, left

    wait_for("a probe message to stay", probe, deadline_s=PROBE_DEADLINE_S, interval_s=0.05)
