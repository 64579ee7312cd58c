"""How many invocations of each function were under way at once."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator

from dlqlab.analysis import series
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow_tables import concurrency, invocations_table
from dlqlab.charts.over_time import X_LABEL, Phases, phases_of, shade
from dlqlab.charts.plot import charted
from dlqlab.charts.style import PIPELINE, TARGET, Chart, chart, halo, no_data, plural

PANELS_MAX = 6
STEPS_MAX = 700
"""Of a function: about the pixels of a chart."""


def data(facts: Facts) -> dict[str, Any]:
    invocations = invocations_table(facts)
    last_ts = invocations[["started_ts", "ended_ts"]].max().max()
    at_once = concurrency(invocations, until_ts=last_ts)
    origin_ts = series.origin_ts(facts)
    functions = facts.run.topology.functions if facts.run.topology else ()
    drawn = at_once.assign(t_s=at_once["ts"] - origin_ts)[["t_s", "function", "at_once"]]
    parts = [thinned(part, steps=STEPS_MAX) for _, part in drawn.groupby("function")]
    return {
        "at_once": pd.concat(parts, ignore_index=True) if parts else drawn,
        "limits": {one.name: one.reserved_concurrency for one in functions if one.reserved_concurrency is not None},
        "phases": phases_of(facts),
    }


def thinned(part: pd.DataFrame, *, steps: int) -> pd.DataFrame:
    """The rows of one function, of which those too narrow to be seen are one: the highest of each step, then its last.

    Args:
        part: ``t_s`` in order, ``function``, ``at_once``.
        steps: into which its time is cut; as many rows or fewer stay as they are.
    """
    if len(part) <= steps:
        return part
    first_s, last_s = part["t_s"].iloc[0], part["t_s"].iloc[-1]
    step = ((part["t_s"] - first_s) / (last_s - first_s) * steps).astype("int64").rename("step")
    by = part.groupby(step)
    highest = by.agg({"t_s": "first", "function": "first", "at_once": "max"})
    return pd.concat([highest, by.last()]).sort_values("t_s", kind="stable").reset_index(drop=True)


@charted("Concurrency", data)
def draw(at_once: pd.DataFrame, *, limits: Mapping[str, int], phases: Phases) -> Chart:
    """Invocations under way, a panel for each function.

    Args:
        at_once: ``t_s`` (after the load began), ``function``, ``at_once`` from then on.
        limits: reserved concurrency by function, where it has one.
        phases: of the run.
    """
    if at_once.empty:
        return no_data("Concurrency", "no function was invoked")
    peaks = at_once.groupby("function")["at_once"].max().sort_values(ascending=False, kind="stable")
    names = list(peaks.index[:PANELS_MAX])
    left_out = f"; {len(peaks) - PANELS_MAX} functions are not drawn" if len(peaks) > PANELS_MAX else ""
    finding = f"At most {plural(peaks.iloc[0], 'invocation')} of {names[0]} at once{left_out}"
    figure, panels = chart(finding, rows=len(names), height_in=1.6 + 1.5 * len(names))
    for axes, name in zip(panels, names, strict=True):
        part = at_once[at_once["function"] == name].sort_values("t_s")
        axes.fill_between(part["t_s"], 0, part["at_once"], step="post", color=PIPELINE, alpha=0.6, linewidth=0.8)
        axes.set_title(f"function {name}: invocations under way, throttled ones left out")
        axes.set_ylabel("invocations")
        limit = limits.get(name)
        axes.set_ylim(0, max(float(peaks[name]), limit or 0, 1) * 1.25)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        if limit is not None:
            axes.axhline(limit, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.5)
            halo(axes, float(at_once["t_s"].max()), limit, f"reserved {limit}", ha="right", va="center", color=TARGET)
    shade(panels, phases)
    panels[-1].set_xlabel(X_LABEL)
    return figure
