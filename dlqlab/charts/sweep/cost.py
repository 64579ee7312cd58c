"""What the chosen setting costs, by service."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dlqlab.charts.capacity import SUBTITLE_COLUMNS, label_of
from dlqlab.charts.plot import charted
from dlqlab.charts.style import ACCEPTED, TEXT, Chart, chart, no_data, percent, wrapped
from dlqlab.tune.measures import COST_OF
from dlqlab.tune.sweep import Sweep


def data(sweep: Sweep) -> dict[str, Any]:
    row = sweep.chosen
    if row is None:
        return {"parts": {}, "tasks": 0.0, "label": label_of(sweep)}
    parts = {name.removeprefix(COST_OF): float(row[name]) for name in map(str, row.index) if name.startswith(COST_OF)}
    return {"parts": parts, "tasks": float(row["tasks"]), "label": label_of(sweep)}


@charted("Cost", data)
def draw(parts: Mapping[str, float], *, tasks: float, label: str) -> Chart:
    """What the chosen setting costs, by service, for a million tasks.

    Args:
        parts: service and USD.
        tasks: how many tasks that was for.
        label: of the setting.
    """
    if not parts or not tasks:
        return no_data("Cost", "no setting was chosen")
    usd = pd.Series(parts).mul(1e6 / tasks).sort_values()
    total, first = float(usd.sum()), usd.index[-1]
    figure, (axes,) = chart(
        f"A million tasks cost {total:,.2f} USD on AWS, {percent(float(usd.iloc[-1]) / total, 0)} of it for {first}",
        height_in=1.7 + 0.42 * len(usd),
    )
    axes.set_title(f"{wrapped(label, SUBTITLE_COLUMNS)}\nby service, without the free tier")
    axes.barh(range(len(usd)), usd, color=ACCEPTED, height=0.62)
    for place, value in enumerate(usd):
        axes.annotate(f"{value:,.2f}", (value, place), xytext=(5, 0), textcoords="offset points", va="center",
                      fontweight="bold", fontsize=9.5, color=ACCEPTED)  # fmt: skip
    axes.set_yticks(range(len(usd)), list(usd.index), fontsize=10, color=TEXT)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, float(usd.max()) * 1.15)
    axes.set_xlabel("USD a million tasks")
    return figure
