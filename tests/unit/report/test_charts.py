"""Charts of a whole run: what they say is recomputed here by a few lines of pandas."""

import dataclasses
from collections.abc import Callable

import pytest

from dlqlab import figures
from dlqlab.analysis import series
from dlqlab.analysis.facts import Facts
from dlqlab.report import charts, pairs
from tests.support.reports import facts, small

DRAWN: tuple[Callable[[Facts], figures.Chart], ...] = (
    charts.failure_rate,
    charts.attempt_fates,
    charts.retry_gaps,
    charts.retry_lateness,
    charts.lateness_quantiles,
    charts.lateness_parts,
    charts.lateness_over_time,
    charts.dlq_volume,
    charts.queue_depths,
    charts.throughput,
    charts.latency,
    charts.host_load,
    charts.causes,
    charts.dead_letter_ages,
    charts.slowest_dead_letters,
)


def test_failure_rate_is_the_ratio_of_failed_to_ended_attempts() -> None:
    """The percentage and n in the title are those of the log events."""
    run = small()
    counts = run.tables["events"]["event"].value_counts()
    ended = counts["attempt.failed"] + counts["attempt.succeeded"]

    chart = charts.failure_rate(facts(run))

    assert chart.alt.startswith(f"{100 * counts['attempt.failed'] / ended:.1f} % of {ended} attempts failed")


def test_volume_and_fates_count_the_dead_lettered_tasks() -> None:
    """Both charts give the number of failed tasks in the task table."""
    run = small()
    status = run.tables["tasks"]["status"].value_counts()

    assert charts.dlq_volume(facts(run)).alt.startswith(f"{status['FAILED']} tasks of 300 were dead-lettered")
    assert charts.attempt_fates(facts(run)).alt.startswith(f"{status['COMPLETED']} tasks completed")
    assert charts.attempt_fates(facts(run)).alt.endswith(f"{status['FAILED']} ended in the dead-letter queue")


def test_retry_gap_and_lateness_are_those_of_the_events() -> None:
    """Gaps from a failure to the next start, recomputed by shifting the events of each task."""
    run = small()
    events = run.tables["events"]
    own = events[events["event"].isin(["attempt.failed", "attempt.started"])].sort_values(["task_id", "ts"])
    before = own.groupby("task_id")[["event", "ts", "backoff_s"]].shift()
    retried = (own["event"] == "attempt.started") & (before["event"] == "attempt.failed")
    late_s = (own["ts"] - before["ts"] - before["backoff_s"].astype("float64"))[retried]

    assert f"all {len(late_s)} retries waited" in charts.retry_gaps(facts(run)).alt
    assert f"starts {late_s.median():.2f} s late" in charts.retry_lateness(facts(run)).alt


def test_latency_and_throughput_are_those_of_the_ledger() -> None:
    """The median answer and the accepted tasks a second, recomputed from the clients' own rows."""
    run = small()
    ledger = run.tables["ledger"]

    assert f"took {ledger['latency_ms'].median():.0f} ms or less" in charts.latency(facts(run)).alt
    assert charts.throughput(facts(run)).alt.startswith(f"{len(ledger) / 10:.1f} tasks/s accepted")


def test_planted_early_retry_is_named() -> None:
    """A retry moved before its backoff is counted by the chart."""
    run = small()
    events = run.tables["events"]
    second = events.index[(events["event"] == "attempt.started") & (events["attempt"] == 2)][0]
    events.loc[second, "ts"] -= 1.0

    assert charts.retry_gaps(facts(run)).alt.startswith("1 retry of")


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
def test_charts_without_tables_say_which_is_missing(draw: Callable[[Facts], figures.Chart]) -> None:
    """No table at all gives a chart that says so, never an exception."""
    run = small()
    bare = dataclasses.replace(run, tables={})

    assert "was not collected" in draw(facts(bare)).alt


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
def test_charts_of_a_run_without_rows_say_so(draw: Callable[[Facts], figures.Chart]) -> None:
    """Tables that hold nothing give a chart that says so."""
    run = small()
    empty = dataclasses.replace(run, tables={name: table.head(0) for name, table in run.tables.items()})

    assert "no data" in draw(facts(empty)).alt


def test_run_compared_with_itself_differs_in_nothing() -> None:
    """Every interval of a run against itself holds 0."""
    run = facts(small())

    chart = pairs.effects_chart((run, run))

    assert chart.alt.startswith("0 of 9 measures differ between small-run (first) and small-run (second)")


def test_fates_of_the_analysis_are_those_of_the_chart() -> None:
    """What the analysis counts has its colour, in the same order."""
    assert list(series.FATES) == list(figures.FATES)
