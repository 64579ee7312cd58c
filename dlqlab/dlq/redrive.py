"""Redrive: FAILED tasks back to the queue, each in a new generation, rebuilt from the task and not from the archive.

Whoever dies half-way leaves nothing undone for good: a task that has its new generation but no message yet is taken
over by the next redrive (or by the sweeper), and a task that has left FAILED is not redriven again.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from taskrules.queues import QueueError
from taskrules.requeue import Requeuer
from taskrules.store import ArchivedMessage, StoreError
from taskrules.tasks import Status, Task


class Action(StrEnum):
    """What a redrive does with a letter."""

    REDRIVE = "redrive"
    ENQUEUE = "enqueue"  # an earlier redrive died before its message was out
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Step:
    """A letter and what is to be done with it; ``why`` explains a skip."""

    letter: ArchivedMessage
    action: Action
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveResult:
    """What became of the steps: task ids, and ``failed`` with the error of each."""

    redriven: tuple[str, ...]
    skipped: tuple[Step, ...]
    failed: tuple[tuple[str, str], ...]


def plan_redrive(letters: Iterable[ArchivedMessage], find: Callable[[str], Task | None]) -> list[Step]:
    """What to do with each letter, given the tasks as they stand; one step for each task, by its newest letter."""
    newest: dict[str, ArchivedMessage] = {}
    steps: list[Step] = []
    for letter in letters:
        if letter.task_id is None:
            steps.append(Step(letter, Action.SKIP, f"no task: {letter.reason}"))
        elif letter.task_id not in newest or (newest[letter.task_id].generation or 0) < (letter.generation or 0):
            newest[letter.task_id] = letter
    return [*(_step(letter, find(task_id)) for task_id, letter in newest.items()), *steps]


def execute(
    steps: Sequence[Step],
    requeuer: Requeuer,
    *,
    rate_per_s: float,
    on_step: Callable[[Step], None] = lambda _step: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> RedriveResult:
    """Take the steps, no more than ``rate_per_s`` of them a second. An error ends its step, not the others."""
    began_s = clock()
    redriven: list[str] = []
    skipped: list[Step] = []
    failed: list[tuple[str, str]] = []
    for step in steps:
        if step.action is Action.SKIP:
            skipped.append(step)
            continue
        due_s = began_s + (len(redriven) + len(failed)) / rate_per_s
        sleep(max(0.0, due_s - clock()))
        task_id = step.letter.task_id or ""
        try:
            if _take(step, requeuer):
                redriven.append(task_id)
            else:
                skipped.append(Step(step.letter, Action.SKIP, "taken by another redrive meanwhile"))
        except (StoreError, QueueError) as error:
            failed.append((task_id, str(error)))
        on_step(step)
    return RedriveResult(redriven=tuple(redriven), skipped=tuple(skipped), failed=tuple(failed))


def _take(step: Step, requeuer: Requeuer) -> bool:
    task = requeuer.store.get(step.letter.task_id or "")  # anew: the plan may be minutes old
    if task is None:
        return False
    return requeuer.enqueue_pending(task) if _is_left_pending(task, step.letter) else _redrive(task, step, requeuer)


def _redrive(task: Task, step: Step, requeuer: Requeuer) -> bool:
    return task.generation == step.letter.generation and requeuer.redrive(task)


def _step(letter: ArchivedMessage, task: Task | None) -> Step:
    if task is None:
        return Step(letter, Action.SKIP, "the task is not in the table")
    if _is_left_pending(task, letter):
        return Step(letter, Action.ENQUEUE)
    if task.generation != letter.generation:
        return Step(letter, Action.SKIP, f"redriven already: generation {task.generation} is {task.status}")
    if task.status is not Status.FAILED:
        return Step(letter, Action.SKIP, f"not FAILED but {task.status}")
    return Step(letter, Action.REDRIVE)


def _is_left_pending(task: Task, letter: ArchivedMessage) -> bool:
    is_next = task.generation == (letter.generation or 0) + 1
    return is_next and task.status is Status.QUEUED and task.pending_by is not None
