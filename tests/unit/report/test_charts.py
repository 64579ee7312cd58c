"""Charts of a whole run: what they say is recomputed here by a few lines of pandas."""

import dataclasses
from pathlib import Path

import pytest

from dlqlab.charts import SUBJECTS, find, names, plot, show
from dlqlab.charts.plot import Plot
from dlqlab.paths import NOTEBOOKS
from tests.support.reports import facts, small

CHARTS = Path(plot.__file__).parent
OF_A_RUN = [name for name, subject in names().items() if subject == "run"]


def test_failure_rate_is_the_ratio_of_failed_to_ended_attempts() -> None:
    """The percentage and n in the title are those of the log events."""
    run = small()
    counts = run.tables["events"]["event"].value_counts()
    ended = counts["attempt.failed"] + counts["attempt.succeeded"]

    chart = show("failure_rate", facts(run))

    assert chart.alt.startswith(f"{100 * counts['attempt.failed'] / ended:.1f} % of {ended} attempts failed")


def test_volume_and_fates_count_the_dead_lettered_tasks() -> None:
    """Both charts give the number of failed tasks in the task table."""
    run = small()
    status = run.tables["tasks"]["status"].value_counts()

    assert show("dlq_volume", facts(run)).alt.startswith(f"{status['FAILED']} tasks of 300 were dead-lettered")
    assert show("attempt_fates", facts(run)).alt.startswith(f"{status['COMPLETED']} tasks completed")
    assert show("attempt_fates", facts(run)).alt.endswith(f"{status['FAILED']} ended in the dead-letter queue")


def test_retry_gap_and_lateness_are_those_of_the_events() -> None:
    """Gaps from a failure to the next start, recomputed by shifting the events of each task."""
    run = small()
    events = run.tables["events"]
    own = events[events["event"].isin(["attempt.failed", "attempt.started"])].sort_values(["task_id", "ts"])
    before = own.groupby("task_id")[["event", "ts", "backoff_s"]].shift()
    retried = (own["event"] == "attempt.started") & (before["event"] == "attempt.failed")
    late_s = (own["ts"] - before["ts"] - before["backoff_s"].astype("float64"))[retried]

    assert f"all {len(late_s)} retries waited" in show("retry_gaps", facts(run)).alt
    assert f"starts {late_s.median():.2f} s late" in show("retry_lateness", facts(run)).alt


def test_latency_and_throughput_are_those_of_the_ledger() -> None:
    """The median answer and the accepted tasks a second, recomputed from the clients' own rows."""
    run = small()
    ledger = run.tables["ledger"]

    assert f"took {ledger['latency_ms'].median():.0f} ms or less" in show("latency", facts(run)).alt
    assert show("throughput", facts(run)).alt.startswith(f"{len(ledger) / 10:.1f} tasks/s accepted")


def test_planted_early_retry_is_named() -> None:
    """A retry moved before its backoff is counted by the chart."""
    run = small()
    events = run.tables["events"]
    second = events.index[(events["event"] == "attempt.started") & (events["attempt"] == 2)][0]
    events.loc[second, "ts"] -= 1.0

    assert show("retry_gaps", facts(run)).alt.startswith("1 retry of")


@pytest.mark.parametrize("name", OF_A_RUN)
def test_charts_without_tables_say_which_is_missing(name: str) -> None:
    """No table at all gives a chart that says so, never an exception."""
    run = small()
    bare = dataclasses.replace(run, tables={})

    assert "was not collected" in show(name, facts(bare)).alt


@pytest.mark.parametrize("name", OF_A_RUN)
def test_charts_of_a_run_without_rows_say_so(name: str) -> None:
    """Tables that hold nothing give a chart that says so."""
    run = small()
    empty = dataclasses.replace(run, tables={name: table.head(0) for name, table in run.tables.items()})

    assert "no data" in show(name, facts(empty)).alt


def test_run_compared_with_itself_differs_in_nothing() -> None:
    """Every interval of a run against itself holds 0."""
    run = facts(small())

    chart = show("effects", (run, run))

    assert chart.alt.startswith("0 of 9 measures differ between small-run (first) and small-run (second)")


@pytest.mark.parametrize("name", names())
def test_each_chart_is_found_by_its_name_and_shown_in_a_notebook(name: str) -> None:
    """One file a chart, in no list; one that nobody shows is dead."""
    said = "\n".join(path.read_text() for path in NOTEBOOKS.glob("*.ipynb"))

    assert isinstance(find(name), Plot)
    assert f'show(\\"{name}\\", ' in said


def test_names_of_charts_are_distinct() -> None:
    """A name says which chart, whatever it is a chart of."""
    files = [path for subject in SUBJECTS for path in (CHARTS / subject).glob("[!_]*.py")]

    assert sorted(path.stem for path in files) == sorted(names())


def test_unknown_chart_is_refused_with_what_there_is() -> None:
    """A typo in a notebook names the charts that it could have meant."""
    with pytest.raises(KeyError, match=r"no chart latencies: there are .*, latency, "):
        show("latencies", None)
