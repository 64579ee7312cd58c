"""Redrive: out of the archive and back onto the queue, each task once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dlqlab.dlq.letters import causes, select
from dlqlab.dlq.redrive import Action, RedriveResult, execute, plan_redrive
from dlqlab.errors import UsageError
from taskrules.queues import QueueError
from taskrules.store import ArchivedMessage, StoreError
from taskrules.tasks import Status
from tests.functional.app.world import ALWAYS, NO_FAULTS, World

TASKS = ("a", "b", "c")


def letters(world: World) -> list[ArchivedMessage]:
    """The archive as the command reads it."""
    return list(world.archive.messages.values())


def redrive(world: World, chosen: Sequence[ArchivedMessage] | None = None, token: str = "redrive-1") -> RedriveResult:
    """The whole command, without waiting."""
    steps = plan_redrive(letters(world) if chosen is None else chosen, world.store.get)
    return execute(steps, world.requeuer(token), rate_per_s=1000, sleep=world.clock.pass_s, clock=world.clock)


@pytest.fixture
def dead() -> World:
    """Three tasks that failed for good under a plan that has been mended since."""
    world = World(faults=ALWAYS, retry={"base_s": 1})
    for task_id in TASKS:
        world.submit({"taskId": task_id, "payload": {"password": "p", "n": 1}})
    world.drain()
    world.settings = replace(world.settings, fault_plan=World(faults=NO_FAULTS).settings.fault_plan)
    return world


def test_redriven_tasks_run_again_in_a_new_generation(dead: World) -> None:
    """Every task completes in generation 2 from its own payload, with one effect, the redrive on record and logged."""
    result = redrive(dead)
    bodies = [message.body for message in dead.tasks.messages]
    dead.drain()
    tasks = [dead.task(task_id) for task_id in TASKS]

    assert TASKS == result.redriven
    assert all('"password":"p"' in body for body in bodies)  # the archive's copy is redacted, the task's is not
    assert [(Status.COMPLETED, 2, 1, 1)] * 3 == [
        (task.status, task.generation, task.attempts, task.effects) for task in tasks
    ]
    assert [(2, "redrive", "TransientFault")] * 3 == [
        (redrive.generation, redrive.reason, redrive.error_type) for task in tasks for redrive in task.redrives
    ]
    assert [("redrive", 2)] * 3 == [(event["reason"], event["generation"]) for event in dead.events("task.requeued")]


def test_second_redrive_of_the_same_letters_does_nothing(dead: World) -> None:
    """Letters that have been redriven are skipped, whether their tasks are queued or done."""
    chosen = letters(dead)
    redrive(dead, chosen)
    queued = redrive(dead, chosen)
    dead.drain()
    done = redrive(dead, chosen)

    assert ((), ()) == (queued.redriven, done.redriven)
    assert {"redriven already: generation 2 is QUEUED"} == {step.why for step in queued.skipped}
    assert {2} == {dead.task(task_id).generation for task_id in TASKS}


def test_failing_again_leaves_a_letter_for_each_generation(dead: World) -> None:
    """A redriven task that fails again is dead-lettered anew and can be redriven anew, by its newest letter."""
    dead.settings = World(faults=ALWAYS, retry={"base_s": 1}).settings
    redrive(dead)
    dead.drain()
    redrive(dead)

    assert sorted(f"{task_id}#{generation}" for task_id in TASKS for generation in (1, 2)) == sorted(
        dead.archive.messages
    )
    assert {(Status.QUEUED, 3)} == {(dead.task(task_id).status, dead.task(task_id).generation) for task_id in TASKS}


def _broken(message: str) -> Callable[..., Any]:
    def fail(*_arguments: Any, **_options: Any) -> Any:
        raise message_error

    message_error = QueueError(message) if message == "send" else StoreError(message)
    return fail


@pytest.mark.parametrize("broken", ["requeue", "send", "mark_enqueued"])
def test_redrive_that_dies_half_way_is_finished_by_the_next(
    dead: World, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """Whichever call fails, the next redrive finishes the work: no task lost, none in a third generation."""
    with monkeypatch.context() as patch:
        patch.setattr(dead.tasks if broken == "send" else dead.store, broken, _broken(broken))
        first = redrive(dead)
    second = redrive(dead, token="redrive-2")
    dead.drain()

    assert ((), 3) == (first.redriven, len(first.failed))
    assert TASKS == second.redriven
    assert [(Status.COMPLETED, 2, 1)] * 3 == [
        (dead.task(task_id).status, dead.task(task_id).generation, dead.task(task_id).effects) for task_id in TASKS
    ]


def test_two_redrives_at_a_time_share_the_tasks(dead: World) -> None:
    """A plan that another redrive has overtaken redrives nothing twice."""
    steps = plan_redrive(letters(dead), dead.store.get)
    first = execute(steps[:2], dead.requeuer("one"), rate_per_s=1000, sleep=dead.clock.pass_s, clock=dead.clock)
    second = execute(steps, dead.requeuer("two"), rate_per_s=1000, sleep=dead.clock.pass_s, clock=dead.clock)

    assert (("a", "b"), ("c",)) == (first.redriven, second.redriven)
    assert 3 == len(dead.tasks.messages)


def test_junk_and_completed_tasks_are_skipped_with_the_reason(dead: World) -> None:
    """What has no task, or one that is not FAILED, is not redriven."""
    dead.tasks.send("junk")
    dead.drain()
    dead.store.tasks["a"] = replace(dead.task("a"), status=Status.COMPLETED)
    steps = {step.letter.task_id: step for step in plan_redrive(letters(dead), dead.store.get)}

    assert {None: Action.SKIP, "a": Action.SKIP, "b": Action.REDRIVE, "c": Action.REDRIVE} == {
        task_id: step.action for task_id, step in steps.items()
    }
    assert ("no task: malformed message", "not FAILED but COMPLETED") == (steps[None].why, steps["a"].why)


def test_redrive_keeps_to_its_rate(dead: World) -> None:
    """At 2 a second the third task goes no earlier than a second after the first."""
    steps = plan_redrive(letters(dead), dead.store.get)
    execute(steps, dead.requeuer("redrive-1"), rate_per_s=2, sleep=dead.clock.pass_s, clock=dead.clock)
    moments = [event["ts"] for event in dead.events("task.requeued")]

    assert [0.0, 0.5, 1.0] == [moment - moments[0] for moment in moments]


def test_letters_are_chosen_by_id_or_cause(dead: World) -> None:
    """Ids of tasks and of archived messages, reasons and error types select; what is not there is named."""
    found = letters(dead)

    assert ["a", "b"] == [letter.task_id for letter in select(found, ids=["a", "b#1"])]
    assert found == select(found, cause="Retries exhausted")
    assert found == select(found, cause="transientfault")
    assert {"retries exhausted": 3, "TransientFault": 3} == causes(found)
    with pytest.raises(UsageError, match="no dead letter 'nobody'"):
        select(found, ids=["nobody"])
    with pytest.raises(UsageError, match="there are retries exhausted, TransientFault"):
        select(found, cause="flood")


def test_client_that_repeats_a_task_finishes_a_redrive(dead: World) -> None:
    """A redrive that died before its message was out is finished by the client's own repetition, in its generation."""
    dead.store.requeue(dead.task("a"), reason="redrive", token="dead", now=dead.clock())
    answer = dead.submit({"taskId": "a", "payload": {"password": "p", "n": 1}})
    dead.drain()

    assert (202, Status.COMPLETED, 2) == (answer.status_code, dead.task("a").status, dead.task("a").generation)
