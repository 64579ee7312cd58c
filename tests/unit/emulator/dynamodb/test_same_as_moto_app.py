"""The app's own calls: the fast path and moto alone give the same outcomes and leave the same items."""

import uuid
from collections.abc import Callable
from typing import Any

from chalicelib.dynamo import DynamoTaskStore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskrules.store import Claim, Failure, NewTask, Outcome
from taskrules.tasks import Task
from tests.support.dynamodb import TASK_TABLE
from tests.unit.emulator.dynamodb.side import Side

Step = Callable[[DynamoTaskStore], Any]

IDS = st.sampled_from(["task-1", "task-2"])
TOKENS = st.sampled_from(["token-1", "token-2"])
TIMES_S = st.integers(0, 12).map(lambda half_s: 1_750_000_000.25 + half_s / 2)
GENERATIONS = st.integers(1, 2)


def create(task_id: str, token: str, now: float) -> Step:
    new = NewTask(
        task_id=task_id,
        payload_json='{"a": 1}',
        payload_digest="0f",
        created_ts=now,
        pending_by=token,
        run_id="run",
        trace_id=None,
    )
    return lambda store: store.create(new)


def claim(task_id: str, token: str, message: str, generation: int, now: float) -> Step:
    wanted = Claim(
        task_id=task_id,
        generation=generation,
        message_id=message,
        token=token,
        now=now,
        lease_until_ts=now + 2,
        attempts_max=3,
    )
    return lambda store: store.claim(wanted)


def with_task(task_id: str, act: Callable[[DynamoTaskStore, Task], Outcome]) -> Step:
    """A step that needs the task as it stands; None where there is none."""

    def step(store: DynamoTaskStore) -> Outcome | None:
        task = store.get(task_id)
        return act(store, task) if task else None

    return step


def end(task_id: str, now: float, how: str) -> Step:
    """The end of an attempt; where none has begun, or the task was requeued since, there is nothing to end."""

    def act(store: DynamoTaskStore, task: Task) -> Outcome:
        if not task.history or task.claim is None:
            return Outcome(done=False, task=task)
        if how == "complete":
            return store.complete(task, now=now)
        failure = Failure(error_type="E", error_message="é", not_before_ts=now + 1, closed=how == "close")
        return store.fail(task, failure, now=now)

    return with_task(task_id, act)


def give_up(task_id: str, now: float) -> Step:
    return with_task(task_id, lambda store, task: store.close(task, error_type="E", error_message="m", now=now))


def requeue(task_id: str, token: str, now: float) -> Step:
    return with_task(task_id, lambda store, task: store.requeue(task, reason="asked", token=token, now=now))


def adopt(task_id: str, expected: str, token: str, now: float) -> Step:
    return lambda store: store.adopt(task_id, expected=expected, token=token, now=now)


def mark(task_id: str, token: str, now: float) -> Step:
    return lambda store: store.mark_enqueued(task_id, token=token, now=now)


def withdraw(task_id: str, token: str) -> Step:
    return lambda store: store.withdraw(task_id, token=token)


STEPS = st.one_of(
    st.builds(create, IDS, TOKENS, TIMES_S),
    st.builds(adopt, IDS, TOKENS, TOKENS, TIMES_S),
    st.builds(mark, IDS, TOKENS, TIMES_S),
    st.builds(withdraw, IDS, TOKENS),
    st.builds(claim, IDS, TOKENS, TOKENS, GENERATIONS, TIMES_S),
    st.builds(claim, IDS, TOKENS, TOKENS, st.just(1), TIMES_S),
    st.builds(end, IDS, TIMES_S, st.sampled_from(["complete", "fail", "close"])),
    st.builds(give_up, IDS, TIMES_S),
    st.builds(requeue, IDS, TOKENS, TIMES_S),
)
FAST, MOTO = Side(fast=True), Side(fast=False)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=5, max_size=25))
def test_the_app_cannot_tell_the_fast_path_from_moto(steps: list[Step]) -> None:
    """Any order of creates, claims, ends and redrives, in which conditions hold and fail; all of it is served fast."""
    name = uuid.uuid4().hex
    stores = []
    for side, table in ((FAST, f"fast-{name}"), (MOTO, f"moto-{name}")):
        side.call("CreateTable", TableName=table, **TASK_TABLE)
        stores.append(DynamoTaskStore(side, table))  # type: ignore[arg-type]  # the same four calls
    FAST.by_moto = 0

    for step in steps:
        outcome, expected = (step(store) for store in stores)
        assert expected == outcome
    assert 0 == FAST.by_moto
    assert MOTO.items(f"moto-{name}") == FAST.items(f"fast-{name}")
