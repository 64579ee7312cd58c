"""A ticker: calls something at a fixed rate on a thread of its own."""

import os
import sys
import threading
import time
from collections.abc import Callable

from dlqlab.errors import EvidenceError

STEPS_BACK = 10
"""Nice steps below the rest of the process: sampling costs 17 ms a second and yields to the pipeline."""

FAILURES_MAX = 5
"""So many failed calls in a row, and whatever is called does not come back."""


class Ticker:
    """Calls ``tick`` at 0, 1, 2, ... intervals after the start, by the monotonic clock.

    A call that takes longer than the interval skips the ticks that it overran; the rest stay on the grid. An error of
    a call is counted and kept, and the next call still happens. On Linux the thread stands back behind the pipeline
    that it looks at; elsewhere priority belongs to whole processes.
    """

    def __init__(
        self,
        what: str,
        tick: Callable[[], None],
        *,
        interval_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._tick = tick
        self._interval_s = interval_s
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=what, daemon=True)
        self._ticks = 0
        self._failures = 0
        self._failures_in_a_row = 0
        self._last_error: Exception | None = None

    def start(self) -> None:
        self._thread.start()

    def ending(self) -> str | None:
        """How the calls have come to an end, for a sentence; None while they go on, or were stopped."""
        if self._stopping.is_set():
            return None
        if self._failures_in_a_row >= FAILURES_MAX:
            error = self._last_error
            return f"failed {self._failures_in_a_row} times in a row, last with {type(error).__name__}: {error}"
        return None if self._thread.is_alive() else "ended without a word"

    def stop(self) -> None:
        """End the thread after the call that is under way; a second stop does nothing.

        Raises:
            EvidenceError: calls failed.
        """
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._thread.join()
        if self._last_error is not None:
            raise EvidenceError(
                f"{self._what}: {self._failures} of {self._ticks} samples failed, "
                f"last with {type(self._last_error).__name__}: {self._last_error}"
            ) from self._last_error

    def _run(self) -> None:
        _stand_back()
        began_s = self._clock()
        due = 0
        while not self._stopping.wait(max(0.0, began_s + due * self._interval_s - self._clock())):
            self._ticks += 1
            try:
                self._tick()
                self._failures_in_a_row = 0
            except Exception as error:  # noqa: BLE001  (raised by stop(): a gap in the samples must not end them)
                self._failures += 1
                self._failures_in_a_row += 1
                self._last_error = error
            due = max(due + 1, int((self._clock() - began_s) / self._interval_s) + 1)


def _stand_back() -> None:
    if sys.platform == "linux":  # where a thread has a priority of its own (setpriority(2), differences to POSIX)
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + STEPS_BACK)
