"""Waiting for a condition: the one loop of the harness that sleeps."""

import time
from collections.abc import Callable


class DeadlinePassedError(Exception):
    """The condition did not come true in time; ``last`` is what the probe saw at the end."""

    def __init__(self, what: str, waited_s: float, last: object) -> None:
        super().__init__(f"{what}: not within {waited_s:.1f} s; last seen: {last}")
        self.last = last


def wait_for[T](
    what: str,
    probe: Callable[[], tuple[bool, T]],
    *,
    deadline_s: float,
    interval_s: float = 0.1,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Probe until it says yes; returns what it saw then. The time that the probe takes counts.

    Raises:
        DeadlinePassedError: the condition was not true at the deadline; it carries the last state seen.
    """
    began = clock()
    while True:
        done, seen = probe()
        if done:
            return seen
        waited_s = clock() - began
        if waited_s >= deadline_s:
            raise DeadlinePassedError(what, waited_s, seen)
        sleep(min(interval_s, deadline_s - waited_s))
