"""What the recorder costs: what a process has spent, whose turn it is, and what is printed."""

import os
import threading
import time

from benchmarks.recorder_cost import Cost, order, processor_s, summary


def test_processor_time_of_a_process_is_that_of_all_its_threads() -> None:
    """Of this one: what is spent meanwhile is found, also by a thread that has ended."""
    before_s, own_s = processor_s(os.getpid()), time.process_time()
    thread = threading.Thread(target=lambda: sum(range(300_000)))
    thread.start()
    thread.join()
    spent_s = time.process_time() - own_s

    assert processor_s(os.getpid()) - before_s >= spent_s > 0


def test_each_is_first_in_every_other_round() -> None:
    assert [["a", "b"], ["b", "a"], ["a", "b"]] == [order(["a", "b"], number) for number in range(3)]


def costs(*each_ms: float, rate_per_s: float = 60.0) -> list[Cost]:
    return [Cost(ms, rate_per_s) for ms in each_ms]


def test_difference_is_that_of_the_rounds() -> None:
    """A machine that is slow in one round is so for both: medians of each would hide what was added."""
    lines = summary("recorder", {"with 1": costs(3.2, 9.3, 3.1), "without 1": costs(3.0, 9.0, 3.0, rate_per_s=50.0)})

    assert lines == [
        "with 1 recorder         3.200 (3.100 to 9.300) ms a task, 60.000 (60.000 to 60.000) tasks/s",
        "without 1 recorder      3.000 (3.000 to 9.000) ms a task, 50.000 (50.000 to 50.000) tasks/s",
        (
            "it adds                 0.200 (not enough data for an interval) ms a task, "
            "ratio 1.033 (not enough data for an interval) (95 %, n = 3)"
        ),
        "tasks a second, ratio   1.200 (not enough data for an interval) (95 %, n = 3)",
    ]


def test_interval_is_that_of_the_median() -> None:
    """Six rounds bound it by the least and the most (1 - 2 / 2⁶ = 96.9 %); one that was disturbed moves an end only."""
    added = [0.1, 0.2, 0.3, 0.4, 0.5, 9.0]
    lines = summary("recorder", {"with 1": costs(*(1 + one for one in added)), "without 1": costs(*[1.0] * 6)})

    assert lines[2] == (
        "it adds                 0.350 (0.100 to 9.000) ms a task, ratio 1.350 (1.100 to 10.000) (95 %, n = 6)"
    )


def test_emulators_of_one_kind_are_taken_together() -> None:
    """Two alike differ for as long as they run."""
    found = {
        "with 1": costs(1.0, 2.0),
        "without 1": costs(0.9, 1.9),
        "with 2": costs(1.4, 2.4),
        "without 2": costs(1.1, 2.1),
    }

    assert "it adds                 0.200 " in summary("recorder", found)[4]
