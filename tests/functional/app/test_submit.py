"""Accepting a task when functions die or calls fail between its two writes."""

import dataclasses

import pytest

from taskrules.queues import QueueError
from tests.functional.app.world import World

BODY = {"taskId": "t", "payload": {"x": 1}}


def left_pending(world: World) -> None:
    """A task whose function died after the item and before the message."""
    world.submit(BODY)
    world.tasks.messages.clear()
    world.store.tasks["t"] = dataclasses.replace(world.task("t"), enqueued_ts=None, pending_by="a dead request")
    world.lines.clear()


def test_accepted_task_is_marked_as_enqueued(world: World) -> None:
    """After a 202 the item says when it was enqueued and waits for nobody."""
    world.submit(BODY)

    assert (world.clock(), None) == (world.task("t").enqueued_ts, world.task("t").pending_by)
    assert ["task.accepted"] == world.names()


def test_replay_enqueues_what_a_dead_function_left(world: World) -> None:
    """A task that was never enqueued is enqueued by the client's retry, once."""
    left_pending(world)
    answers = [world.submit(BODY).status_code for _ in range(2)]

    assert [202, 200] == answers
    assert ["task.accepted", "task.replayed"] == world.names()
    assert 1 == len(world.tasks.messages)


def test_lost_mark_is_still_accepted(world: World) -> None:
    """If only the mark fails, the task is on the queue: it is accepted, and its first attempt sets the record right."""
    world.store.broken.add("mark_enqueued")
    answer = world.submit(BODY)
    world.store.broken.clear()
    world.process()

    assert (202, "COMPLETED", None) == (answer.status_code, world.task("t").status, world.task("t").pending_by)


def test_withdrawal_spares_a_task_that_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the queue took the message but its answer got lost, a task that runs already is accepted."""
    send = world.tasks.send

    def send_and_fall(body: str) -> str:
        send(body)
        world.process()
        raise QueueError("connection reset")

    monkeypatch.setattr(world.tasks, "send", send_and_fall)
    answer = world.submit(BODY)

    assert (202, "COMPLETED") == (answer.status_code, world.task("t").status)


def test_withdrawal_spares_a_task_that_another_request_took_over(world: World) -> None:
    """A request whose queue refused does not remove what another request is about to enqueue."""
    world.tasks.is_refusing = True
    world.store.broken.add("withdraw")
    world.submit(BODY)
    first = world.task("t").pending_by
    world.store.broken.clear()
    adopted = world.store.adopt("t", expected=first or "", token="other", now=world.clock())
    removed = world.store.withdraw("t", token=first or "").done

    assert (True, False) == (adopted, removed)


def test_duplicated_task_is_sent_twice_and_done_once() -> None:
    """A task chosen by the fault plan is enqueued twice; its effect happens once."""
    world = World(faults={"mode": "none", "duplicate_rate": 1.0})
    world.submit(BODY)
    messages = len(world.tasks.messages)
    world.drain()

    assert (2, 1, 1) == (messages, world.task("t").effects, world.task("t").attempts)


def test_rejections_are_logged_without_secrets(world: World) -> None:
    """A refused submission is logged with its status, and neither a secret name's value nor a key is shown."""
    world.submit({"password": "hunter2", "payload": {}, "note": "key AKIAABCDEFGHIJKLMNOP"})
    world.submit(b"[]")
    world.submit({"payload": {}}, "text/plain")

    assert [400, 400, 415] == [event["statusCode"] for event in world.events("task.rejected")]
    assert "hunter2" not in "".join(world.lines)
    assert "AKIAABCDEFGHIJKLMNOP" not in "".join(world.lines)


def test_odd_characters_reach_the_processor_unharmed(world: World) -> None:
    """Characters that SQS refuses travel escaped and come out as they went in."""
    payload = {"text": "\x00\x1f\ufffe\U0001f600é\u2028"}
    world.submit({"taskId": "t", "payload": payload})
    body = world.tasks.messages[0].body
    world.process()

    assert (True, "COMPLETED") == (body.isascii(), world.task("t").status)
