"""Where the chosen setting stands in each objective."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dlqlab.charts.objectives import Objective, in_unit, measured_objectives
from dlqlab.charts.plot import charted
from dlqlab.charts.style import ACCEPTED, COMPLETED, FAINT, TEXT, UNKNOWN, Chart, chart, no_data
from dlqlab.tune.sweep import Sweep

_NARROW_RATIO = 0.02


def data(sweep: Sweep) -> dict[str, Any]:
    return {"settings": sweep.settings, "measured": measured_objectives()}


@charted("Objectives", data)
def draw(settings: pd.DataFrame, measured: Sequence[Objective]) -> Chart:
    """Where the chosen setting stands in each objective, one row an objective on its own scale.

    Args:
        settings: one column for each objective, ``keeps_up``, ``front``, ``chosen``; only what keeps up is drawn.
        measured: the objectives from top to bottom.
    """
    settings = settings[settings["keeps_up"]]
    if settings.empty:
        return no_data("Objectives", "no setting keeps up with the load")
    best = [one.title for one in measured if _is_best(settings, one)]
    finding = "The chosen setting is a compromise: it is the best in no single objective"
    if best:
        finding = f"The chosen setting is the best, or within 2 % of it, in {_listed(best)}"
    figure, panels = chart(finding, rows=len(measured), height_in=1.5 + 0.82 * len(measured), share_x=False)
    for axes, one in zip(panels, measured, strict=True):
        _objective_panel(axes, settings, one)
    panels[-1].set_xlabel("◆ chosen     ● Pareto front     | beaten by another setting")
    return figure


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _is_best(settings: pd.DataFrame, one: Objective) -> bool:
    chosen, values = settings[settings["chosen"]], settings[one.column]
    if chosen.empty:
        return False
    value, best = float(chosen[one.column].iloc[0]), float(values.max() if one.more_is_better else values.min())
    return bool(abs(value - best) <= _NARROW_RATIO * max(abs(best), 1e-12))


def _objective_panel(axes: Axes, settings: pd.DataFrame, one: Objective) -> None:
    beaten, front = settings[~settings["front"]], settings[settings["front"]]
    axes.plot(beaten[one.column], np.zeros(len(beaten)), "|", color=UNKNOWN, markersize=11, markeredgewidth=1.2)
    axes.plot(front[one.column], np.zeros(len(front)), "o", color=ACCEPTED, markersize=6, alpha=0.6, markeredgewidth=0)
    chosen = settings[settings["chosen"]]
    for value in chosen[one.column]:
        axes.plot(value, 0, "D", color=COMPLETED, markersize=9, markeredgecolor="white", zorder=5)
    said = f": {in_unit(float(chosen[one.column].iloc[0]), one.unit)}" if len(chosen) else ""
    axes.set_title(f"{one.title}{said}", color=TEXT)
    axes.set_title("better →" if one.more_is_better else "← better", loc="right", color=FAINT, fontsize=9)
    axes.set_yticks([])
    axes.set_ylim(-1, 1)
    axes.grid(visible=False)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.03)
    if one.unit == "ratio":
        axes.set_xlim(right=min(1.0005, axes.get_xlim()[1]))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(lambda value, _: in_unit(value, one.unit))
