"""The pipeline's rules as a plain SimPy model, with fixed pollers and constant durations: what the engine is held to.

Written from the rules alone: it shares the fault plan and the retry policy with the app, and nothing with the engine.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import simpy

from dlqlab.contracts.scenario import Scenario
from dlqlab.load.tasks import task_id
from taskrules.faults import Fault

Process = Generator[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """Constant durations, see dlqlab.twin.parameters; no few of them add up to others, so that moments are distinct."""

    enqueue: float = 0.03012347
    deliver: float = 0.00771931
    head: float = 0.00231713
    success: float = 0.01131951
    turn: float = 0.00031327
    failure: float = 0.00892187
    hide: float = 0.00411661
    tail: float = 0.00191911
    settle: float = 0.00713159
    reappear: float = 0.00133943
    monitor: float = 0.01512377


@dataclass(slots=True)
class Message:
    """One message and what its task has come to."""

    task: int
    sent: float
    receives: int = 0
    attempts: int = 0
    status: str = "QUEUED"
    ended: float = 0.0
    first_started: float = 0.0


@dataclass(slots=True)
class Queue:
    """Visible messages by send time, or by when they became visible, and pollers that wait for a batch.

    By send time too one that was received ``back_after`` times comes back behind the others; 0 is never.

    ``take`` receives a batch; who waits gets it at the moment at which a message is there.
    """

    env: Any
    by_sent: bool
    back_after: int
    take: Callable[[], list[Message]]
    visible: list[tuple[float, int, Message]] = field(default_factory=list)
    waiting: deque[Any] = field(default_factory=deque)
    order: Any = field(default_factory=itertools.count)

    def show(self, message: Message) -> None:
        keeps_place = self.by_sent and not 0 < self.back_after <= message.receives
        heapq.heappush(self.visible, (message.sent if keeps_place else self.env.now, next(self.order), message))
        if self.waiting and (batch := self.take()):
            self.waiting.popleft().succeed(batch)

    def show_later(self, message: Message, after_s: float) -> None:
        def later() -> Process:
            yield self.env.timeout(after_s)
            self.show(message)

        self.env.process(later())

    def wait(self) -> Any:
        """An event that brings a batch."""
        event = self.env.event()
        self.waiting.append(event)
        return event


@dataclass(slots=True)
class Model:
    """One run; ``messages`` hold the result."""

    scenario: Scenario
    times: Seconds
    by_sent: bool
    pollers: int
    back_after: int = 3
    messages: list[Message] = field(default_factory=list)
    env: Any = field(default_factory=simpy.Environment)
    tasks: Queue = field(init=False)
    letters: Queue = field(init=False)
    left: int = 0

    def run(self, due_s: Sequence[float]) -> list[Message]:
        """Every task from its sending to its end."""
        self.tasks = Queue(self.env, by_sent=self.by_sent, back_after=self.back_after, take=self._receive)
        self.letters = Queue(self.env, by_sent=False, back_after=0, take=self._receive_letters)
        self.left = len(due_s)
        self.env.process(self._send(due_s))
        for _ in range(self.pollers):
            self.env.process(self._poll_tasks())
            self.env.process(self._poll_letters())
        self.env.run()
        return self.messages

    def _send(self, due_s: Sequence[float]) -> Process:
        for task, at in enumerate(due_s):
            sent = at + self.times.enqueue
            yield self.env.timeout(sent - self.env.now)
            self.messages.append(Message(task, self.env.now))
            self.tasks.show(self.messages[-1])

    def _receive(self) -> list[Message]:
        """A batch; what was received too often moves to the dead-letter queue instead."""
        batch: list[Message] = []
        most = self.scenario.retry.max_attempts
        while self.tasks.visible and len(batch) < self.scenario.pipeline.batch_size:
            message = heapq.heappop(self.tasks.visible)[2]
            if message.receives >= most:
                self.letters.show(message)
            else:
                message.receives += 1
                batch.append(message)
        return batch

    def _receive_letters(self) -> list[Message]:
        return [heapq.heappop(self.letters.visible)[2] for _ in range(min(10, len(self.letters.visible)))]

    def _poll_tasks(self) -> Process:
        times, plan = self.times, self.scenario.faults
        while self.left:
            batch = self._receive() or (yield self.tasks.wait())
            received = self.env.now
            yield self.env.timeout(times.deliver)
            yield self.env.timeout(times.head)
            for place, message in enumerate(batch):
                message.attempts += 1
                message.first_started = message.first_started or self.env.now
                fault = plan.decide(task_id(self.scenario.seed, message.task), message.attempts).fault
                yield self.env.timeout(times.success if fault is Fault.NONE else times.failure)
                if fault is Fault.CRASH_BEFORE_EFFECT:
                    self._crash(batch[place:], received)
                    break
                yield self.env.timeout(self._end(message, fault))
            else:
                yield self.env.timeout(times.tail)
            yield self.env.timeout(times.settle)

    def _crash(self, rest: list[Message], received: float) -> None:
        """What the function had not settled comes back when the visibility timeout ends."""
        for message in rest:
            until = received + self.scenario.pipeline.visibility_timeout_s + self.times.reappear
            self.tasks.show_later(message, until - self.env.now)

    def _end(self, message: Message, fault: Fault) -> float:
        """The outcome of an attempt; returns how long until the next record."""
        if fault is Fault.NONE:
            self._close(message, "COMPLETED")
            return self.times.turn
        if fault is Fault.PERMANENT:
            self.letters.show(message)
            return self.times.hide
        delay_s = self.scenario.retry.delay_s(task_id(self.scenario.seed, message.task), message.attempts)
        if delay_s:
            self.tasks.show_later(message, delay_s + self.times.reappear)
        else:
            self.tasks.show(message)
        return self.times.hide

    def _poll_letters(self) -> Process:
        while self.left:
            batch = self._receive_letters() or (yield self.letters.wait())
            yield self.env.timeout(self.times.deliver)
            yield self.env.timeout(self.times.head)
            for message in batch:
                yield self.env.timeout(self.times.monitor)
                self._close(message, "FAILED")
            yield self.env.timeout(self.times.tail)
            yield self.env.timeout(self.times.settle)

    def _close(self, message: Message, status: str) -> None:
        message.status, message.ended = status, self.env.now
        self.left -= 1
