"""The sweeper: tasks that nothing would happen to any more are enqueued, each once."""

from typing import Any

import pytest
from chalicelib.sweep import PERIOD_S

from taskrules.queues import QueueError
from taskrules.store import StoreError
from taskrules.tasks import Status
from tests.functional.app.world import World

BODY = {"taskId": "t", "payload": {"x": 1}}
CRASHING = {"mode": "none", "api_crash_rate": 1.0}


@pytest.fixture
def dying() -> World:
    """A pipeline whose API dies between the item and the message of each task."""
    return World(faults=CRASHING)


def test_task_whose_api_died_is_enqueued_once_and_runs(dying: World) -> None:
    """Accepted and never enqueued: one sweep after the API must be dead sends the message, the next ones do nothing."""
    dying.submit_and_die(BODY)
    early = dying.sweep()
    dying.clock.pass_s(dying.settings.pending_after_s + 1)
    sweeps = [dying.sweep() for _ in range(3)]
    messages = len(dying.tasks.messages)
    dying.drain()
    task = dying.task("t")

    assert ({"pending": 0, "stranded": 0}, [1, 0, 0], 1) == (early, [sweep["pending"] for sweep in sweeps], messages)
    assert (Status.COMPLETED, 1, None) == (task.status, task.effects, task.pending_by)
    assert ["never enqueued"] == [event["reason"] for event in dying.events("task.requeued")]


def test_clients_repetition_and_the_sweeper_do_not_both_enqueue(dying: World) -> None:
    """A client that sends its task again after the crash leaves nothing to the sweeper."""
    dying.submit_and_die(BODY)
    answer = dying.submit(BODY)
    dying.clock.pass_s(60)

    assert (202, 0, 1) == (answer.status_code, dying.sweep()["pending"], len(dying.tasks.messages))


@pytest.mark.parametrize("broken", ["adopt", "send", "mark_enqueued"])
def test_sweep_that_dies_half_way_is_finished_by_a_later_one(
    dying: World, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """Whichever call fails, the task is completed in the end, with one effect."""
    dying.submit_and_die(BODY)
    dying.clock.pass_s(60)

    def fail(*_arguments: Any, **_options: Any) -> Any:
        raise QueueError("refused") if broken == "send" else StoreError("refused")

    with monkeypatch.context() as patch:
        patch.setattr(dying.tasks if broken == "send" else dying.store, broken, fail)
        with pytest.raises((QueueError, StoreError)):
            dying.sweep()
    dying.clock.pass_s(60)
    dying.sweep()
    dying.drain()

    assert (Status.COMPLETED, 1) == (dying.task("t").status, dying.task("t").effects)


def test_two_sweepers_at_a_time_send_one_message(dying: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between one sweeper's search and its work another one does the whole work."""
    dying.submit_and_die(BODY)
    dying.clock.pass_s(60)
    get = dying.store.get

    def overtaken(task_id: str) -> Any:
        monkeypatch.undo()
        task = get(task_id)
        dying.sweep()
        return task

    monkeypatch.setattr(dying.store, "get", overtaken)
    dying.sweep()

    assert 1 == len(dying.tasks.messages)


@pytest.mark.parametrize("status", ["QUEUED", "PROCESSING", "RETRYING"])
def test_task_that_lost_its_message_gets_another(status: str) -> None:
    """In whatever live state the task was, it is enqueued once and runs to its end."""
    faults = {"failure_rate": 0.0, "crash_before_rate": 1.0} if status == "PROCESSING" else {"failure_rate": 1.0}
    world = World(faults=faults)
    world.submit(BODY)
    if status != "QUEUED":
        world.process()
    world.tasks.messages.clear()
    before = world.task("t").status
    sweeps = [world.sweep_stranded(), world.sweep()["stranded"]]
    messages = len(world.tasks.messages)
    world.drain()

    assert (status, [1, 0], 1) == (before, sweeps, messages)
    assert Status.FAILED is world.task("t").status
    assert ["stranded"] == [event["reason"] for event in world.events("task.requeued")]


def test_nothing_is_stranded_while_the_queue_holds_messages(world: World) -> None:
    """A backlog is no loss: however old the tasks, none is enqueued again."""
    world.submit(BODY)
    world.clock.pass_s(900 * 900)

    assert {"pending": 0, "stranded": 0} == world.sweep()


def test_search_for_stranded_tasks_is_rare(world: World) -> None:
    """Of the sweeps of one waiting time only one reads the whole table."""
    world.store.broken.add("stranded")
    world.clock.now -= world.clock.now % world.settings.stranded_after_s
    searches = 0
    for _ in range(world.settings.stranded_after_s // PERIOD_S):
        try:
            world.sweep()
        except StoreError:
            searches += 1
        world.clock.pass_s(PERIOD_S)

    assert 1 == searches


def test_sweep_ends_before_its_function_does(dying: World) -> None:
    """Without time left no task is begun; the next sweep finds it."""
    dying.submit_and_die(BODY)
    dying.clock.pass_s(60)

    assert (0, 1) == (dying.sweep(time_left_s=0.5)["pending"], dying.sweep()["pending"])
