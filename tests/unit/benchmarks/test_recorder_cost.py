"""What the recorder costs: what /proc says, whose turn it is, and what is printed."""

import os

import pytest

from benchmarks.recorder_cost import WITH, WITHOUT, Cost, order, processor_s, summary


def test_processor_time_of_a_process_with_any_name() -> None:
    """A name may have blanks and parentheses; user 250 ticks, system 50."""
    stat = "77 (a (b) c) S 1 77 77 0 -1 4194560 900 0 0 0 250 50 7 7 20 0 9 0 100 200 300"

    assert processor_s(stat) == pytest.approx(300 / os.sysconf("SC_CLK_TCK"))


def test_each_is_first_in_every_other_round() -> None:
    assert [order(number)[0] for number in range(4)] == [WITH, WITHOUT, WITH, WITHOUT]


def costs(*each_ms: float, rate_per_s: float = 60.0) -> list[Cost]:
    return [Cost(ms, rate_per_s) for ms in each_ms]


def test_difference_is_that_of_the_rounds() -> None:
    """A machine that is slow in one round is so for both: medians of each would hide what was added."""
    lines = summary("recorder", {WITH: costs(3.2, 9.3, 3.1), WITHOUT: costs(3.0, 9.0, 3.0, rate_per_s=50.0)})

    assert lines == [
        "with recorder           3.200 (3.100 to 9.300) ms a task, 60.000 (60.000 to 60.000) tasks/s",
        "without recorder        3.000 (3.000 to 9.000) ms a task, 50.000 (50.000 to 50.000) tasks/s",
        (
            "it adds                 0.200 (not enough data for an interval) ms a task, "
            "ratio 1.033 (not enough data for an interval) (95 %, n = 3)"
        ),
        "tasks a second, ratio   1.200 (not enough data for an interval) (95 %, n = 3)",
    ]


def test_interval_is_that_of_the_median() -> None:
    """Six rounds bound it by the least and the most (1 - 2 / 2⁶ = 96.9 %); one that was disturbed moves an end only."""
    added = [0.1, 0.2, 0.3, 0.4, 0.5, 9.0]
    lines = summary("recorder", {WITH: costs(*(1 + one for one in added)), WITHOUT: costs(*[1.0] * 6)})

    assert lines[2] == (
        "it adds                 0.350 (0.100 to 9.000) ms a task, ratio 1.350 (1.100 to 10.000) (95 %, n = 6)"
    )
