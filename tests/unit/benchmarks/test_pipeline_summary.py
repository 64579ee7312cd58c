"""The benchmark's arithmetic: quantiles with tasks that did not end, medians over rounds, goals."""

import dataclasses
import math

from benchmarks.pipeline.measure import Evidence, Round, quantiles
from benchmarks.pipeline.summary import goals, table, to_json
from dlqlab.load.starter import LoadResult
from dlqlab.paths import ROOT

ROUND = Round(
    system="ours",
    ready_s=7.0,
    lone_submit_ms=12.0,
    load_s=15.0,
    sent=1500,
    accepted_per_s=100.0,
    processed_per_s=100.0,
    submit_ms={"p50": 50.0, "p95": 90.0, "p99": 120.0},
    complete_s={"p50": 0.1, "p95": 0.2, "p99": None},
    open_at_half=4,
    open_at_end=4,
    queued_at_end=1,
    cpu_ms={"emulator": 4.0, "functions": 6.0, "load": 1.0},
    cpu_pct=190.0,
    rss_mb={"emulator": 300.0},
)


def test_task_that_did_not_end_is_longer_than_any() -> None:
    """A quantile that falls on a task without an end is infinite; one below it is not."""
    assert {"p50": 2.0, "p95": math.inf, "p99": math.inf} == quantiles([1.0, math.inf, 2.0, 3.0])


def test_open_tasks_are_the_accepted_without_an_end() -> None:
    """At a given time only what was accepted before it and ended after it, or never, is open."""
    result = LoadResult(planned=3, sent=3, started_ts=0.0, ended_ts=9.0, late_mean_s=0.0, late_max_s=0.0, log_path=ROOT)
    accepted = {"a": (0.0, 1.0, 1.0), "b": (0.0, 2.0, 1.0), "c": (4.0, 5.0, 1.0)}
    evidence = Evidence(result, accepted, completed={"a": 1.5, "b": 8.0})

    assert [0, 1, 1, 2, 1] == [evidence.open_at(ts) for ts in (0.5, 1.0, 3.0, 6.0, 9.0)]


def test_ratios_are_of_medians() -> None:
    """One round that went wrong does not decide a ratio."""
    stock = dataclasses.replace(ROUND, system="stock", processed_per_s=8.0)
    rounds = [ROUND, stock, dataclasses.replace(ROUND, processed_per_s=1.0), stock, ROUND]
    found = {goal.name: (goal.measured, goal.met) for goal in goals(rounds)}

    assert (12.5, True) == found["processed, ours / stock"]
    assert (None, None) == found["processed, ours / ministack"]
    assert (12.0, True) == found["ours: submission of 1 user, ms, median"]


def test_table_has_median_and_range_of_each_system() -> None:
    """A cell is the median with the least and the most; a time that was not reached is a dash."""
    text = table([ROUND, dataclasses.replace(ROUND, accepted_per_s=90.0), dataclasses.replace(ROUND, system="stock")])

    assert "100 (90 to 100)" in text
    assert "- (- to -)" in text
    assert ["ours", "stock"] == text.splitlines()[0].split()


def test_json_holds_rounds_and_goals() -> None:
    """What is written for later has every round as it was."""
    value = to_json([ROUND], {"cores": 2})

    assert 2 == value["cores"]
    assert [dataclasses.asdict(ROUND)] == value["rounds"]
