"""The task system that dlqlab comes with, as a project: it breaks by faults from outside alone."""

from collections.abc import Callable
from dataclasses import replace

from dlqlab.contracts.done import Done
from dlqlab.contracts.project import Entry, Project, Task
from dlqlab.contracts.scenario import Drain, Scenario
from dlqlab.contracts.scenarios import find
from dlqlab.deploy import pipeline
from dlqlab.deploy.target import local_target
from dlqlab.emulator.host.lifecycle import Emulator
from taskrules.tasks import TERMINAL

SCENARIO = "no-faults"
"""Its settings, without faults of its own."""
_NAME = "task-system"
_TIMEOUT_S, _RECEIVES = 5, 5
_DRAIN_DEADLINE_S = 300.0


def specimen() -> Project:
    """What is sent to it, and when one of its tasks is done. It is deployed by ``deploy_specimen``."""
    body = '{"taskId": "{{key}}", "payload": {"n": {{n}}, "product": "{{word}}"}}'
    return Project(
        name=_NAME,
        entry=Entry(http="POST /tasks", body=body),
        task=Task(key="taskId"),
        done=Done(table="task-items", values=tuple(sorted(TERMINAL))),
        drain=Drain(deadline_s=_DRAIN_DEADLINE_S),
    )


def scenario() -> Scenario:
    """Its settings, with a short visibility timeout, so that rows in which messages use it up end in minutes, and with
    as many receives as lint asks for (receives-survive-throttles).
    """
    found = find(SCENARIO)
    settings = replace(found.pipeline, function_timeout_s=_TIMEOUT_S, visibility_timeout_s=6 * _TIMEOUT_S)
    return replace(found, pipeline=settings, retry=replace(found.retry, max_retries=_RECEIVES - 1))


def _told_nobody(_text: str) -> None:
    pass


def deploy_specimen(emulator: Emulator, *, progress: Callable[[str], None] = _told_nobody) -> None:
    """Deploy it, and empty its queues and tables.

    Args:
        emulator: where it is to run.
        progress: gets a word about what is done.

    Raises:
        DeployError: a step failed; names it.
    """
    target = local_target(emulator)
    pipeline.apply(target, scenario(), progress=progress, reset_follows=True)
    pipeline.reset(target)
