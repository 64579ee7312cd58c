"""Success against time, one dot a setting."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator, PercentFormatter

from dlqlab.charts.capacity import SUBTITLE_COLUMNS
from dlqlab.charts.plot import charted
from dlqlab.charts.style import ACCEPTED, COMPLETED, UNKNOWN, Chart, chart, no_data, percent, plural, wrapped
from dlqlab.durations import duration
from dlqlab.tune.sweep import Sweep

_WIDE = 30
"""A range of times so many times as wide is drawn on a logarithmic axis."""


def data(sweep: Sweep) -> dict[str, Any]:
    return {"settings": sweep.settings}


@charted("Success against time", data)
def draw(settings: pd.DataFrame) -> Chart:
    """Success against time, one dot a setting.

    Args:
        settings: ``label``, ``success_share``, ``completion_s_p95``, ``keeps_up``, ``front``, ``chosen``.
    """
    shown = settings[np.isfinite(settings["completion_s_p95"])]
    if shown.empty:
        return no_data("Success against time", "no task completed under any setting")
    front, chosen = shown[shown["front"]], shown[shown["chosen"]]
    figure, (axes,) = chart(_trade_off_finding(len(shown), len(front), chosen), height_in=4.4)
    label = f"chosen: {chosen['label'].iloc[0]}\n" if len(chosen) else ""
    axes.set_title(f"{wrapped(label, SUBTITLE_COLUMNS)}\neach mark is a setting; better is up and to the left".strip())
    behind, beaten = shown[~shown["keeps_up"]], shown[shown["keeps_up"] & ~shown["front"]]
    for part, mark, name in ((behind, "|", "does not keep up"), (beaten, "x", "beaten by another")):
        if len(part):
            axes.plot(part["completion_s_p95"], part["success_share"], mark, color=UNKNOWN, markersize=7,
                      label=f"{name} ({len(part)})", linestyle="")  # fmt: skip
    axes.plot(front["completion_s_p95"], front["success_share"], "o", color=ACCEPTED, markersize=7, alpha=0.75,
              markeredgewidth=0, linestyle="", label=f"Pareto front ({len(front)})")  # fmt: skip
    axes.plot(chosen["completion_s_p95"], chosen["success_share"], "D", color=COMPLETED, markersize=11, zorder=5,
              markeredgecolor="white", label="chosen")  # fmt: skip
    if shown["completion_s_p95"].max() > _WIDE * max(float(shown["completion_s_p95"].min()), 1e-9):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none", fontsize=9.5)
    axes.grid(axis="both")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.margins(0.07)
    axes.set_ylim(top=min(1.006, axes.get_ylim()[1]))
    axes.set_xlabel("time to completion, p95, seconds")
    axes.set_ylabel("tasks that succeed")
    return figure


def _trade_off_finding(settings: int, front: int, chosen: pd.DataFrame) -> str:
    if chosen.empty:
        return f"None of {plural(settings, 'setting')} qualifies; {front} are on the Pareto front"
    row = chosen.iloc[0]
    share, within = percent(float(row["success_share"]), 2), duration(float(row["completion_s_p95"]))
    return f"With the chosen setting {share} of tasks succeed, 95 % of them within {within}"
