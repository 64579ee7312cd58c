"""The processor: attempts, retries, faults and messages that are none."""

import dataclasses
import itertools
import json
from typing import Any

import pytest
from chalicelib.batches import deliveries

from taskrules.faults import Fault
from taskrules.tasks import Status
from tests.events.factories import sqs_event, sqs_record
from tests.functional.app.world import ALWAYS, World

BODY = {"taskId": "t", "payload": {"x": 1}}


def test_task_is_completed(world: World) -> None:
    """A task without a fault is done at its first attempt, its message deleted."""
    world.submit(BODY)
    world.process()
    task = world.task("t")

    assert (Status.COMPLETED, 1, 1, []) == (task.status, task.attempts, task.effects, world.tasks.messages)
    assert ["task.accepted", "attempt.started", "attempt.succeeded"] == world.names()


def test_failing_task_is_retried_after_its_backoffs_and_dead_lettered() -> None:
    """A task that always fails has three attempts, 2 s and 4 s apart, and then is FAILED without a further wait."""
    world = World(faults=ALWAYS)
    world.submit(BODY)
    world.drain(step_s=0.5)
    starts = [event["ts"] for event in world.events("attempt.started")]
    failures = world.events("attempt.failed")

    assert [2.0, 4.0] == [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert [2, 4, 0] == [event["backoffS"] for event in failures]
    assert [1, 2, 3] == [event["attempt"] for event in failures]
    assert (Status.FAILED, 0, "TransientFault") == (
        world.task("t").status,
        world.task("t").effects,
        world.task("t").last_error_type,
    )
    assert ["retries exhausted"] == [event["reason"] for event in world.events("task.dead_lettered")]


def test_retry_is_never_earlier_than_the_logged_failure_and_its_backoff() -> None:
    """The failure's time is read after the table call and before the queue's, so a slow table makes no retry early."""
    world = World(faults=ALWAYS)
    world.submit(BODY)
    fail = world.store.fail

    def fail_slowly(task: Any, failure: Any, *, now: float) -> Any:
        world.clock.pass_s(3)
        return fail(task, failure, now=now)

    world.store.fail = fail_slowly  # type: ignore[method-assign]
    world.process()
    (failed,) = world.events("attempt.failed")

    assert failed["ts"] + failed["backoffS"] == world.tasks.messages[0].visible_ts


def test_last_failure_closes_the_task() -> None:
    """After the last attempt the task is closed, even for a policy that is changed to more retries meanwhile."""
    world = World(faults=ALWAYS, retry={"max_retries": 0})
    world.submit(BODY)
    world.process()

    assert world.task("t").closed


def test_lease_ends_with_the_function() -> None:
    """A record that is claimed late in its batch is held until the function's end and no longer."""
    world = World(faults={"mode": "none", "slow_rate": 1.0, "slow_s": 4})
    world.submit(BODY)
    world.submit({"taskId": "u", "payload": {}})
    started_ts = world.clock()
    world.process()

    assert [started_ts + 10] * 2 == [task.lease_until_ts for task in world.store.tasks.values()]


def test_failed_item_is_reported_and_the_others_are_not() -> None:
    """One failing task of a batch is reported alone; the rest is done."""
    world = World(faults={"mode": "none"})
    for text in ("SUCCESS", "ERROR", "SUCCESS"):
        world.submit({"message": text})
    answer = world.process()
    failed = [message.message_id for message in world.tasks.messages]

    assert {"batchItemFailures": [{"itemIdentifier": failed[0]}]} == answer
    assert [1, 0, 1] == [task.effects for task in world.store.tasks.values()]


def test_without_partial_responses_nothing_is_lost() -> None:
    """With a mapping that ignores the answer, the processor deletes what is done and raises for what is not."""
    world = World(faults={"mode": "none"}, env={"PARTIAL_BATCH_RESPONSES": "0"})
    for text in ("SUCCESS", "ERROR", "SUCCESS"):
        world.submit({"message": text})
    answer = world.process()
    left = [json.loads(message.body)["payload"] for message in world.tasks.messages]

    assert (None, ["ERROR"]) == (answer, left)


def test_without_partial_responses_a_good_batch_returns() -> None:
    """Without failures nothing is deleted by hand: Lambda deletes the batch."""
    world = World(env={"PARTIAL_BATCH_RESPONSES": "0"})
    world.submit(BODY)

    assert {"batchItemFailures": []} == world.process()


JUNK: dict[str, str] = {
    "not JSON": "junk",
    "empty object": "{}",
    "a list": "[1]",
    "a number": "1",
    "null": "null",
    "no taskId": '{"payload": {}}',
    "taskId a number": '{"taskId": 1, "payload": {}}',
    "taskId no id": '{"taskId": "a b", "payload": {}}',
    "no payload": '{"taskId": "t"}',
    "payload a list": '{"taskId": "t", "payload": []}',
    "generation zero": '{"taskId": "t", "payload": {}, "generation": 0}',
    "generation true": '{"taskId": "t", "payload": {}, "generation": true}',
    "nested 200,000 deep": "[" * 200_000,
}


@pytest.mark.parametrize("body", JUNK.values(), ids=JUNK)
def test_junk_is_buried_with_a_reason_and_the_batch_goes_on(world: World, body: str) -> None:
    """A message that is not a task goes to the dead-letter queue and the archive; its batch is worked on."""
    world.tasks.send(body)
    world.submit({"taskId": "good", "payload": {}})
    answer = world.process()
    world.watch()
    (archived,) = world.archive.messages.values()

    assert {"batchItemFailures": []} == answer
    assert Status.COMPLETED is world.task("good").status
    assert ("malformed message", None, "MalformedMessage") == (archived.reason, archived.task_id, archived.error_type)
    assert ([], []) == (world.tasks.messages, world.dead_letters.messages)


@pytest.mark.parametrize(("generation", "reason"), [(1, "unknown task"), (7, "unknown task")])
def test_unknown_task_is_buried(world: World, generation: int, reason: str) -> None:
    """A message for a task that the table does not have ends in the archive under its own id."""
    world.tasks.send(json.dumps({"taskId": "who", "payload": {}, "generation": generation}))
    world.process()
    world.watch()
    (archived,) = world.archive.messages.values()

    assert (reason, None) == (archived.reason, archived.task_id)
    assert {} == world.store.tasks


@pytest.mark.parametrize(("generation", "in_archive"), [(1, []), (3, ["later generation"])])
def test_message_of_another_generation_starts_nothing(world: World, generation: int, in_archive: list[str]) -> None:
    """A message from before a redrive is dropped; one from a generation that never was is buried."""
    world.submit(BODY)
    world.tasks.messages.clear()
    world.store.tasks["t"] = dataclasses.replace(world.task("t"), generation=2)
    world.tasks.send(json.dumps({"taskId": "t", "payload": {}, "generation": generation}))
    world.process()
    world.watch()

    assert (Status.QUEUED, 0) == (world.task("t").status, world.task("t").attempts)
    assert in_archive == [message.reason for message in world.archive.messages.values()]


def test_permanent_error_is_not_retried() -> None:
    """A permanent error goes to the dead-letter queue at once, with its reason and text."""
    world = World(faults={"failure_rate": 0, "permanent_rate": 1.0})
    world.submit(BODY)
    world.process()
    world.watch()
    (failed,) = world.events("attempt.failed")
    (dead,) = world.events("task.dead_lettered")

    assert (True, None, 1) == (failed["permanent"], failed["backoffS"], world.task("t").attempts)
    assert ("permanent error", "PermanentFault", failed["errorMessage"]) == (
        dead["reason"],
        dead["errorType"],
        dead["errorMessage"],
    )
    assert (Status.FAILED, []) == (world.task("t").status, world.tasks.messages)


def test_permanent_error_buried_twice_is_one_dead_letter() -> None:
    """If the process dies between burying a message and forgetting it, the second burial changes nothing."""
    world = World(faults={"failure_rate": 0, "permanent_rate": 1.0})
    world.submit(BODY)
    event = sqs_event(*world.tasks.receive())
    world.process_event(event)
    world.process_event(event)
    buried = len(world.dead_letters.messages)
    world.watch()

    assert (2, 1) == (buried, len(world.events("task.dead_lettered")))
    assert (1, 1) == (len(world.archive.messages), world.task("t").attempts)


def test_timeout_burns_an_attempt_and_the_task_goes_on() -> None:
    """An attempt that outlives the function ends with it; the task comes back when its message does."""
    world = World(faults={"failure_rate": 0, "timeout_rate": 1.0}, retry={"max_retries": 1})
    world.submit(BODY)
    world.drain(step_s=5)
    task = world.task("t")

    assert (Status.FAILED, 2, "AttemptLost") == (task.status, task.attempts, task.last_error_type)
    assert [None, None] == [record.ended_ts for record in task.history]


def test_crash_before_the_effect_leaves_the_task_to_do() -> None:
    """A process that dies before the effect leaves a started attempt, no effect, and a message that comes again."""
    world = World(faults={"failure_rate": 0, "crash_before_rate": 1.0})
    world.submit(BODY)
    world.process()

    assert (Status.PROCESSING, 0, 1) == (world.task("t").status, world.task("t").effects, len(world.tasks.messages))
    assert ["task.accepted", "attempt.started"] == world.names()


def test_crash_after_the_effect_does_not_repeat_it() -> None:
    """A process that dies after the effect leaves a message that is acknowledged when it comes again."""
    world = World(faults={"failure_rate": 0, "crash_after_rate": 1.0})
    world.submit(BODY)
    world.drain(step_s=10)

    assert (Status.COMPLETED, 1, 1) == (world.task("t").status, world.task("t").effects, world.task("t").attempts)
    assert ["already completed"] == [event["reason"] for event in world.events("attempt.skipped")]


def test_crash_costs_the_rest_of_its_batch_no_attempt() -> None:
    """The records behind a crash were received but not claimed: their first attempt is still to come."""
    world = World(faults={"mode": "none"})
    for place in range(3):
        world.submit({"taskId": f"t{place}", "payload": {}})
    claims_seen: list[str] = []
    processor = world.processor(3)
    for delivery in deliveries(sqs_event(*world.tasks.receive()))[:1]:
        claims_seen.append(delivery.message_id)
        processor.handle(delivery)
    world.clock.pass_s(60)
    world.process()

    assert [1, 1, 1] == [task.attempts for task in world.store.tasks.values()]
    assert [1, 1, 1] == [task.effects for task in world.store.tasks.values()]


def test_task_done_on_its_last_delivery_outlives_the_death_of_its_batch() -> None:
    """When a batch mate ends the function, a task done on its last delivery does not reach the dead-letter queue."""
    world = World(faults={"failure_rate": 0.0, "crash_before_rate": 0.5}, retry={"max_retries": 0})
    ids = [f"t{number}" for number in range(20)]
    dies = {task_id: world.settings.fault_plan.decide(task_id, 1).fault is not Fault.NONE for task_id in ids}
    done, mate = next(pair for pair in itertools.pairwise(ids) if (dies[pair[0]], dies[pair[1]]) == (False, True))
    for task_id in (done, mate):
        world.submit(BODY | {"taskId": task_id})
    world.process()
    world.drain()

    assert (Status.COMPLETED, Status.FAILED) == (world.task(done).status, world.task(mate).status)
    assert [mate] == [event["taskId"] for event in world.events("task.dead_lettered")]


def test_slow_work_takes_its_time() -> None:
    """A slow task is slow and otherwise as any other."""
    world = World(faults={"mode": "none", "slow_rate": 1.0, "slow_s": 3})
    world.submit(BODY)
    world.process()

    assert [3.0] == [event["durationS"] for event in world.events("attempt.succeeded")]


def test_attempt_that_cannot_end_does_not_begin() -> None:
    """What is left of a batch when the function's time is up is given back without an attempt."""
    world = World(faults={"mode": "none", "slow_rate": 1.0, "slow_s": 4.9}, visibility_timeout_s=1000)
    for place in range(4):
        world.submit({"taskId": f"t{place}", "payload": {}})
    world.process()

    assert [1, 1, 0, 0] == [task.attempts for task in world.store.tasks.values()]
    assert ["no time left"] * 2 == [event["reason"] for event in world.events("attempt.skipped")]
    assert [] == world.tasks.hidden_s


def test_unknown_exception_is_a_transient_failure_of_its_record(world: World) -> None:
    """An error that nobody foresaw fails the attempt by its class name, text redacted, and the batch goes on."""
    world.submit(BODY)
    world.submit({"taskId": "u", "payload": {}})
    complete, calls = world.store.complete, []

    def complete_once_wrong(task: Any, *, now: float) -> Any:
        calls.append(task)
        if len(calls) == 1:
            raise ZeroDivisionError("Bearer abcdefgh12345678")
        return complete(task, now=now)

    world.store.complete = complete_once_wrong  # type: ignore[method-assign]
    world.process()
    (failed,) = world.events("attempt.failed")

    assert ("ZeroDivisionError", "[redacted]", False, 2) == (
        failed["errorType"],
        failed["errorMessage"],
        failed["permanent"],
        failed["backoffS"],
    )
    assert [Status.RETRYING, Status.COMPLETED] == [task.status for task in world.store.tasks.values()]


def test_effect_whose_answer_got_lost_is_a_success(world: World) -> None:
    """If the effect was written but the answer lost, the attempt is found to have succeeded, not failed."""
    world.submit(BODY)
    complete = world.store.complete

    def complete_and_fall(task: Any, *, now: float) -> Any:
        complete(task, now=now)
        raise ConnectionError("reset by peer")

    world.store.complete = complete_and_fall  # type: ignore[method-assign]
    world.process()

    assert (1, []) == (world.task("t").effects, world.tasks.messages)
    assert ["task.accepted", "attempt.started", "attempt.succeeded"] == world.names()


@pytest.mark.parametrize("method", ["claim", "fail"])
def test_table_that_does_not_answer_keeps_the_message(method: str) -> None:
    """A record whose table call fails is reported as failed and said to be skipped, with the cause."""
    world = World(faults=ALWAYS)
    world.submit(BODY)
    world.store.broken.add(method)
    answer = world.process()
    (skipped,) = world.events("attempt.skipped")

    assert 1 == len((answer or {})["batchItemFailures"])
    assert f"StoreError: {method} is broken by the test" == skipped["reason"]


def test_backoff_that_the_queue_refuses_is_not_claimed() -> None:
    """If the visibility cannot be changed, the failure is logged without a backoff and the message comes again."""
    world = World(faults=ALWAYS)
    world.submit(BODY)
    world.tasks.is_refusing = True
    records = world.tasks.receive()
    processor = world.processor()
    kept = [processor.handle(delivery) for delivery in deliveries(sqs_event(*records))]
    (failed,) = world.events("attempt.failed")

    assert ([False], None) == (kept, failed["backoffS"])


def test_duplicate_of_a_live_task_is_dropped() -> None:
    """A second message of a task in its backoff is acknowledged and does not start the retry early."""
    world = World(faults=ALWAYS)
    world.submit(BODY)
    world.tasks.send(world.tasks.messages[0].body)
    world.process()

    assert (1, 1) == (world.task("t").attempts, len(world.tasks.messages))
    assert ["duplicate message"] == [event["reason"] for event in world.events("attempt.skipped")]


def test_duplicate_takes_over_when_nobody_proves_alive() -> None:
    """A second message of a task whose retry is overdue carries it on: nothing depends on the first."""
    world = World(faults={"failure_rate": 0, "timeout_rate": 1.0})
    world.submit(BODY)
    world.process()
    body = world.tasks.messages[0].body
    world.tasks.messages.clear()
    world.tasks.send(body)
    world.process()

    assert 2 == world.task("t").attempts


@pytest.mark.parametrize(
    ("status", "until", "reason"),
    [
        (Status.PROCESSING, "lease_until_ts", "claimed elsewhere"),
        (Status.RETRYING, "not_before_ts", "backoff not over"),
    ],
)
def test_message_delivered_twice_waits_for_the_first_delivery(status: Status, until: str, reason: str) -> None:
    """The same message delivered again while its task is held is given back until the lease or backoff is over."""
    world = World()
    world.submit(BODY)
    (record,) = world.tasks.receive()
    held: dict[str, Any] = {"status": status, until: world.clock() + 7.2, "carrier": record["messageId"], "attempts": 1}
    world.store.tasks["t"] = dataclasses.replace(world.task("t"), **held)
    answer = world.process_event(sqs_event(record))

    assert {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]} == answer
    assert [8] == world.tasks.hidden_s
    assert [reason] == [event["reason"] for event in world.events("attempt.skipped")]


def test_lease_that_ends_during_the_refused_claim_buries_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that is refused at the end of a lease gives its message back, though the lease is over by then."""
    world.submit(BODY)
    (record,) = world.tasks.receive()
    held: dict[str, Any] = {"status": Status.PROCESSING, "lease_until_ts": world.clock() + 1.1, "attempts": 1}
    world.store.tasks["t"] = dataclasses.replace(world.task("t"), carrier=record["messageId"], **held)
    claim = world.store.claim

    def claim_slowly(request: Any) -> Any:
        outcome = claim(request)
        world.clock.pass_s(2)
        return outcome

    monkeypatch.setattr(world.store, "claim", claim_slowly)
    answer = world.process_event(sqs_event(record))

    assert {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]} == answer
    assert ([], [1]) == (world.dead_letters.messages, world.tasks.hidden_s)


def test_permanent_error_keeps_its_reason_when_the_burial_fails() -> None:
    """If the dead-letter queue refuses, the message stays, and the next delivery buries it for the same reason."""
    world = World(faults={"failure_rate": 0, "permanent_rate": 1.0})
    world.submit(BODY)
    world.dead_letters.is_refusing = True
    world.process()
    world.dead_letters.is_refusing = False
    world.clock.pass_s(60)
    world.drain()

    assert (1, Status.FAILED) == (world.task("t").attempts, world.task("t").status)
    assert [("permanent error", "PermanentFault")] == [
        (event["reason"], event["errorType"]) for event in world.events("task.dead_lettered")
    ]


def test_message_of_a_terminal_task_is_acknowledged(world: World) -> None:
    """A message that comes after its task has ended is dropped without an attempt."""
    world.submit(BODY)
    body = world.tasks.messages[0].body
    world.process()
    world.tasks.send(body)
    world.process()

    assert (1, []) == (world.task("t").attempts, world.tasks.messages)
    assert ["already completed"] == [event["reason"] for event in world.events("attempt.skipped")]


def test_exhausted_task_is_buried_by_the_processor() -> None:
    """If SQS delivers a task whose attempts are used up, the processor dead-letters it and starts no fourth."""
    world = World(faults=ALWAYS)
    world.tasks.max_receives = 10
    world.submit(BODY)
    world.drain()

    assert (3, Status.FAILED) == (world.task("t").attempts, world.task("t").status)
    assert ["retries exhausted"] == [event["reason"] for event in world.events("task.dead_lettered")]


def test_lost_claim_changes_nothing(world: World) -> None:
    """An attempt whose claim went to another one writes nothing and keeps its message."""
    world.submit(BODY)
    (record,) = world.tasks.receive()
    complete = world.store.complete

    def complete_too_late(task: Any, *, now: float) -> Any:
        world.store.tasks["t"] = dataclasses.replace(world.task("t"), claim="another")
        return complete(task, now=now)

    world.store.complete = complete_too_late  # type: ignore[method-assign]
    answer = world.process_event(sqs_event(record))

    assert (1, 0) == (len((answer or {})["batchItemFailures"]), world.task("t").effects)
    assert ["claim lost"] == [event["reason"] for event in world.events("attempt.skipped")]


def test_events_carry_the_trace_of_the_submission(world: World) -> None:
    """The trace id of the API call is in the message and in the attempt's events."""
    world.submit(BODY)
    message = json.loads(world.tasks.messages[0].body) | {"traceId": "1-abc"}
    world.process_event(sqs_event(sqs_record(json.dumps(message))))

    assert ["1-abc", "1-abc"] == [event["traceId"] for event in world.events("attempt.started", "attempt.succeeded")]
