"""Things to be done at their times, by one thread for all of them."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable

from dlqlab.emulator.core.isolation import isolated, note


class Deadlines[T]:
    """Hands each item to a function when its time has come."""

    def __init__(self, act: Callable[[T], object], *, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Args:
        act: must be quick, since all others wait for it. What it raises is warned about, and ends nothing.
        name: of the thread, which starts with the first item.
        clock: seconds; times are given by it.
        """
        self._act = act
        self._name = name
        self._clock = clock
        self._due: list[tuple[float, int, T]] = []
        self._order = itertools.count()  # equal times must not compare items
        self._changed = threading.Condition()
        self._runs = False

    def __len__(self) -> int:
        return len(self._due)

    def add(self, due: float, item: T) -> None:
        with self._changed:
            if not self._runs:
                self._start()
            heapq.heappush(self._due, (due, next(self._order), item))
            if self._due[0][2] is item:
                self._changed.notify()

    def keep(self, is_wanted: Callable[[T], bool]) -> None:
        """Forget the items that nobody waits for any more."""
        with self._changed:
            self._due = [entry for entry in self._due if is_wanted(entry[2])]
            heapq.heapify(self._due)

    def _start(self) -> None:
        try:
            threading.Thread(target=self._run, daemon=True, name=self._name).start()
        except RuntimeError as error:  # no thread can be had now: the next item tries again
            note(self._name, error)
        else:
            self._runs = True

    def _run(self) -> None:
        guard = isolated(self._name)
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > self._clock():
                    self._changed.wait(self._due[0][0] - self._clock() if self._due else None)
                item = heapq.heappop(self._due)[2]
            with guard:
                self._act(item)
