"""Timers that share a thread fire as those with one of their own would."""

import threading
import time

import pytest

from dlqlab.emulator.functions import shared_timers
from dlqlab.emulator.functions.shared_timers import Clock, SharedTimer

DEADLINE_S = 10


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the timers of a test."""
    fresh = Clock()
    monkeypatch.setattr(shared_timers, "_CLOCK", fresh)
    return fresh


def test_timers_fire_in_the_order_of_their_times(clock: Clock) -> None:
    """Also one that is added while the clock waits for a later one; none before its time."""
    fired: list[tuple[str, float]] = []
    done = threading.Event()
    began = time.monotonic()

    def note(name: str) -> None:
        fired.append((name, time.monotonic() - began))
        if len(fired) == 3:
            done.set()

    for name, after_s in (("last", 0.3), ("middle", 0.15), ("first", 0.0)):
        SharedTimer(after_s, lambda name=name: note(name)).start()  # type: ignore[misc]

    assert done.wait(DEADLINE_S)
    assert ["first", "middle", "last"] == [name for name, _ in fired]
    assert all(at_s >= after_s for (_, at_s), after_s in zip(fired, (0.0, 0.15, 0.3), strict=True))
    assert 0 == len(clock)


def test_cancelled_timer_does_not_fire(clock: Clock) -> None:
    """Nor does it keep what it would have called; others go on."""
    fired: list[str] = []
    done = threading.Event()
    cancelled = SharedTimer(0.05, lambda: fired.append("cancelled"))
    cancelled.start()
    cancelled.cancel()
    cancelled.cancel()
    SharedTimer(0.1, done.set).start()

    assert done.wait(DEADLINE_S)
    assert [] == fired
    assert cancelled.function is None
    assert 0 == len(clock)


@pytest.mark.usefixtures("clock")
def test_timer_that_takes_its_time_holds_up_no_other() -> None:
    """Each that fires has a thread of its own."""
    release, done = threading.Event(), threading.Event()
    SharedTimer(0.0, lambda: release.wait(DEADLINE_S)).start()
    SharedTimer(0.0, done.set).start()

    assert done.wait(DEADLINE_S)
    release.set()


def test_cancelled_timers_do_not_pile_up(clock: Clock) -> None:
    """A flood cancels a timer for each invocation long before its time; those that stay are kept."""
    kept = SharedTimer(600, lambda: None)
    kept.start()
    for _ in range(5000):
        timer = SharedTimer(600, lambda: None)
        timer.start()
        timer.cancel()

    assert len(clock) <= 2 * 1024
    assert kept.function is not None
