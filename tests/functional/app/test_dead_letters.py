"""The monitor: archive, report, close; and what it does not touch."""

import dataclasses
import json

import pytest

from taskrules.store import ArchivedMessage, StoreError
from taskrules.tasks import Status
from tests.functional.app.world import ALWAYS, World

BODY = {"taskId": "t", "payload": {"x": 1, "password": "hunter2", "deep": [{"note": "AKIAABCDEFGHIJKLMNOP"}]}}


def dead_world(**settings: str) -> World:
    """A world with one task on the dead-letter queue, all attempts used."""
    world = World(faults=ALWAYS, env=settings)
    world.submit(BODY)
    for wait_s in (0, 2, 4, 0):
        world.clock.pass_s(wait_s)
        world.process()
    assert 1 == len(world.dead_letters.messages)
    return world


def test_dead_letter_is_archived_reported_and_closed() -> None:
    """A dead letter leaves an archived message, one complete log line without secrets, and a FAILED task."""
    world = dead_world()
    world.watch()
    (archived,) = world.archive.messages.values()
    (event,) = world.events("task.dead_lettered")

    assert (Status.FAILED, []) == (world.task("t").status, world.dead_letters.messages)
    assert ("t#1", True, False, 3) == (archived.archive_id, archived.redacted, archived.truncated, archived.attempts)
    assert int(world.clock()) + 14 * 86_400 == archived.expires_ts
    assert {"x": 1, "password": "[redacted]", "deep": [{"note": "[redacted]"}]} == event["payload"]
    assert ("t", "TransientFault", 3, "retries exhausted", True) == (
        event["taskId"],
        event["errorType"],
        event["attempts"],
        event["reason"],
        event["archived"],
    )
    assert (world.task("t").created_ts, True) == (event["firstTs"], event["lastTs"] >= event["firstTs"])


def test_secrets_stay_in_the_task_alone() -> None:
    """No log line and no archived body holds the secrets; the task item does, for a redrive."""
    world = dead_world()
    world.watch()
    written = "".join(world.lines) + "".join(message.body for message in world.archive.messages.values())

    assert (False, False) == ("hunter2" in written, "AKIAABCDEFGHIJKLMNOP" in written)
    assert "hunter2" in world.task("t").payload_json


def test_failed_archive_keeps_the_message() -> None:
    """A dead letter that cannot be archived is neither reported nor closed, and stays on its queue."""
    world = dead_world()
    world.archive.is_broken = True
    answer = world.watch()

    assert 1 == len((answer or {})["batchItemFailures"])
    assert (1, []) == (len(world.dead_letters.messages), world.events("task.dead_lettered"))
    assert Status.RETRYING is world.task("t").status


def test_failed_archive_keeps_the_message_without_partial_responses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same holds when the mapping ignores the answer: the monitor deletes what is done and raises."""
    world = dead_world(PARTIAL_BATCH_RESPONSES="0")
    world.dead_letters.send("junk")
    put = world.archive.put

    def put_junk_only(message: ArchivedMessage) -> bool:
        if message.task_id is not None:
            raise StoreError("no archive for tasks")
        return put(message)

    with monkeypatch.context() as patch:
        patch.setattr(world.archive, "put", put_junk_only)
        answer = world.watch()
    left = len(world.dead_letters.messages)
    world.clock.pass_s(60)
    world.watch()

    assert (None, 1, Status.FAILED) == (answer, left, world.task("t").status)


def test_second_delivery_is_skipped() -> None:
    """A dead letter that comes again is acknowledged and reported no second time."""
    world = dead_world()
    message = world.dead_letters.messages[0]
    world.watch()
    world.dead_letters.messages.append(dataclasses.replace(message, visible_ts=0))
    world.watch()

    assert (1, []) == (len(world.events("task.dead_lettered")), world.dead_letters.messages)
    assert ["already dead-lettered"] == [event["reason"] for event in world.events("attempt.skipped")]


def test_monitor_that_died_between_report_and_close_does_it_again() -> None:
    """If the task could not be closed, the message stays, and the next delivery closes it with the same archive."""
    world = dead_world()
    world.store.broken.add("close")
    world.watch()
    world.store.broken.clear()
    world.clock.pass_s(60)
    world.watch()

    assert (Status.FAILED, 1, []) == (world.task("t").status, len(world.archive.messages), world.dead_letters.messages)


def test_completed_task_is_never_failed(world: World) -> None:
    """A dead letter of a completed task is archived and reported as such; the task stays COMPLETED."""
    world.submit(BODY)
    body = world.tasks.messages[0].body
    world.process()
    world.dead_letters.send(body)
    world.watch()

    assert (Status.COMPLETED, 1) == (world.task("t").status, world.task("t").effects)
    assert [] == world.events("attempt.skipped")
    assert ["already completed"] == [event["reason"] for event in world.events("task.dead_lettered")]


def test_task_in_work_is_left_alone(world: World) -> None:
    """A dead letter of a task whose attempt is running waits until the lease is over."""
    world.submit(BODY)
    world.store.tasks["t"] = dataclasses.replace(
        world.task("t"), status=Status.PROCESSING, lease_until_ts=world.clock() + 9.5, attempts=1
    )
    world.dead_letters.send(world.tasks.messages[0].body)
    answer = world.watch()

    assert (1, [10]) == (len((answer or {})["batchItemFailures"]), world.dead_letters.hidden_s)
    assert ({}, Status.PROCESSING) == (world.archive.messages, world.task("t").status)


def test_task_that_was_never_attempted_says_so(world: World) -> None:
    """A message whose receives were used up without an attempt is dead-lettered with that as its reason."""
    world.submit(BODY)
    for _ in range(4):
        world.tasks.receive()
        world.clock.pass_s(60)
    world.watch()
    (event,) = world.events("task.dead_lettered")

    assert ("received too often", "NeverAttempted", 0) == (event["reason"], event["errorType"], event["attempts"])
    assert Status.FAILED is world.task("t").status


def test_dead_letter_of_an_old_generation_is_skipped(world: World) -> None:
    """A dead letter from before a redrive does not touch the redriven task."""
    world.submit(BODY)
    world.dead_letters.send(world.tasks.messages[0].body)
    world.store.tasks["t"] = dataclasses.replace(world.task("t"), generation=2)
    world.watch()

    assert (Status.QUEUED, {}, []) == (world.task("t").status, world.archive.messages, world.dead_letters.messages)


def test_junk_written_to_the_dead_letter_queue_is_archived(world: World) -> None:
    """What anybody writes straight to the dead-letter queue is archived, redacted and cut to what an item holds."""
    world.dead_letters.send("Bearer abcdefgh12345678 " + "é" * 1_000_000)
    world.watch()
    (archived,) = world.archive.messages.values()
    (event,) = world.events("task.dead_lettered")

    assert (True, True, True) == (archived.redacted, archived.truncated, len(archived.body.encode()) <= 350_000)
    assert ("malformed message", None) == (event["reason"], event["taskId"])


def test_body_is_archived_as_a_redacted_message() -> None:
    """The archived body is the message itself, only its secrets masked."""
    world = dead_world()
    world.watch()
    body = json.loads(world.archive.messages["t#1"].body)

    assert ("t", 1, "[redacted]") == (body["taskId"], body["generation"], body["payload"]["password"])
