"""wait_for probes until its condition holds or its time is up."""

from collections.abc import Iterator

import pytest

from dlqlab.waiting import DeadlinePassedError, wait_for


class Clock:
    """A clock that moves only when somebody sleeps or a probe takes its time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def _answers(*values: bool) -> Iterator[tuple[bool, int]]:
    return iter([(value, number) for number, value in enumerate(values)])


def test_true_condition_returns_what_was_seen() -> None:
    """The state of the successful probe is the result."""
    clock, answers = Clock(), _answers(False, False, True)

    assert 2 == wait_for(
        "it", lambda: next(answers), deadline_s=10, interval_s=1, clock=lambda: clock.now, sleep=clock.sleep
    )
    assert [1, 1] == clock.slept


def test_deadline_raises_with_the_last_state() -> None:
    """The error names what was waited for and carries the last state."""
    clock = Clock()
    with pytest.raises(DeadlinePassedError, match=r"a thing: not within 2.0 s; last seen: nothing") as caught:
        wait_for(
            "a thing",
            lambda: (False, "nothing"),
            deadline_s=2,
            interval_s=1,
            clock=lambda: clock.now,
            sleep=clock.sleep,
        )

    assert "nothing" == caught.value.last


def test_slow_probe_counts_towards_the_deadline() -> None:
    """The time that a probe takes is part of the wait, and the last sleep ends at the deadline."""
    clock = Clock()

    def probe() -> tuple[bool, None]:
        clock.now += 3
        return False, None

    with pytest.raises(DeadlinePassedError):
        wait_for("it", probe, deadline_s=7, interval_s=2, clock=lambda: clock.now, sleep=clock.sleep)
    assert [2] == clock.slept
