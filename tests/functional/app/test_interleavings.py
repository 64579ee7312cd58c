"""Whatever order deliveries, deaths and failing calls come in, an effect happens at most once and an end is an end."""

import contextlib
import json
from typing import Any

from chalicelib.batches import deliveries
from hypothesis import given, settings
from hypothesis import strategies as st

from taskrules.tasks import TERMINAL, Status
from tests.events.factories import sqs_event
from tests.functional.app.world import ProcessDied, World

FAULTS = {
    "failure_rate": 0.3,
    "permanent_rate": 0.1,
    "timeout_rate": 0.1,
    "crash_before_rate": 0.1,
    "crash_after_rate": 0.15,
    "duplicate_rate": 0.3,
}
METHODS = ["claim", "complete", "fail", "close", "get", "mark_enqueued"]
TASKS = 3

step = st.one_of(
    st.tuples(st.just("submit"), st.integers(0, TASKS - 1)),
    st.tuples(st.just("process"), st.integers(1, 4)),
    st.tuples(st.just("watch"), st.just(0)),
    st.tuples(st.just("pass"), st.sampled_from([1, 2, 4, 9, 11, 61])),
    st.tuples(st.just("again"), st.integers(0, 5)),  # SQS delivers an old message once more
    st.tuples(st.just("break"), st.sampled_from(METHODS)),
    st.tuples(st.just("mend"), st.just(0)),
    st.tuples(st.just("archive"), st.booleans()),
)


class Chaos:
    """A world driven step by step; remembers every message that was ever delivered."""

    def __init__(self, seed: int) -> None:
        self.world = World(faults=FAULTS, env={"SEED": str(seed)})
        self.delivered: list[dict[str, Any]] = []
        self.accepted: set[str] = set()

    def take(self, action: str, value: Any) -> None:
        world = self.world
        match action:
            case "submit":
                answer = world.submit({"taskId": f"t{value}", "payload": {}})
                if answer.status_code in (200, 202):
                    self.accepted.add(f"t{value}")
            case "process":
                records = world.tasks.receive(value)
                self.delivered += records
                world.process_event(sqs_event(*records))
            case "watch":
                world.watch()
            case "pass":
                world.clock.pass_s(value)
            case "again" if value < len(self.delivered):
                processor = world.processor()
                processor.handle(deliveries(sqs_event(self.delivered[value]))[0])
            case "break":
                world.store.broken.add(value)
            case "mend":
                world.store.broken.clear()
            case "archive":
                world.archive.is_broken = value

    def settle(self) -> None:
        """The fault-free end of a run: everything works again, and time passes until nothing is left to do.

        The sweeper has its part in it: SQS may deliver a deleted message once more, and if that one takes a task over
        from the message that is still there, and dies, no message is left.
        """
        self.world.store.broken.clear()
        self.world.archive.is_broken = False
        self.world.drain(step_s=5)
        self.world.sweep_stranded()
        self.world.drain(step_s=5)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.lists(step, max_size=60))
def test_effects_at_most_once_and_ends_are_final(seed: int, steps: list[tuple[str, Any]]) -> None:
    """No order of events yields a second effect, a way out of a terminal state, a fourth attempt or a lost task."""
    chaos = Chaos(seed)
    for action, value in steps:
        with contextlib.suppress(ProcessDied):  # of a delivery outside of a batch
            chaos.take(action, value)
    chaos.settle()

    _assert_history_is_sound(chaos.world)
    assert [] == [task_id for task_id in chaos.accepted if chaos.world.task(task_id).status not in TERMINAL]


def _assert_history_is_sound(world: World) -> None:
    ended: dict[str, Status] = {}
    for state in world.store.history:
        assert ended.get(state.task_id, state.status) is state.status
        assert state.effects == (1 if state.status is Status.COMPLETED else 0)
        assert state.attempts <= 3
        if state.status in TERMINAL:
            ended[state.task_id] = state.status


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_dead_letter_is_reported_and_archived(seed: int) -> None:
    """After a run with every kind of fault each FAILED task has exactly one log line and one archived message."""
    world = World(faults=FAULTS, env={"SEED": str(seed)})
    for place in range(12):
        world.submit({"taskId": f"t{place}", "payload": {"place": place}})
    world.drain(step_s=5)
    failed = sorted(task.task_id for task in world.store.tasks.values() if task.status is Status.FAILED)
    reported = sorted(
        event["taskId"] for event in world.events("task.dead_lettered") if event["reason"] != "already completed"
    )
    archived = sorted(
        message.task_id or json.dumps(message.body)
        for message in world.archive.messages.values()
        if message.reason != "already completed"
    )

    assert (failed, failed) == (reported, archived)


def test_task_taken_over_by_a_ghost_is_found_by_the_sweeper() -> None:
    """A deleted duplicate that SQS delivers again, and that dies at work, costs its task the message, not the end."""
    chaos = Chaos(35)
    for action, value in [("submit", 0), ("submit", 2), ("process", 3), ("pass", 2), ("again", 2)]:
        with contextlib.suppress(ProcessDied):
            chaos.take(action, value)
    chaos.settle()

    assert chaos.world.task("t2").status in TERMINAL
    assert ["stranded"] == [event["reason"] for event in chaos.world.events("task.requeued")]
