"""Samplers on their threads."""

import os
import re
import sys
import threading
from pathlib import Path

import pytest

from dlqlab.collect.queues import QueueSampler, read_queues
from dlqlab.collect.ticker import STEPS_BACK, Ticker
from dlqlab.errors import EvidenceError
from dlqlab.waiting import wait_for
from tests.support.collect.fakes import FakeSqs, FakeTime


def test_a_failing_sampler_goes_on_and_raises_at_the_end(tmp_path: Path) -> None:
    """Errors leave gaps; stop says how many there were, and the samples before are kept."""
    sqs = FakeSqs({"u": [(1, 0, 0)]})
    sampler = QueueSampler(sqs.client(), {"tasks": "u"}, tmp_path, interval_s=0.01)
    sampler.start()
    wait_for("a sample", lambda: (bool(sampler.latest()), None), deadline_s=30, interval_s=0.01)
    sqs.failing = True
    wait_for("two refusals", lambda: (sqs.refusals >= 2, sqs.refusals), deadline_s=30, interval_s=0.01)

    with pytest.raises(EvidenceError, match=r"queue depths: \d+ of \d+ samples failed, last with ClientError"):
        sampler.stop()

    assert len(read_queues(tmp_path)) >= 1


def test_a_sampler_that_cannot_sample_any_more_says_so(tmp_path: Path) -> None:
    """One failure is a gap; so many in a row are an end. A sampler that was stopped has not ended by itself."""
    sqs = FakeSqs({"u": [(1, 0, 0)]})
    sampler = QueueSampler(sqs.client(), {"tasks": "u"}, tmp_path, interval_s=0.01)
    sampler.start()
    wait_for("a sample", lambda: (bool(sampler.latest()), None), deadline_s=30, interval_s=0.01)
    assert sampler.ending() is None
    sqs.failing = True
    ending = wait_for("the end", lambda: (sampler.ending() is not None, sampler.ending()), deadline_s=30)
    sqs.failing = False
    wait_for("samples again", lambda: (sampler.ending() is None, sampler.ending()), deadline_s=30, interval_s=0.01)
    with pytest.raises(EvidenceError):
        sampler.stop()

    assert re.fullmatch(r"failed \d+ times in a row, last with ClientError: .*", ending or "", re.DOTALL)
    assert sampler.ending() is None


def test_a_ticker_keeps_to_its_grid_when_a_call_is_slow() -> None:
    """Ticks that a slow call overran are skipped; the next one is on the grid again."""
    clock = FakeTime(100.0)
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        ticks.append(clock.now_s)
        clock.now_s += 0.3125 if len(ticks) == 1 else 0.125
        if len(ticks) == 3:
            done.set()

    # The fake clock stands still while the thread waits: only a call that takes its time moves it.
    ticker = Ticker("test", tick, interval_s=0.0625, clock=clock.clock)
    ticker.start()
    assert done.wait(30)
    ticker.stop()

    assert ticks[:3] == [100.0, 100.3125, 100.4375]


def test_stopping_twice_is_harmless() -> None:
    """A second stop does nothing, so that cleaning up may be done in any state."""
    ticker = Ticker("test", lambda: None, interval_s=0.01)
    ticker.start()
    ticker.stop()
    ticker.stop()

    assert not [thread for thread in threading.enumerate() if thread.name == "test"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
def test_a_ticker_stands_back_and_nobody_else_does() -> None:
    """Its thread is ten steps nicer than the process, whose other threads stay as they are."""
    found: list[int] = []
    ticker = Ticker("nice", lambda: found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    ticker.start()
    wait_for("a tick", lambda: (bool(found), None), deadline_s=30, interval_s=0.01)
    ticker.stop()

    assert min(before + STEPS_BACK, 19) == found[0]
    assert before == os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
