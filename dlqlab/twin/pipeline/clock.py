"""Simulated time: what is due when, and the draws."""

import heapq
import random
from collections.abc import Callable, Sequence
from itertools import count

from dlqlab.errors import UsageError
from dlqlab.twin.pipeline.model import Samples


class Clock:
    """What is due at one moment happens in the order in which it was asked for."""

    def __init__(self, seed: int) -> None:
        self.now_s = 0.0
        self.events = 0
        self._random = random.Random(seed)  # noqa: S311  (a simulation, no secret)
        self._numbers = count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, at_s: float, act: Callable[[], None]) -> None:
        """Do it then."""
        heapq.heappush(self._due, (at_s, next(self._numbers), act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do it so long from now."""
        self.at(self.now_s + seconds, act)

    def run(self, events_max: int) -> None:
        """Until nothing is due.

        Raises:
            UsageError: that is not so after so many events.
        """
        while self._due:
            self.now_s, _, act = heapq.heappop(self._due)
            self.events += 1
            if self.events > events_max:
                raise UsageError(
                    f"the simulation does not end: after {events_max:,} events it is at {self.now_s:,.0f} s; give "
                    "fewer messages (--rate, --duration), or a visibility timeout (--visibility) or a maxReceiveCount "
                    "(--max-receive-count) that ends the retries"
                )
            act()

    def draw(self, samples: Samples) -> float:
        """One of these, each as likely as another."""
        return samples[int(self._random.random() * len(samples))]

    def choose[T](self, some: Sequence[T]) -> T:
        """One of these, each as likely as another."""
        return some[int(self._random.random() * len(some))]

    def happens(self, chance: float) -> bool:
        """Whether something of this chance happens."""
        return chance > 0 and self._random.random() < chance

    def number(self, counts: Sequence[tuple[int, float]]) -> int:
        """One of these numbers by their chances."""
        left = self._random.random()
        for number, chance in counts:
            left -= chance
            if left < 0:
                return number
        return counts[-1][0]
