"""How long clients wait for an answer, and tasks for their completion."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dlqlab.analysis import series
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.series import completions
from dlqlab.charts.over_time import X_LABEL, Phases, phases_of, shade
from dlqlab.charts.plot import charted
from dlqlab.charts.style import ACCEPTED, RETRYING, Chart, chart, end_labels, no_data
from dlqlab.durations import duration


def data(facts: Facts) -> dict[str, Any]:
    step_s = series.bucket_s(facts)
    medians = float(facts.ledger["latency_ms"].median()), float(completions(facts)["latency_s"].median())
    return {
        "submission": submission_latency(facts, bucket_s=step_s),
        "completion": completion_latency(facts, bucket_s=step_s),
        "medians": medians,
        "phases": phases_of(facts),
    }


def completion_latency(facts: Facts, *, bucket_s: float = 1.0) -> pd.DataFrame:
    """Time from sending to completion by when the task was sent: t_s, n, p50_s, p95_s; empty buckets are left out."""
    done = completions(facts)
    return _quantiles(done["sent_ts"] - series.origin_ts(facts), done["latency_s"], bucket_s, "s")


def submission_latency(facts: Facts, *, bucket_s: float = 1.0) -> pd.DataFrame:
    """How long the API took to answer, by when the request was sent: t_s, n, p50_ms, p95_ms."""
    ledger = facts.ledger[facts.ledger["latency_ms"].notna()]
    return _quantiles(ledger["sent_ts"] - series.origin_ts(facts), ledger["latency_ms"], bucket_s, "ms")


def _quantiles(t_s: pd.Series, values: pd.Series, bucket_s: float, unit: str) -> pd.DataFrame:
    start = (np.floor(t_s / bucket_s) * bucket_s).rename("t_s")
    grouped = values.groupby(start)
    columns = {"n": grouped.size(), f"p50_{unit}": grouped.quantile(0.5), f"p95_{unit}": grouped.quantile(0.95)}
    return pd.DataFrame(columns).reset_index()


@charted("Latency", data, needs=["clock_skew"])
def draw(submission: pd.DataFrame, completion: pd.DataFrame, *, medians: tuple[float, float],
            phases: Phases) -> Chart:  # fmt: skip
    """How long clients wait for an answer, and tasks for their completion, over time.

    Args:
        submission: ``t_s`` (when sent, after the load began), ``p50_ms``, ``p95_ms`` until the answer.
        completion: ``t_s``, ``p50_s``, ``p95_s`` from sending to completion.
        medians: of all answers in milliseconds, of all completions in seconds.
        phases: of the run.
    """
    if submission.empty and completion.empty:
        return no_data("Latency", "no request was answered")
    parts = [
        ("answer to the client", submission, "ms", "milliseconds"),
        ("from sending to completion", completion, "s", "seconds"),
    ]
    parts = [part for part in parts if not part[1].empty]
    said = []
    if not submission.empty:
        said.append(f"half of the answers took {medians[0]:.0f} ms or less")
    if not completion.empty:
        said.append(f"half of the completed tasks were done within {duration(medians[1])}")
    finding = "; ".join(said)
    figure, panels = chart(finding[0].upper() + finding[1:], rows=len(parts), height_in=1.4 + 1.7 * len(parts))
    for axes, (name, frame, unit, unit_name) in zip(panels, parts, strict=True):
        _latency_panel(axes, frame, unit)
        axes.set_title(f"{name}: p50 and p95, by when the task was sent")
        axes.set_ylabel(unit_name)
    shade(panels, phases)
    panels[-1].set_xlabel(X_LABEL)
    return figure


def _latency_panel(axes: Axes, frame: pd.DataFrame, unit: str) -> None:
    p50, p95 = frame[f"p50_{unit}"], frame[f"p95_{unit}"]
    axes.plot(frame["t_s"], p95, color=RETRYING, linestyle=(0, (6, 1.5)))
    axes.plot(frame["t_s"], p50, color=ACCEPTED)
    axes.set_ylim(min(0.0, float(p50.min())), max(float(p95.max()) * 1.25, 1e-3))
    last = float(frame["t_s"].max())
    end_labels(axes, [(last, float(p50.iloc[-1]), "p50", ACCEPTED), (last, float(p95.iloc[-1]), "p95", RETRYING)])
