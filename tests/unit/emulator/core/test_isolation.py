"""What only observes fails for itself, says so once, and keeps nobody waiting."""

import logging
import threading

import pytest

from dlqlab.emulator.core.deadlines import Deadlines
from dlqlab.emulator.core.isolation import Worker, failures, isolated, one_by_one
from dlqlab.waiting import wait_for


def _fail(text: str) -> None:
    raise ValueError(text)


def test_an_exception_stays_inside_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """However often and with whatever text it is raised at one place; another place is another reason."""
    with caplog.at_level(logging.WARNING):
        for number in range(100):
            with isolated("stays inside"):
                _fail(f"{number}")
        with isolated("stays inside"):
            raise KeyError("x")

    assert 101 == failures("stays inside")
    assert 2 == len([record for record in caplog.records if "stays inside" in record.message])


def test_what_ends_the_process_is_let_out() -> None:
    """An interrupt is no failure of a part."""
    with pytest.raises(KeyboardInterrupt), isolated("interrupt"):
        raise KeyboardInterrupt


def test_jobs_are_done_in_order_and_a_failing_one_ends_nothing() -> None:
    """By one thread, which goes on."""
    done: list[int] = []

    def do(job: int) -> None:
        if job % 10 == 3:
            _fail("three")
        done.append(job)

    worker = Worker("in order", one_by_one("in order", do), backlog_max=1000, name="t")

    assert all(worker.give(job) for job in range(100))
    assert worker.settle(10)
    assert [job for job in range(100) if job % 10 != 3] == done
    assert 10 == failures("in order")


def test_a_worker_that_hangs_keeps_nobody_waiting() -> None:
    """Jobs are taken up to the bound, then refused; a look is not held up again and again; later all is done."""
    goes_on, done = threading.Event(), []

    def do(job: int) -> None:
        goes_on.wait(30)
        done.append(job)

    worker = Worker("hangs", one_by_one("hangs", do), backlog_max=10, name="t")
    given = [worker.give(job, 4) for job in range(5)]

    assert [True, True, False, False, False] == given
    assert not worker.settle(0.05)
    assert not worker.settle(60)  # it has not moved since: not waited for again
    goes_on.set()
    wait_for("the end of the hanging", lambda: (worker.give(9, 4), done), deadline_s=10, interval_s=0.01)
    assert worker.settle(10)
    assert [0, 1, 9] == done


def test_a_job_larger_than_the_bound_is_taken() -> None:
    """Where nothing else waits: it would never be done else."""
    done: list[int] = []
    worker = Worker("large", one_by_one("large", done.append), backlog_max=10, name="t")

    assert worker.give(1, 1000)
    assert worker.settle(10)
    assert [1] == done


def test_a_job_that_looks_does_not_wait_for_itself() -> None:
    """A settle within a job returns at once."""
    seen: list[bool] = []
    worker: Worker[int] = Worker("itself", lambda _jobs: seen.append(worker.settle(60)), backlog_max=10, name="t")
    worker.give(1)

    assert worker.settle(10)
    assert [False] == seen


def test_jobs_come_together_and_a_closed_worker_ends() -> None:
    """Those of one moment are one list; what waits at the close is done, what comes after is not taken."""
    lists: list[list[int]] = []
    worker = Worker("together", lists.append, backlog_max=100, gather_s=60, name="together-worker")
    for job in range(5):
        worker.give(job)
    worker.close()

    assert worker.settle(10)
    assert [[0, 1, 2, 3, 4]] == lists
    assert not worker.give(6)
    wait_for(
        "its end",
        lambda: ("together-worker" not in {thread.name for thread in threading.enumerate()}, None),
        deadline_s=10,
    )


def test_without_a_thread_a_job_is_lost_and_the_giver_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no more threads; the next job tries again."""
    done: list[int] = []
    worker = Worker("no thread", one_by_one("no thread", done.append), backlog_max=10, name="t")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", lambda _self: _fail_to_start())
        assert not worker.give(1)

    assert worker.give(2)
    assert worker.settle(10)
    assert [2] == done


def test_alarms_go_on_after_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages and environments that wait for a later one would wait for ever; nor does a missing thread end them."""
    rung: list[int] = []

    def act(item: int) -> None:
        if item == 1:
            _fail("alarm")
        rung.append(item)

    deadlines = Deadlines(act, name="deadlines that fail")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", lambda _self: _fail_to_start())
        deadlines.add(0.0, 0)
    for item in (1, 2):
        deadlines.add(0.0, item)

    assert [0, 2] == wait_for("alarms", lambda: (len(rung) == 2, rung), deadline_s=10, interval_s=0.01)


def _fail_to_start() -> None:
    raise RuntimeError("can't start new thread")
