"""Drain: when the pipeline counts as having come to rest."""

from collections.abc import Mapping

from dlqlab.collect.drain import DrainProbe, DrainState, wait_for_drain
from dlqlab.collect.queues import Depth
from tests.support.collect.fakes import FakeTime

EMPTY = Depth(0, 0, 0)


class Script:
    """Scripted looks: depths of the task queue, and counts of unfinished tasks; the last one of each for ever."""

    def __init__(self, depths: list[Depth], unfinished: list[int]) -> None:
        self.depth_series = depths
        self.unfinished_series = unfinished
        self.scans = 0
        self.looks = 0

    def probe(self) -> DrainProbe:
        return DrainProbe(depths=self._depths, unfinished=self._unfinished)

    def _depths(self) -> Mapping[str, Depth]:
        self.looks += 1
        series = self.depth_series
        return {"tasks": series.pop(0) if len(series) > 1 else series[0], "dead-letters": EMPTY}

    def _unfinished(self) -> int:
        self.scans += 1
        series = self.unfinished_series
        return series.pop(0) if len(series) > 1 else series[0]


def test_empty_queues_and_finished_tasks_are_drained() -> None:
    """Two empty looks in a row and one scan without an unfinished task end the wait."""
    script, time = Script([Depth(3, 0, 0), Depth(0, 2, 0), EMPTY], [0]), FakeTime()

    result = wait_for_drain(script.probe(), 60, clock=time.clock, sleep=time.sleep)

    expected_state = DrainState(depths={"tasks": EMPTY, "dead-letters": EMPTY}, unfinished=0)
    assert (result.drained, result.reason) == (True, "drained")
    assert expected_state == result.last_state
    assert (script.looks, script.scans) == (4, 1)
    assert result.waited_s == 3.0


def test_one_empty_look_is_not_believed() -> None:
    """A queue that looks empty once and then holds messages again is not empty."""
    script, time = Script([EMPTY, Depth(0, 1, 0), EMPTY], [0]), FakeTime()

    wait_for_drain(script.probe(), 60, clock=time.clock, sleep=time.sleep)

    assert (script.looks, script.scans) == (4, 1)


def test_delayed_messages_are_not_drained() -> None:
    """A message in delay will still come, however empty the queue looks."""
    script, time = Script([Depth(0, 0, 1)], [0]), FakeTime()

    result = wait_for_drain(script.probe(), 10, clock=time.clock, sleep=time.sleep)

    assert not result.drained
    assert script.scans == 0
    assert "0 visible, 0 in flight, 1 delayed" in result.reason
    assert "tasks not counted" in result.reason


def test_a_lost_task_ends_at_the_deadline_with_few_scans() -> None:
    """A task that never ends is not drained; the table is not scanned every second for it."""
    script, time = Script([EMPTY], [1]), FakeTime()

    result = wait_for_drain(script.probe(), 60, clock=time.clock, sleep=time.sleep)

    assert not result.drained
    assert "1 acknowledged tasks not finished" in result.reason
    assert result.waited_s == 60
    assert script.scans < 10


def test_late_tasks_are_waited_for() -> None:
    """An unfinished task with empty queues (its function still runs) is looked at again."""
    script, time = Script([EMPTY], [5, 2, 0]), FakeTime()
    seen: list[int | None] = []

    result = wait_for_drain(
        script.probe(),
        60,
        clock=time.clock,
        sleep=time.sleep,
        on_progress=lambda state: seen.append(state.unfinished),
    )

    assert result.drained
    assert seen == [None, 5, 5, 2, 2, 0]


def test_messages_that_come_back_reset_the_wait() -> None:
    """A queue that fills again after a scan must be empty twice again."""
    script, time = Script([EMPTY, EMPTY, Depth(1, 0, 0), EMPTY, EMPTY], [1, 0]), FakeTime()

    result = wait_for_drain(script.probe(), 60, clock=time.clock, sleep=time.sleep)

    assert result.drained
    assert (script.looks, script.scans) == (5, 2)
