"""What a run waits for when all queues are empty: what is the pipeline's own, and comes in time."""

from collections.abc import Mapping, Sequence

import pytest

from dlqlab.collect.drain import wait_for_drain
from dlqlab.collect.queues import Depth
from dlqlab.contracts.owed import Owed, OwedKind
from dlqlab.contracts.topology import Consumer, Function, Queue, Topology
from dlqlab.run import owed
from dlqlab.run.rest import Rest

TOPOLOGY = Topology(
    name="shop",
    queues=(Queue(role="orders", name="shop-orders"),),
    functions=(Function(role="bill", name="bill"),),
    consumers=(Consumer(queue="orders", function="bill"),),
)
NOW = 1_000.0
EVENTS = Owed(kind=OwedKind.EVENT, of="bill", n=3, leads_to="bill")
REMINDER = Owed(kind=OwedKind.SCHEDULE, of="remind-17", leads_to="shop-orders", due_ts=NOW + 5)
TOMORROW = Owed(kind=OwedKind.SCHEDULE, of="tomorrow", leads_to="shop-orders", due_ts=NOW + 86_400)
THEIRS = Owed(kind=OwedKind.RECORD, of="theirs", n=2, leads_to="theirs")
ANYBODYS = Owed(kind=OwedKind.EXECUTION, of="checkout")
EMPTY = {"orders": Depth(visible=0, in_flight=0, delayed=0)}
ONE = {"orders": Depth(visible=1, in_flight=0, delayed=0)}


def test_what_is_waited_for() -> None:
    found = [EVENTS, REMINDER, TOMORROW, THEIRS, ANYBODYS]
    assert owed.to_wait_for(found, TOPOLOGY, NOW + 60) == [EVENTS, REMINDER, ANYBODYS]
    assert owed.not_waited_for(found, TOPOLOGY, NOW + 60) == [TOMORROW]


def test_what_is_waited_for_in_words() -> None:
    assert owed.said([EVENTS, REMINDER]) == "3 asynchronous invocations of bill, 1 one-time schedule remind-17"
    assert owed.said([EVENTS] * 5).endswith("and 2 more")


class Emulator:
    """What an emulator owes, question by question, the last for ever; and the depths that a look finds."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, answers: Sequence[list[Owed]], looks: Sequence[Mapping[str, Depth]]
    ) -> None:
        self.answers, self.looks, self.now = list(answers), list(looks), 0.0
        monkeypatch.setattr(owed, "owed_by", lambda _port: self._next(self.answers))
        monkeypatch.setattr("time.time", lambda: NOW)
        self.rest = Rest(TOPOLOGY, 1, sampled=lambda: EMPTY, look=lambda: self._next(self.looks), deadline_s=30)

    def drained(self) -> bool:
        result = wait_for_drain(self.rest.probe(), 30, clock=lambda: self.now, sleep=self._sleep)
        self.reason = result.reason
        return result.drained

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    @staticmethod
    def _next[T](some: list[T]) -> T:
        return some.pop(0) if len(some) > 1 else some[0]


def test_pipeline_is_at_rest_when_nothing_is_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = Emulator(monkeypatch, [[EVENTS], [EVENTS], [TOMORROW]], [EMPTY])
    assert emulator.drained()
    assert emulator.answers == [[TOMORROW]]
    assert emulator.rest.note() == (
        "no queue with a consumer holds a message; not waited for, as due after the deadline: 1 one-time schedule "
        "tomorrow"
    )


def test_message_that_came_since_the_last_sample_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule that has just fired is owed no longer, and its message is in no sample yet."""
    emulator = Emulator(monkeypatch, [[]], [ONE, EMPTY])
    assert emulator.drained()
    assert emulator.looks == [EMPTY]


def test_what_was_still_owed_at_the_deadline_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = Emulator(monkeypatch, [[EVENTS]], [EMPTY])
    assert not emulator.drained()
    assert "still to come: 3 asynchronous invocations of bill" in emulator.reason
