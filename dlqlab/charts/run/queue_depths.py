"""Messages in all queues over time."""

from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator

from dlqlab.analysis import series
from dlqlab.analysis.facts import Facts
from dlqlab.charts.over_time import X_LABEL, Phases, phases_of, shade
from dlqlab.charts.plot import charted
from dlqlab.charts.style import DEAD, IN_FLIGHT, Chart, chart, count, no_data


def data(facts: Facts) -> dict[str, Any]:
    return {"queues": depths(facts), "phases": phases_of(facts)}


def depths(facts: Facts) -> pd.DataFrame:
    """The samples of all queues with t_s: t_s, queue, visible, in_flight, delayed; queues as messages pass them."""
    samples = facts.run.table("queues")
    order = {role: place for place, role in enumerate(facts.run.topology.queue_names if facts.run.topology else ())}
    place = samples["queue"].map(order)
    table = samples.assign(t_s=samples["ts"] - series.origin_ts(facts), place=place)
    table = table.sort_values(["place", "queue", "t_s"])
    return table[["t_s", "queue", "visible", "in_flight", "delayed"]].reset_index(drop=True)


@charted("Queue depths", data)
def draw(queues: pd.DataFrame, *, phases: Phases) -> Chart:
    """Messages in all queues over time, one panel each in the order of the rows.

    Args:
        queues: ``t_s`` (after the load began), ``queue``, ``visible``, ``in_flight``, ``delayed``.
        phases: of the run.
    """
    if queues.empty:
        return no_data("Queue depths", "the queues were not sampled")
    names = list(queues["queue"].dropna().unique())
    peak = int((queues["visible"] + queues["in_flight"])[queues["queue"] == names[0]].max())
    last = int(queues[queues["t_s"] == queues["t_s"].max()][["visible", "in_flight", "delayed"]].sum().sum())
    finding = f"At most {count(peak)} messages were in the queue {names[0]}; "
    finding += "all queues are empty at the end" if last == 0 else f"{count(last)} messages are left at the end"
    figure, panels = chart(finding, rows=len(names), height_in=1.6 + 1.5 * len(names))
    for axes, name in zip(panels, names, strict=True):
        part = queues[queues["queue"] == name].sort_values("t_s")
        at = part["t_s"]
        in_flight, visible = part["in_flight"].astype(float), part["visible"].astype(float)
        top = in_flight + visible
        axes.fill_between(at, 0, in_flight, color=IN_FLIGHT, alpha=0.75, linewidth=0, step="post")
        axes.fill_between(at, in_flight, top, color=DEAD, alpha=0.85, linewidth=0, step="post")
        axes.set_title(f"queue {name}: in flight or in backoff (blue), waiting to be received (red) on top")
        axes.set_ylabel("messages")
        axes.set_ylim(0, max(float(top.max()) * 1.25, 3))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    shade(panels, phases)
    panels[-1].set_xlabel(X_LABEL)
    return figure
