"""Which messages of a FIFO queue come back, on LocalStack's own queue."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from localstack.services.sqs.models import FifoQueue, SqsMessage

from dlqlab.emulator.sqs.fifo_groups import return_visible
from tests.unit.emulator.sqs.conftest import Clock, bodies, message


@pytest.fixture
def queue() -> FifoQueue:
    """With two messages of each of two groups, all of them in flight for 10 minutes, in this order: a1 b1 a2 b2."""
    made = FifoQueue(
        "q.fifo",
        "us-east-1",
        "000000000000",
        {"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "600"},
    )
    for body in ("a1", "b1", "a2", "b2"):
        held = made.put(message={"MessageId": body, "Body": body, "Attributes": {}}, message_group_id=body[0])
        made.get_message_group(body[0]).pop()
        held.update_visibility_timeout(600)
        made.add_inflight_message(held)
    return made


@pytest.mark.parametrize(
    ("due", "left"),
    [
        ({"b1", "b2"}, ["a1", "a2"]),
        ({"b1"}, ["a1", "a2", "b2"]),
        ({"a2", "b2"}, ["a1", "a2", "b1", "b2"]),
        ({"a1", "b1", "a2", "b2"}, []),
        (set(), ["a1", "a2", "b1", "b2"]),
    ],
    ids=lambda names: " ".join(sorted(names)) or "none",
)
def test_hidden_message_holds_back_its_own_group_only(queue: FifoQueue, due: set[str], left: list[str]) -> None:
    """What is due comes back unless an earlier message of its group is hidden."""
    for held in queue.inflight:
        if held.message_id in due:
            held.update_visibility_timeout(0)
    return_visible(queue)

    assert left == sorted(held.message_id for held in queue.inflight)
    assert sorted(due & ({"a1", "b1", "a2", "b2"} - set(left))) == sorted(
        visible.message_id for group in queue.message_groups.values() for visible in group.messages
    )


FIFO = {"FifoQueue": "true", "VisibilityTimeout": "30"}
GROUPS = ("a", "b")


@pytest.fixture
def fifo(apply: Callable[[str], None], clock: Clock) -> Callable[..., FifoQueue]:  # noqa: ARG001  (its time is theirs)
    """Makes queues with the patch."""
    apply("fifo_groups")
    return lambda **attributes: FifoQueue("q.fifo", "us-east-1", "000000000000", FIFO | attributes)


def _send(queue: FifoQueue, body: str, *, dedup_id: str | None = None) -> str:
    """The id that the sender is told; the group is the first letter."""
    made = queue.put(message(body), message_group_id=body[0], message_deduplication_id=dedup_id or body)
    return str(made.message_id)


def test_later_message_waits_for_all_that_come_before_it(fifo: Callable[..., FifoQueue]) -> None:
    """Of a batch one comes back at once: what comes after the whole batch stays where it is."""
    queue = fifo()
    for body in ("a1", "a2", "a3"):
        _send(queue, body)
    first = queue.receive(2)
    assert bodies(first) == ["a1", "a2"]

    queue.update_visibility_timeout(first.receipt_handles[0], 0)
    again = queue.receive(10)
    assert bodies(again) == ["a1"]

    queue.remove(again.receipt_handles[0])
    assert bodies(queue.receive(10)) == []
    queue.remove(first.receipt_handles[1])
    assert bodies(queue.receive(10)) == ["a3"]


def test_message_that_was_received_again_comes_back_before_a_later_one(
    fifo: Callable[..., FifoQueue], clock: Clock
) -> None:
    """Its place is the one at which it was sent, not the one at which it was last received."""
    queue = fifo()
    for body in ("a1", "a2"):
        _send(queue, body)
    first = queue.receive(2)
    queue.update_visibility_timeout(first.receipt_handles[0], 0)
    assert bodies(queue.receive(2, visibility_timeout=5)) == ["a1"]

    clock.now += 6
    queue.requeue_inflight_messages()

    assert bodies(queue.receive(2)) == ["a1"]


def test_ids_of_each_group_are_remembered(fifo: Callable[..., FifoQueue], clock: Clock) -> None:
    """A repetition is known also when another group used the id meanwhile, for five minutes."""
    queue = fifo(DeduplicationScope="messageGroup")
    assert [_send(queue, body, dedup_id="1") for body in ("a1", "b1", "a2", "b2")] == ["id-a1", "id-b1"] * 2
    assert bodies(queue.receive(10)) == ["a1", "b1"]

    clock.now += 301
    assert _send(queue, "a3", dedup_id="1") == "id-a3"
    assert len(queue.deduplication) == 1


def test_id_is_remembered_for_the_whole_queue(fifo: Callable[..., FifoQueue]) -> None:
    """Without a scope a message of another group is a repetition too."""
    queue = fifo()
    assert [_send(queue, body, dedup_id="1") for body in ("a1", "b1")] == ["id-a1", "id-a1"]


def test_of_two_that_are_sent_at_once_one_is_added(
    fifo: Callable[..., FifoQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has to wait until the first is remembered."""
    queue, meet = fifo(), threading.Barrier(2)
    put = queue._put_message

    def slow(one: SqsMessage) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            meet.wait(0.05)  # both would be here
        put(one)

    monkeypatch.setattr(queue, "_put_message", slow)
    with ThreadPoolExecutor(2) as threads:
        told = {*threads.map(lambda body: _send(queue, body, dedup_id="1"), ("a1", "a2"))}

    assert len(told) == 1
    assert len(bodies(queue.receive(10))) == 1


class Consumers:
    """They delete, let return, or keep messages until the visibility timeout is over; and look at the order."""

    def __init__(self, queue: FifoQueue, clock: Clock) -> None:
        self.queue, self.clock, self.sent = queue, clock, 0
        self.left: dict[str, list[str]] = {group: [] for group in GROUPS}
        self.held: dict[str, tuple[str, float]] = {}
        """Receipt handle and deadline by body."""

    def send(self, group: str) -> None:
        self.sent += 1
        self.left[group].append(f"{group}{self.sent:02}")
        _send(self.queue, self.left[group][-1])

    def receive(self, count: int) -> list[str]:
        self.queue.requeue_inflight_messages()
        self.held = {body: held for body, held in self.held.items() if held[1] > self.clock.now}
        result = self.queue.receive(count)
        received = bodies(result)
        for place, (body, handle) in enumerate(zip(received, result.receipt_handles, strict=True)):
            assert body not in self.held
            earlier = {other for other in self.left[body[0]] if other < body}
            assert earlier <= {*received[:place]}, f"{body} was received before {earlier}"
            self.held[body] = handle, self.clock.now + 30
        return received

    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    def delete(self, number: int) -> None:
        for body, handle in self._chosen(number):
            self.queue.remove(handle)
            self.left[body[0]].remove(body)

    def let_return(self, number: int) -> None:
        for _, handle in self._chosen(number):
            self.queue.update_visibility_timeout(handle, 0)

    def _chosen(self, number: int) -> list[tuple[str, str]]:
        held = sorted(body for body, (_, due) in self.held.items() if due > self.clock.now + 1)
        body = held[number % len(held)] if held else None
        return [(body, self.held.pop(body)[0])] if body else []


STEP = st.one_of(
    st.tuples(st.just("send"), st.sampled_from(GROUPS)),
    st.tuples(st.just("receive"), st.sampled_from((1, 2, 3, 10))),
    st.tuples(st.sampled_from(("delete", "let_return")), st.integers(0, 2)),
    st.tuples(st.just("wait"), st.sampled_from((5, 31))),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(GROUPS), min_size=3, max_size=12), st.lists(STEP, min_size=4, max_size=30))
def test_groups_keep_their_order_and_none_starves(
    fifo: Callable[..., FifoQueue], clock: Clock, sent: list[str], steps: list[tuple[str, Any]]
) -> None:
    """Nothing is received behind an earlier message of its group, and all is received at last."""
    consumers = Consumers(fifo(), clock)
    for group in sent:
        consumers.send(group)
    for what, value in steps:
        getattr(consumers, what)(value)

    consumers.wait(31)
    while consumers.receive(3):
        while consumers.held:
            consumers.delete(0)
    assert consumers.left == {group: [] for group in GROUPS}
