"""Timers of execution environments share one thread.

LocalStack starts a thread after each invocation, which ends an environment that is not used for a while, and stops it
before the next. When a timer fires its function still has a thread of its own: it may take a while.
"""

import threading
import time
from collections.abc import Callable

from localstack.services.lambda_.invocation import execution_environment

from dlqlab.emulator.core.deadlines import Deadlines

_SWEEP_FROM = 1024
"""Cancelled timers are thrown out when they are so many and the half of all; until then each waits for its time."""


class SharedTimer:
    """Calls a function after a while, unless it is cancelled: what ``threading.Timer`` does here."""

    def __init__(self, interval_s: float, function: Callable[[], object]) -> None:
        self._interval_s = interval_s
        self.function: Callable[[], object] | None = function

    def start(self) -> None:
        _CLOCK.add(time.monotonic() + self._interval_s, self)

    def cancel(self) -> None:
        if self.function is not None:
            self.function = None  # it holds the environment
            _CLOCK.note_cancelled()


class Clock:
    """Fires timers, each once at its time."""

    def __init__(self) -> None:
        self._deadlines = Deadlines(_fire, name="dlqlab-timers")
        self._lock = threading.Lock()
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._deadlines)

    def add(self, due: float, timer: SharedTimer) -> None:
        """Args:
        due: monotonic seconds.
        """
        self._deadlines.add(due, timer)

    def note_cancelled(self) -> None:
        with self._lock:
            self._cancelled += 1
            if self._cancelled > max(_SWEEP_FROM, len(self) // 2):
                self._deadlines.keep(lambda timer: timer.function is not None)
                self._cancelled = 0


def _fire(timer: SharedTimer) -> None:
    function, timer.function = timer.function, None
    if function is not None:
        threading.Thread(target=function, daemon=True, name="dlqlab-timer").start()


_CLOCK = Clock()


def patch() -> None:
    execution_environment.Timer = SharedTimer
