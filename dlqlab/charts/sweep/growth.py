"""The chosen setting under other rates."""

from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator

from dlqlab.charts.capacity import SUBTITLE_COLUMNS, label_of, thousands
from dlqlab.charts.plot import charted
from dlqlab.charts.style import ACCEPTED, Chart, chart, no_data, wrapped
from dlqlab.durations import duration
from dlqlab.tune.sweep import Sweep
from dlqlab.wording import number


def data(sweep: Sweep) -> dict[str, Any]:
    return {"rows": sweep.growth, "label": label_of(sweep)}


@charted("Growth", data)
def draw(rows: pd.DataFrame, *, label: str) -> Chart:
    """The chosen setting under other rates: time, backlog, cost of a million tasks; a dot for each seed.

    Args:
        rows: ``rate_per_s``, ``completion_s_p95``, ``peak_backlog``, ``cost_usd``, ``tasks``.
        label: of the setting.
    """
    if rows.empty:
        return no_data("Growth", "the chosen setting was not tried at other rates")
    table = rows.assign(usd_per_million=1e6 * rows["cost_usd"] / rows["tasks"]).sort_values("rate_per_s")
    means = table.groupby("rate_per_s")[["completion_s_p95", "peak_backlog", "usd_per_million"]].mean()
    low, high = means.iloc[0], means.iloc[-1]
    finding = (
        f"From {number(means.index[0])} to {number(means.index[-1])} tasks/s: "
        f"p95 from {duration(low['completion_s_p95'])} to {duration(high['completion_s_p95'])}, "
        f"a million tasks from {low['usd_per_million']:,.2f} to {high['usd_per_million']:,.2f} USD"
    )
    figure, panels = chart(finding, rows=3, height_in=6.6)
    subtitle = f"{wrapped(label, SUBTITLE_COLUMNS)}\ndots: seeds, line: their mean"
    panels[0].set_title(f"{subtitle}\n\ntime to completion, p95, seconds")
    panels[1].set_title("peak backlog, messages that wait for a function")
    panels[2].set_title("cost on AWS, USD a million tasks")
    for axes, column in zip(panels, means.columns, strict=True):
        axes.plot(means.index, means[column], color=ACCEPTED, marker="")
        axes.plot(table["rate_per_s"], table[column], "o", color=ACCEPTED, markersize=5, alpha=0.7, markeredgewidth=0)
        axes.set_ylim(0, max(float(table[column].max()) * 1.15, 1e-9))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(thousands)
    panels[-1].xaxis.set_major_formatter(thousands)
    panels[-1].set_xlabel("tasks a second")
    return figure
