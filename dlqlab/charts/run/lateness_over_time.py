"""Whether lateness grows while the run goes on."""

from typing import Any

import numpy as np
import pandas as pd

from dlqlab.analysis import series
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.lateness import judged_retries
from dlqlab.charts.plot import charted
from dlqlab.charts.style import IN_FLIGHT, TARGET, TEXT, Chart, chart, halo, no_data
from dlqlab.durations import duration


def data(facts: Facts) -> dict[str, Any]:
    limit_s = facts.scenario.judge.max_median_lateness_s
    return {"retries": judged_retries(facts), "start_ts": series.origin_ts(facts), "limit_s": limit_s}


@charted("Lateness over time", data, needs=["visibility_tick"])
def draw(retries: pd.DataFrame, *, start_ts: float, limit_s: float) -> Chart:
    """Whether lateness grows with the load: each retry by the time at which it was due.

    Args:
        retries: one row per retry: ``failed_ts``, ``backoff_s`` and ``lateness_s``.
        start_ts: zero of the time axis, the start of the load.
        limit_s: the greatest median lateness that passes.
    """
    drawn = retries.dropna(subset=["lateness_s"])
    if drawn.empty:
        return no_data("Lateness over time", "no attempt was retried")
    at = drawn["failed_ts"] + drawn["backoff_s"] - start_ts
    halves = [drawn["lateness_s"][at < at.median()], drawn["lateness_s"][at >= at.median()]]
    first, second = (float(half.median()) if len(half) else float("nan") for half in halves)
    finding = f"Median lateness: {duration(first)} in the first half of the run, {duration(second)} later"
    figure, (axes,) = chart(finding)
    axes.set_title("each dot is a retry")
    axes.plot(at, drawn["lateness_s"], "o", color=IN_FLIGHT, markersize=3.2, alpha=0.55, markeredgewidth=0)
    bins = np.linspace(float(at.min()), float(at.max()) + 1e-6, 25)
    middle = drawn["lateness_s"].groupby(np.digitize(at, bins)).median()
    axes.plot([bins[min(int(b), 24) - 1] for b in middle.index], middle, color=TEXT)
    halo(axes, float(at.max()), float(middle.iloc[-1]), "median", ha="right", va="bottom", color=TEXT)
    axes.axhline(0, color=TARGET, linewidth=1)
    if limit_s < float(drawn["lateness_s"].max()) * 2:
        axes.axhline(limit_s, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.5)
        halo(axes, float(at.min()), limit_s, f"limit for the median {duration(limit_s)}", va="bottom", color=TARGET)
    axes.set_xlabel("seconds after the start of the load")
    axes.set_ylabel("seconds late")
    return figure
