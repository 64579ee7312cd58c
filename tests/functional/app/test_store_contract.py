"""The table's conditions: the in-memory table of these tests and the DynamoDB one (on moto) must do the same."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from chalicelib.dynamo import DynamoArchive, DynamoTaskStore
from chalicelib.dynamo_sweep import DynamoSweepStore
from moto import mock_aws

from taskrules.store import ArchivedMessage, Claim, Failure, NewTask, StoreError, SweepStore, TaskStore
from taskrules.tasks import AttemptRecord, Redrive, Status, Task
from tests.functional.app.fakes import MemoryArchive, MemoryStore
from tests.support.dynamodb import table_of

NOW = 1_700_000_000.25
NEW = NewTask(
    task_id="t",
    payload_json='{"x":"é"}',
    payload_digest="d1",
    created_ts=NOW,
    pending_by="r1",
    run_id="run-1",
    trace_id=None,
)
CLAIM = Claim(
    task_id="t", generation=1, message_id="m1", token="r2#m1", now=NOW, lease_until_ts=NOW + 10, attempts_max=3
)
FAILURE = Failure(error_type="TransientFault", error_message="draw", not_before_ts=NOW + 4, closed=False)
LETTER = ArchivedMessage(
    archive_id="t#1",
    task_id="t",
    generation=1,
    message_id="m1",
    body="{}",
    redacted=False,
    truncated=False,
    error_type="TransientFault",
    error_message="draw",
    reason="retries exhausted",
    attempts=3,
    first_ts=NOW,
    last_ts=NOW,
    archived_ts=NOW,
    expires_ts=int(NOW) + 86_400,
    run_id="run-1",
)


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A DynamoDB in this process with the two tables."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client: Any = botocore.session.get_session().create_client("dynamodb", region_name="us-east-1")
        for table, key in (("tasks", "taskId"), ("archive", "archiveId")):
            client.create_table(TableName=table, **table_of(key))
        yield client


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> SweepStore:
    """Each task table in turn."""
    if request.param == "memory":
        return MemoryStore()
    return DynamoSweepStore(request.getfixturevalue("dynamodb"), "tasks")


def claimed(store: TaskStore, **changes: Any) -> Task:
    """A claim that must succeed."""
    outcome = store.claim(dataclasses.replace(CLAIM, **changes))
    assert outcome.done
    assert outcome.task is not None
    return outcome.task


def may_claim(store: TaskStore, **changes: Any) -> bool:
    return store.claim(dataclasses.replace(CLAIM, **changes)).done


def test_created_task_reads_back(store: TaskStore) -> None:
    """A new task is QUEUED, of generation 1, unattempted, and pending by its request."""
    outcome = store.create(NEW)
    expected = Task(
        task_id="t",
        status=Status.QUEUED,
        generation=1,
        attempts=0,
        effects=0,
        payload_json='{"x":"é"}',
        payload_digest="d1",
        created_ts=NOW,
        updated_ts=NOW,
        pending_by="r1",
        run_id="run-1",
    )

    assert (True, expected) == (outcome.done, store.get("t"))


def test_second_creation_shows_the_first(store: TaskStore) -> None:
    """A task that exists is not replaced; the refusal carries it."""
    store.create(NEW)
    outcome = store.create(dataclasses.replace(NEW, payload_digest="d2"))

    assert (False, "d1") == (outcome.done, outcome.task.payload_digest if outcome.task else None)


def test_only_the_pending_request_may_be_followed_or_withdrawn(store: TaskStore) -> None:
    """Adoption and withdrawal need the request that the task waits for."""
    store.create(NEW)
    adopted = [store.adopt("t", expected=by, token="r9", now=NOW) for by in ("r1", "r1")]
    withdrawn = [store.withdraw("t", token=by).done for by in ("r1", "r9", "r9")]

    assert ([True, False], [False, True, False], None) == (adopted, withdrawn, store.get("t"))


def test_enqueued_task_cannot_be_withdrawn_or_adopted(store: TaskStore) -> None:
    """Once the message is out the task waits for no request."""
    store.create(NEW)
    store.mark_enqueued("t", token="r1", now=NOW + 1)
    task = store.get("t")

    assert (NOW + 1, None) == (task.enqueued_ts, task.pending_by) if task else None
    assert (False, False) == (
        store.withdraw("t", token="r1").done,
        store.adopt("t", expected="r1", token="r9", now=NOW),
    )


def test_mark_makes_no_task(store: TaskStore) -> None:
    """A mark that comes after a withdrawal leaves nothing behind."""
    store.mark_enqueued("gone", token="r1", now=NOW)

    assert store.get("gone") is None


def test_claim_counts_and_holds(store: TaskStore) -> None:
    """A claim makes the task PROCESSING with one attempt more, and no second claim is let in before the lease ends."""
    store.create(NEW)
    task = claimed(store)

    assert (Status.PROCESSING, 1, "r2#m1", "m1", None) == (
        task.status,
        task.attempts,
        task.claim,
        task.carrier,
        task.pending_by,
    )
    assert (AttemptRecord(generation=1, attempt=1, started_ts=NOW),) == task.history
    assert not may_claim(store, token="r3#m2", message_id="m2", now=NOW + 9.9)


@pytest.mark.parametrize(
    ("message_id", "after_s", "expected"),
    [("m1", 8.9, False), ("m1", 9.1, True), ("m2", 9.1, False), ("m2", 9.9, False), ("m2", 10.0, True)],
)
def test_lease_ends_earlier_for_its_own_message(
    store: TaskStore, message_id: str, after_s: float, expected: bool
) -> None:
    """The message that holds the claim is let in within the clock's grace, another one not before the lease is over."""
    store.create(NEW)
    claimed(store)

    assert expected == may_claim(store, token="r3", message_id=message_id, now=NOW + after_s)


@pytest.mark.parametrize(
    ("message_id", "after_s", "expected"),
    [("m1", 2.9, False), ("m1", 3.1, True), ("m2", 3.9, False), ("m2", 4.0, True)],
)
def test_backoff_holds_the_task(store: TaskStore, message_id: str, after_s: float, expected: bool) -> None:
    """The same for a backoff."""
    store.create(NEW)
    store.fail(claimed(store), FAILURE, now=NOW)

    assert expected == may_claim(store, token="r3", message_id=message_id, now=NOW + after_s)


@pytest.mark.parametrize("changes", [{"generation": 2}, {"attempts_max": 1, "now": NOW + 60}, {"task_id": "none"}])
def test_claim_needs_its_generation_and_an_attempt_left(store: TaskStore, changes: dict[str, Any]) -> None:
    """Another generation, used-up attempts and an unknown task start nothing."""
    store.create(NEW)
    store.fail(claimed(store), FAILURE, now=NOW)

    assert not may_claim(store, **{"token": "r3", "now": NOW + 4, **changes})


def test_refused_claim_shows_the_task(store: TaskStore) -> None:
    """What refused a claim comes back with it; nothing comes back where there is nothing."""
    store.create(NEW)
    claimed(store)
    refused = store.claim(dataclasses.replace(CLAIM, token="r3", message_id="m2"))
    unknown = store.claim(dataclasses.replace(CLAIM, task_id="none"))

    assert (False, "r2#m1") == (refused.done, refused.task.claim if refused.task else None)
    assert (False, None) == (unknown.done, unknown.task)


def test_closed_task_is_claimed_no_more(store: TaskStore) -> None:
    """After a failure that closes the task there is no further attempt."""
    store.create(NEW)
    store.fail(claimed(store), dataclasses.replace(FAILURE, closed=True), now=NOW)

    assert not may_claim(store, token="r3", now=NOW + 1_000)


def test_completion_happens_once(store: TaskStore) -> None:
    """The holder of the claim completes the task with one effect; nobody else does, and not again by another claim."""
    store.create(NEW)
    task = claimed(store)
    stranger = store.complete(dataclasses.replace(task, claim="r9"), now=NOW + 1)
    mine = store.complete(task, now=NOW + 1)
    ended = store.get("t")

    assert (False, True) == (stranger.done, mine.done)
    assert (Status.COMPLETED, 1, "succeeded", NOW + 1) == (
        (ended.status, ended.effects, ended.history[0].outcome, ended.history[0].ended_ts) if ended else None
    )
    assert not store.fail(task, FAILURE, now=NOW + 2).done


def test_second_attempt_gets_its_own_record(store: TaskStore) -> None:
    """Attempts are recorded in order, each with its end and error; one that died has no end."""
    store.create(NEW)
    store.fail(claimed(store), FAILURE, now=NOW + 1)
    claimed(store, token="r3#m1", now=NOW + 4)
    store.complete(claimed(store, token="r4#m1", now=NOW + 20), now=NOW + 21)
    task = store.get("t")
    expected = (
        AttemptRecord(
            generation=1,
            attempt=1,
            started_ts=NOW,
            ended_ts=NOW + 1,
            outcome="failed",
            error_type="TransientFault",
            error_message="draw",
        ),
        AttemptRecord(generation=1, attempt=2, started_ts=NOW + 4),
        AttemptRecord(generation=1, attempt=3, started_ts=NOW + 20, ended_ts=NOW + 21, outcome="succeeded"),
    )

    assert expected == (task.history if task else None)


ENDS: dict[str, Callable[[TaskStore, Task], object]] = {
    "completed": lambda store, task: store.complete(task, now=NOW),
    "failed": lambda store, task: (
        store.fail(task, FAILURE, now=NOW),
        store.close(task, error_type="E", error_message="e", now=NOW),
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_terminal_state_never_changes(store: TaskStore, end: str) -> None:
    """Neither a claim nor a failure nor a closing gets through to a task that has ended."""
    store.create(NEW)
    task = claimed(store)
    ENDS[end](store, task)
    before = store.get("t")
    tries = [
        may_claim(store, token="r3", now=NOW + 1_000),
        store.fail(task, FAILURE, now=NOW + 1_000).done,
        store.close(task, error_type="E", error_message="e", now=NOW + 1_000).done,
    ]

    assert ([False, False, False], before) == (tries, store.get("t"))


def test_running_attempt_is_not_closed(store: TaskStore) -> None:
    """A task is closed from rest, but not while its lease runs, and not by a message of another generation."""
    store.create(NEW)
    task = claimed(store)
    other = dataclasses.replace(task, generation=2)
    tries = [
        store.close(which, error_type="E", error_message="e", now=now).done
        for which, now in ((task, NOW + 5), (other, NOW + 60), (task, NOW + 60))
    ]

    assert [False, False, True] == tries


def failed_task(store: TaskStore) -> Task:
    """A task that is FAILED in generation 1."""
    store.create(NEW)
    store.mark_enqueued("t", token="r1", now=NOW)
    task = claimed(store)
    store.fail(task, dataclasses.replace(FAILURE, closed=True), now=NOW + 1)
    assert store.close(task, error_type="TransientFault", error_message="draw", now=NOW + 2).done
    found = store.get("t")
    assert found is not None
    return found


def test_requeued_task_begins_a_generation_and_keeps_its_record(store: TaskStore) -> None:
    """Out of FAILED a task is QUEUED in the next generation, unattempted, pending, with the redrive written down."""
    task = failed_task(store)
    outcome = store.requeue(task, reason="redrive", token="d1", now=NOW + 60)
    redrive = Redrive(generation=2, at_ts=NOW + 60, reason="redrive", error_type="TransientFault", error_message="draw")
    expected = Task(
        task_id="t",
        status=Status.QUEUED,
        generation=2,
        attempts=0,
        effects=0,
        payload_json=NEW.payload_json,
        payload_digest=NEW.payload_digest,
        created_ts=NOW,
        updated_ts=NOW + 60,
        pending_by="d1",
        history=task.history,
        redrives=(redrive,),
        run_id="run-1",
    )

    assert (True, expected, expected) == (outcome.done, outcome.task, store.get("t"))


def test_only_a_failed_task_of_this_generation_is_requeued(store: TaskStore) -> None:
    """No live or completed task is requeued, and no generation twice."""
    store.create(NEW)
    live = store.get("t")
    assert live is not None
    tries = [store.requeue(live, reason="redrive", token="d1", now=NOW).done]
    store.withdraw("t", token="r1")
    task = failed_task(store)
    tries += [store.requeue(task, reason="redrive", token=token, now=NOW).done for token in ("d1", "d2")]

    assert [False, True, False] == tries


def test_mark_of_an_earlier_generation_takes_nothing_away(store: TaskStore) -> None:
    """Who enqueued generation 1 cannot clear the mark of generation 2, whose message is not out yet."""
    store.requeue(failed_task(store), reason="redrive", token="d1", now=NOW)
    store.mark_enqueued("t", token="r1", now=NOW)
    left = store.get("t")
    store.mark_enqueued("t", token="d1", now=NOW + 1)
    marked = store.get("t")

    assert "d1" == (left.pending_by if left else None)
    assert (None, NOW + 1) == ((marked.pending_by, marked.enqueued_ts) if marked else None)


def test_redriven_task_is_never_withdrawn(store: TaskStore) -> None:
    """A queue that refuses must not cost a redriven task its history."""
    store.requeue(failed_task(store), reason="redrive", token="d1", now=NOW)

    assert not store.withdraw("t", token="d1").done


def test_pending_tasks_are_found_until_their_message_is_out(store: SweepStore) -> None:
    """A task is pending from its creation or its adoption until it is marked as enqueued or claimed."""
    for task_id in ("t", "u", "v"):
        store.create(dataclasses.replace(NEW, task_id=task_id))
    young = store.pending(before_ts=NOW, limit=10)
    old = store.pending(before_ts=NOW + 1, limit=10)
    store.adopt("u", expected="r1", token="s1", now=NOW + 10)
    store.mark_enqueued("v", token="r1", now=NOW)
    left = store.pending(before_ts=NOW + 1, limit=10)
    claimed(store)

    assert ([], ["t", "u", "v"], ["t"]) == (young, sorted(old), left)
    assert ["u"] == store.pending(before_ts=NOW + 60, limit=10)
    assert 2 == len(old[:2])


def test_limit_of_pending_tasks_holds(store: SweepStore) -> None:
    """No more are returned than asked for, whatever part of the index they lie in."""
    for number in range(20):
        store.create(dataclasses.replace(NEW, task_id=f"t{number}"))

    assert 7 == len(store.pending(before_ts=NOW + 1, limit=7))


def test_stranded_tasks_are_the_live_ones_that_are_overdue(store: SweepStore) -> None:
    """QUEUED by its last change, RETRYING by its backoff, PROCESSING by its lease; never pending or terminal ones."""
    for task_id in ("queued", "retrying", "processing", "done", "pending"):
        store.create(dataclasses.replace(NEW, task_id=task_id))
        if task_id != "pending":
            store.mark_enqueued(task_id, token="r1", now=NOW)
    store.fail(claimed(store, task_id="retrying", token="a"), FAILURE, now=NOW)
    claimed(store, task_id="processing", token="b")
    store.complete(claimed(store, task_id="done", token="c"), now=NOW)
    found = [sorted(task.task_id for task in store.stranded(before_ts=NOW + after)) for after in (1, 5, 11)]

    assert [["queued"], ["queued", "retrying"], ["processing", "queued", "retrying"]] == found


def test_stranded_task_is_taken_once_and_only_as_it_was_read(store: SweepStore) -> None:
    """Who read the task first and took it wins; a task that has moved since is left alone."""
    store.create(NEW)
    store.mark_enqueued("t", token="r1", now=NOW)
    (task,) = store.stranded(before_ts=NOW + 60)
    taken = [store.take_stranded(task, token=token, now=NOW + 60) for token in ("s1", "s2")]
    store.mark_enqueued("t", token="s1", now=NOW + 61)
    late = store.take_stranded(task, token="s3", now=NOW + 62)

    assert ([True, False], False) == (taken, late)
    assert [] == list(store.stranded(before_ts=NOW + 60))


def test_write_that_the_sdk_sent_twice_counts_once(dynamodb: Any) -> None:
    """A claim, completion or failure repeated by the same attempt is found done, as after a lost answer."""
    store = DynamoTaskStore(dynamodb, "tasks")
    store.create(NEW)
    claims = [store.claim(CLAIM) for _ in range(2)]
    completions = [store.complete(claims[1].task, now=NOW).done for _ in range(2) if claims[1].task]
    task = store.get("t")

    assert ([True, True], [True, True]) == ([claim.done for claim in claims], completions)
    assert (1, 1) == ((task.attempts, task.effects) if task else None)


def test_missing_table_is_a_store_error(dynamodb: Any) -> None:
    """Any refusal but the condition's is an error of the store."""
    store = DynamoTaskStore(dynamodb, "no-such-table")
    calls: list[Callable[[], object]] = [
        lambda: store.create(NEW),
        lambda: store.get("t"),
        lambda: store.claim(CLAIM),
        lambda: store.withdraw("t", token="r"),
        lambda: DynamoArchive(dynamodb, "no-such-table").put(LETTER),
    ]
    for call in calls:
        with pytest.raises(StoreError, match="t"):
            call()


@pytest.mark.parametrize("kind", ["memory", "dynamodb"])
def test_archive_keeps_the_first(request: pytest.FixtureRequest, kind: str) -> None:
    """A dead letter is kept once."""
    archive = MemoryArchive() if kind == "memory" else DynamoArchive(request.getfixturevalue("dynamodb"), "archive")

    assert [True, False] == [archive.put(LETTER) for _ in range(2)]
