"""Queues in simulated time: order, groups. A message that is deleted or hidden is passed over when it is met.

A standard queue gives the message that was sent first; one that was received ``BACK_FROM`` times comes back at the end
(SQS developer guide, "Available CloudWatch metrics for Amazon SQS"). A FIFO queue gives no message of a group of which
others are in flight (SQS developer guide, "FIFO queue delivery logic").
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from dlqlab.twin.pipeline.model import QueueRules

BACK_FROM: Final = 3
IN_FLIGHT_MAX: Final = 120_000
"""SQS developer guide, "Amazon SQS standard queue quotas"; of FIFO queues as well."""


@dataclass(eq=False, slots=True)
class Message:
    """One message in one queue. ``turn`` changes whenever it is hidden: what was due before is then void.

    ``visits``: how often its chain had been in each queue before.
    """

    root: int
    queue: str
    sent_s: float
    group: str | None
    visits: dict[str, int]
    receives: int = 0
    turn: int = 0
    is_visible: bool = False
    is_gone: bool = False
    order: float = 0.0


@dataclass(slots=True)
class Queue:
    """One queue's messages that can be received now."""

    rules: QueueRules
    visible: int = 0
    in_flight: int = 0
    numbers: Iterator[int] = field(default_factory=count)
    heap: list[tuple[float, int, Message]] = field(default_factory=list)
    waiting: dict[str, list[tuple[float, int, Message]]] = field(default_factory=dict)
    busy: dict[str, int] = field(default_factory=dict)

    def show(self, message: Message, now_s: float) -> None:
        """It can be received from now on."""
        if message.receives >= BACK_FROM and not self.rules.is_fifo:
            message.order = now_s
        message.is_visible = True
        self.visible += 1
        entry = (message.order, next(self.numbers), message)
        heap = self.waiting.setdefault(message.group or "", []) if self.rules.is_fifo else self.heap
        heapq.heappush(heap, entry)

    def unshow(self, message: Message) -> None:
        """It cannot be received any more."""
        message.is_visible = False
        self.visible -= 1

    def hold(self, message: Message) -> None:
        """It is in flight."""
        self.in_flight += 1
        if self.rules.is_fifo:
            self.busy[message.group or ""] = self.busy.get(message.group or "", 0) + 1

    def release(self, message: Message) -> None:
        """It is in flight no more."""
        self.in_flight -= 1
        if self.rules.is_fifo:
            self.busy[message.group or ""] -= 1

    @property
    def can_give(self) -> bool:
        """Whether something can be received."""
        if not self.visible or self.in_flight >= IN_FLIGHT_MAX:
            return False
        return not self.rules.is_fifo or self._free_group() is not None

    def take(self) -> Message | None:
        """The next message, which its caller takes out or holds; None where there is none."""
        if not self.visible or self.in_flight >= IN_FLIGHT_MAX:
            return None
        heap = self._free_group() if self.rules.is_fifo else self.heap
        return heapq.heappop(heap)[2] if heap and _clean(heap) else None

    def _free_group(self) -> list[tuple[float, int, Message]] | None:
        """The messages of the group whose first one was sent first, of those with none in flight."""
        for group in [group for group, heap in self.waiting.items() if not _clean(heap)]:
            del self.waiting[group]
        free = [heap for group, heap in self.waiting.items() if not self.busy.get(group)]
        return min(free, key=lambda heap: heap[0][:2], default=None)

    def take_more(self, group: str | None) -> Message | None:
        """The next message of a group of which the same batch has others already."""
        heap = self.waiting.get(group or "")
        return heapq.heappop(heap)[2] if heap and _clean(heap) else None


def _clean(heap: list[tuple[float, int, Message]]) -> bool:
    """Drop what is not visible any more from the top; whether something is left."""
    while heap and not heap[0][2].is_visible:
        heapq.heappop(heap)
    return bool(heap)
