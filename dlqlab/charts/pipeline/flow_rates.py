"""Messages that enter and leave each queue a second."""

from typing import Any

import numpy as np
import pandas as pd

from dlqlab.analysis import series
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow_tables import End, stays_table
from dlqlab.charts.over_time import X_LABEL, Phases, phases_of, shade
from dlqlab.charts.plot import charted
from dlqlab.charts.style import ACCEPTED, COMPLETED, DEAD, UNKNOWN, Chart, chart, count, key, no_data

PANELS_MAX = 6
LINES = {
    "entered": (ACCEPTED, "-"),
    str(End.DONE): (COMPLETED, "--"),
    str(End.DEAD_LETTERED): (DEAD, "-."),
    str(End.LOST): (UNKNOWN, ":"),
}


def data(facts: Facts) -> dict[str, Any]:
    step_s = series.bucket_s(facts)
    stays = stays_table(facts.flow)
    work = stays[~stays["is_letter"]]
    origin_ts = series.origin_ts(facts)
    return {"rates": rates(work, origin_ts=origin_ts, bucket_s=step_s), "phases": phases_of(facts), "bucket_s": step_s}


def rates(stays: pd.DataFrame, *, origin_ts: float, bucket_s: float) -> pd.DataFrame:
    """Messages a second: t_s (start of the step), queue, and the columns of LINES; quiet steps are zeros, as the one
    after the last.
    """
    entered = stays[["queue"]].assign(what="entered", ts=stays["entered_ts"])
    left = stays[["queue"]].assign(what=stays["end"], ts=stays["left_ts"])
    moments = pd.concat([entered, left]).dropna(subset=["ts"])
    moments = moments.assign(bucket=np.floor((moments["ts"] - origin_ts) / bucket_s).astype("int64"))
    counts = pd.crosstab([moments["queue"], moments["bucket"]], moments["what"]).reindex(
        columns=list(LINES), fill_value=0
    )
    if counts.empty:
        return pd.DataFrame(columns=["t_s", "queue", *LINES])
    steps = range(int(moments["bucket"].min()), int(moments["bucket"].max()) + 2)
    every = pd.MultiIndex.from_product([stays["queue"].unique(), steps], names=["queue", "bucket"])
    table = (counts.reindex(every, fill_value=0) / bucket_s).reset_index()
    return table.assign(t_s=table["bucket"] * bucket_s)[["t_s", "queue", *LINES]]


@charted("Messages in and out", data)
def draw(rates: pd.DataFrame, *, phases: Phases, bucket_s: float) -> Chart:
    """Messages a second into each queue of work and out of it, a panel each.

    Args:
        rates: ``t_s`` (start of a step, after the load began), ``queue``, and messages a second: the columns of LINES.
        phases: of the run.
        bucket_s: length of a step.
    """
    if rates.empty:
        return no_data("Messages in and out", "no message entered a queue")
    sums = rates.groupby("queue", sort=False)[list(LINES)].sum() * bucket_s
    queues = list(sums.index[:PANELS_MAX])
    total = sums.sum()
    said = [f"{count(total[name])} {name}" for name in LINES if total[name] or name in {"entered", End.DONE}]
    left_out = f"; {len(sums) - PANELS_MAX} queues are not drawn" if len(sums) > PANELS_MAX else ""
    over = f" over {len(sums)} queues" if len(sums) > 1 else ""
    figure, panels = chart(f"{', '.join(said)}{over}{left_out}", rows=len(queues), height_in=1.9 + 1.6 * len(queues))
    for axes, queue in zip(panels, queues, strict=True):
        part = rates[rates["queue"] == queue].sort_values("t_s")
        for name, (colour, dash) in LINES.items():
            if part[name].any():
                axes.plot(part["t_s"], part[name], color=colour, linestyle=dash, drawstyle="steps-post")
        axes.set_title(f"queue {queue}")
        axes.set_ylabel("messages/s")
        axes.set_ylim(0, max(float(part[list(LINES)].to_numpy().max()) * 1.2, 1))
    key(panels[0], [(name, colour) for name, (colour, _) in LINES.items() if total[name]], top=0.95)
    shade(panels, phases)
    panels[-1].set_xlabel(X_LABEL)
    return figure
