"""Proof that the deployed pipeline keeps a failed message, by a message: what a mapping says of itself is no proof."""

import json
import os
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dlqlab.contracts.access import api_headers
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy.probe import PAYLOAD, Probe, probe_id
from dlqlab.deploy.target import Target
from dlqlab.deploy.web import open_url
from dlqlab.errors import DeployError
from dlqlab.waiting import DeadlinePassedError, wait_for
from taskrules.tasks import Status, Task

PROBE_DEADLINE_S = 30.0
AGAIN_DEADLINE_S = 180.0
"""For a second attempt, beyond its backoff: visibility timeout, and a cold start."""
END_DEADLINE_S = 30.0
"""For the next delivery of the probe's message, beyond its backoff: it waits behind whatever else is queued."""
END_WAIT_MAX_S = 60.0
"""A longer backoff is not waited for: the message needs nobody for its end."""
_DELETED = (
    "a failed task was deleted from the queue: the event source mapping does not honour ReportBatchItemFailures; "
    "deploy again with dlqlab deploy"
)
_SETTLED_S = 0.3
"""Lambda deletes what a batch handled right after the function returned; this is long after that."""

MISSED_LOOKS = 2
"""A message that changes from hidden to visible is missed by a look at that very moment."""


class _DeletedError(DeployError):
    """The probe's message is gone."""


def call_api(url: str, path: str, body: Any = None, *, timeout_s: float = 10.0) -> tuple[int, Any]:
    """One request to the API: status and JSON.

    Raises:
        DeployError: no answer, or one that is not JSON.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, headers=api_headers(os.environ))  # noqa: S310  (the API of the stage)
    try:
        with open_url(request, timeout_s=timeout_s) as response:
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


def prove_failed_task_is_kept(
    target: Target, url: str, run_id: str, scenario: Scenario, *, wait_for_end: bool = True
) -> str:
    """Submit a task that fails, and see its message still on the queue after the invocation has ended.

    The task's id tells that it is none of the run's own (see ``probe_prefix``), its message's id tells it from every
    other message; those stay untouched. In the end neither task nor message is left, unless nobody waits for that.
    Returns what is to be said about it.

    Raises:
        DeployError: the message was deleted, or the pipeline did not work on it.
    """
    probe = Probe(target=target, task_id=probe_id(run_id, scenario))
    try:
        _submit(probe, url)
        task = wait_for("the failure of a probe task", lambda: _has_failed(probe), deadline_s=PROBE_DEADLINE_S)
        _watch_message(probe, task)
    except _DeletedError:
        probe.remove()
        raise
    except DeadlinePassedError as error:
        probe.end()
        raise DeployError(str(error)) from error
    except DeployError:
        probe.end()  # and no more: a message that finds no task becomes a dead letter
        raise
    return _end(probe, task, wait_for_end=wait_for_end)


def _submit(probe: Probe, url: str) -> None:
    functions, worker = probe.target.client("lambda"), probe.target.topology.work.consumer
    with ThreadPoolExecutor(1) as pool:
        # The processor's first execution environment starts beside the API's instead of after it.
        started = pool.submit(invoke_empty, functions, worker.name)
        status, answer = call_api(url, "/tasks", {"taskId": probe.task_id, "payload": PAYLOAD})
        started.result()
    if status != 202:  # noqa: PLR2004  (Accepted)
        raise DeployError(f"the API answered {status} to a probe task: {answer}")


def _has_failed(probe: Probe) -> tuple[bool, Any]:
    task = probe.task()
    # FAILED at once where the policy has no retry: its message is in the dead-letter queue, so it was kept.
    return task is not None and task.status in {Status.RETRYING, Status.FAILED}, task


def _watch_message(probe: Probe, task: Task) -> None:
    """Stay where it can be seen, or return."""
    if task.status is Status.FAILED:
        return
    if probe.is_queued(task.carrier or "") is None:
        _watch_return(probe, task)
    else:
        _watch_stay(probe, task)


def _watch_return(probe: Probe, failed: Task) -> None:
    """Where nobody can look into a queue: the task is attempted again, or ends as failed."""

    def look() -> tuple[bool, Task | None]:
        task = probe.task()
        return task is not None and (task.attempts > failed.attempts or task.status is Status.FAILED), task

    deadline_s = _backoff_left_s(failed) + AGAIN_DEADLINE_S
    try:
        wait_for("another attempt", look, deadline_s=deadline_s, interval_s=1.0)
    except DeadlinePassedError as error:
        raise _DeletedError(_DELETED) from error


def _watch_stay(probe: Probe, failed: Task) -> None:
    """The message must be there throughout, not only at the first look."""
    began = time.monotonic()
    missed = 0

    def look() -> tuple[bool, bool]:
        nonlocal missed
        is_there = bool(probe.is_queued(failed.carrier or ""))
        missed = 0 if is_there else missed + 1
        if missed >= MISSED_LOOKS:
            task = probe.task()
            if task is None or (task.attempts == failed.attempts and task.status is not Status.FAILED):
                raise _DeletedError(_DELETED)
            return True, is_there  # it has gone its way meanwhile: nobody but the queue brings it there
        return time.monotonic() - began >= _SETTLED_S and is_there, is_there

    wait_for("a probe message to stay", look, deadline_s=PROBE_DEADLINE_S, interval_s=0.05)


def _end(probe: Probe, failed: Task, *, wait_for_end: bool) -> str:
    """Let the message end: its task has failed, so its next delivery is acknowledged. Then remove the task.

    The task goes last: a message without a task would become a dead letter.
    """
    try:
        wait_for("the end of a probe's attempt", lambda: (probe.end(), ""), deadline_s=PROBE_DEADLINE_S)
    except DeadlinePassedError as error:
        raise DeployError(str(error)) from error
    left_s = _backoff_left_s(probe.task() or failed)
    later = f"the proof's message leaves the task queue by itself, in {left_s:.0f} s"
    if not wait_for_end:
        return ""
    if left_s > END_WAIT_MAX_S:
        return later
    missed = 0

    def look() -> tuple[bool, int]:
        nonlocal missed
        is_there = probe.is_queued(failed.carrier or "")
        if is_there is None:
            return probe.is_acknowledged(), missed
        missed = 0 if is_there else missed + 1
        return missed >= MISSED_LOOKS, missed

    try:
        wait_for("the end of a probe message", look, deadline_s=left_s + END_DEADLINE_S, interval_s=0.1)
    except DeadlinePassedError:
        return "the proof's message waits among the others and leaves the task queue by itself"
    probe.remove()
    return ""


def _backoff_left_s(task: Task) -> float:
    return max(0.0, (task.not_before_ts or 0.0) - time.time())
