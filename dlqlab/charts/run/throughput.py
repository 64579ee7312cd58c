"""Tasks accepted, completed and dead-lettered a second."""

from typing import Any

import numpy as np
import pandas as pd

from dlqlab.analysis import series
from dlqlab.analysis.facts import Facts
from dlqlab.charts.over_time import X_LABEL, Phases, phases_of, shade
from dlqlab.charts.plot import charted
from dlqlab.charts.style import ACCEPTED, COMPLETED, DEAD, TARGET, Chart, chart, key, no_data
from dlqlab.wording import number

EVENTS = {
    "accepted_per_s": "task.accepted",
    "attempts_per_s": "attempt.started",
    "failed_per_s": "attempt.failed",
    "completed_per_s": "attempt.succeeded",
    "dead_lettered_per_s": "task.dead_lettered",
}
"""Columns of ``rates`` and the event that each counts."""


def data(facts: Facts) -> dict[str, Any]:
    step_s = series.bucket_s(facts)
    means = tuple(series.rate_per_s(facts, event) for event in ("task.accepted", "attempt.succeeded"))
    return {
        "rates": rates(facts, bucket_s=step_s),
        "means_per_s": means,
        "phases": phases_of(facts),
        "offered_per_s": facts.scenario.load.rate_per_s,
        "bucket_s": step_s,
    }


def rates(facts: Facts, *, bucket_s: float = 1.0) -> pd.DataFrame:
    """Events a second: t_s (start of the bucket) and the columns of EVENTS; quiet buckets are zeros."""
    events = facts.events[facts.events["event"].isin(list(EVENTS.values()))]
    buckets = np.floor((events["ts"] - series.origin_ts(facts)) / bucket_s)
    counts = pd.crosstab(buckets.rename("bucket"), events["event"])
    counts = counts.reindex(columns=list(EVENTS.values()), fill_value=0)
    if len(counts):
        counts = counts.reindex(np.arange(counts.index.min(), counts.index.max() + 1), fill_value=0)
    table = pd.DataFrame({name: counts[event] / bucket_s for name, event in EVENTS.items()})
    table.insert(0, "t_s", counts.index.to_numpy(dtype="float64") * bucket_s)
    return table.reset_index(drop=True)


@charted("Throughput", data)
def draw(
    rates: pd.DataFrame, *, means_per_s: tuple[float, float], phases: Phases, offered_per_s: float, bucket_s: float
) -> Chart:
    """Tasks a second: accepted, completed, dead-lettered.

    Args:
        rates: ``t_s`` (start of a step, after the load began), ``accepted_per_s``, ``completed_per_s``,
            ``dead_lettered_per_s``.
        means_per_s: tasks accepted and completed while there was load, over its whole time: the mean of the steps would
            count the last one, which the load filled in part, like the others.
        phases: of the run.
        offered_per_s: what the load was to be; 0 is as fast as the clients could.
        bucket_s: length of a step.
    """
    if rates.empty or float(rates["accepted_per_s"].sum()) == 0:
        return no_data("Throughput", "no task was accepted")
    accepted, completed = means_per_s
    finding = f"{accepted:.1f} tasks/s accepted and {completed:.1f} tasks/s completed on average during the load"
    figure, (axes,) = chart(finding)
    axes.set_title(f"tasks a second, in steps of {bucket_s:g} s")
    axes.plot(rates["t_s"], rates["accepted_per_s"], color=ACCEPTED)
    axes.plot(rates["t_s"], rates["completed_per_s"], color=COMPLETED, linestyle=(0, (6, 1.5)))
    axes.plot(rates["t_s"], rates["dead_lettered_per_s"], color=DEAD, linestyle=(0, (2, 1)))
    peak = float(rates[["accepted_per_s", "completed_per_s"]].max().max())
    top = max(peak, offered_per_s) * 1.25
    axes.set_ylim(0, top)
    below_offer = offered_per_s / top - 0.06 if offered_per_s > 0 else 1.0
    names = [("accepted ——", ACCEPTED), ("completed – –", COMPLETED), ("dead-lettered · · ·", DEAD)]
    key(axes, names, top=min(0.6, below_offer))
    if offered_per_s > 0:
        axes.axhline(offered_per_s, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.3)
        told = f"offered {number(offered_per_s)}/s"
        axes.text(float(rates["t_s"].max()), offered_per_s + top * 0.02, told, ha="right",
                  color=TARGET, fontsize=9.5, fontweight="bold")  # fmt: skip
    axes.set_ylabel("tasks/s")
    axes.set_xlabel(X_LABEL)
    shade([axes], phases)
    return figure
