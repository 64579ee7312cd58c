"""Pacing and the sharing of tasks between processes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.load.pace import Pace, Share, Slot


def pace(*, index: int = 0, stride: int = 1, tasks: int = 5, rate: float = 10.0, duration: float = 100.0) -> Pace:
    share = Share(first=0, index=index, stride=stride, tasks=tasks)
    return Pace(share, rate_per_s=rate, duration_s=duration, started_s=1000.0)


def drained(pacer: Pace, now_s: float = 1000.0) -> list[Slot]:
    slots = []
    while slot := pacer.next(now_s):
        slots.append(slot)
    return slots


def test_tasks_are_due_on_a_grid() -> None:
    """Task k is due k / rate after the start, whenever it is asked for."""
    slots = drained(pace(tasks=4))

    assert [Slot(0, 1000.0), Slot(1, 1000.1), Slot(2, 1000.2), Slot(3, 1000.3)] == slots


def test_without_a_rate_every_task_is_due_at_once() -> None:
    """Rate 0 is as fast as the users can: a task is due when a user is free for it, so none is late."""
    slots = drained(pace(tasks=2, rate=0.0), now_s=1003.0)

    assert [Slot(0, 1003.0), Slot(1, 1003.0)] == slots


@given(st.integers(1, 300), st.integers(1, 9), st.integers(0, 10**6))
def test_shares_cover_all_tasks_and_never_overlap(tasks: int, workers: int, first: int) -> None:
    """However many processes there are, each task is sent by exactly one."""
    sent = []
    for index in range(workers):
        share = Share(first=first, index=index, stride=workers, tasks=tasks)
        slots = drained(Pace(share, rate_per_s=0.0, duration_s=1.0, started_s=0.0), now_s=0.0)
        assert share.size == len(slots)
        sent += [slot.counter for slot in slots]

    assert list(range(first, first + tasks)) == sorted(sent)


def test_workers_keep_the_rate_of_the_run_together() -> None:
    """The second of two workers has every other slot of the common schedule."""
    slots = drained(pace(index=1, stride=2, tasks=4))

    assert [Slot(1, 1000.1), Slot(3, 1000.3)] == slots


@pytest.mark.parametrize(("duration", "n"), [(0.3, 3), (0.31, 4), (100.0, 5)])
def test_no_task_is_due_after_the_end(duration: float, n: int) -> None:
    """The load ends after the duration or the tasks, whichever comes first."""
    assert len(drained(pace(duration=duration))) == n


def test_no_task_is_handed_out_after_the_end() -> None:
    """When users are late, what is left at the end of the duration is not sent."""
    pacer = pace(duration=0.4)
    first = pacer.next(1000.39)

    assert first == Slot(0, 1000.0)
    assert pacer.next(1000.4) is None


def test_lateness_is_summed_up() -> None:
    """Mean and maximum lateness are over the tasks sent; early wake-ups count as on time."""
    pacer = pace()
    for slot, now_s in zip(drained(pacer), (1000.0, 1000.3, 1000.1999, 1000.3, 1000.4), strict=True):
        pacer.sent(slot, now_s)

    assert pacer.late.n == 5
    assert pacer.late.max_s == pytest.approx(0.2)
    assert pacer.late.mean_s == pytest.approx(0.04)
    assert pace().late.mean_s == 0.0
