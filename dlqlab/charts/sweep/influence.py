"""Which varied setting moves which objective."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from dlqlab.charts.objectives import Objective, in_unit, measured_objectives
from dlqlab.charts.plot import charted
from dlqlab.charts.style import ACCEPTED, FAINT, TEXT, Chart, chart, no_data, wrapped
from dlqlab.tune.measures import OBJECTIVES
from dlqlab.tune.sweep import Sweep

_SHADES = LinearSegmentedColormap.from_list("matter", ["#FFFFFF", ACCEPTED])
_DARK = 0.55


def data(sweep: Sweep) -> dict[str, Any]:
    names = list(OBJECTIVES)
    levels = {
        name: sweep.settings.groupby(name, sort=False)[names].mean()
        for name in sweep.varied
        if len(set(sweep.settings[name])) > 1
    }
    return {"levels": levels, "measured": measured_objectives()}


@charted("Influence", data)
def draw(levels: Mapping[str, pd.DataFrame], measured: Sequence[Objective]) -> Chart:
    """Which varied setting moves which objective: a table shaded by how far its values lie apart.

    Args:
        levels: varied setting -> a row for each of its values (the index), the mean of each objective over everything
            else that was varied.
        measured: the objectives, a column each.
    """
    if not levels:
        return no_data("Influence", "nothing was varied")
    spreads = {name: [_spread(table[one.column]) for one in measured] for name, table in levels.items()}
    name, place = max(((n, p) for n in spreads for p in range(len(measured))), key=lambda at: spreads[at[0]][at[1]])
    moved = levels[name][measured[place].column]
    ends = " to ".join(in_unit(float(moved.iloc[at]), measured[place].unit) for at in (0, -1))
    finding = f"{name} matters most: it moves the {measured[place].title} from {ends}"
    figure, (axes,) = chart(finding, height_in=1.9 + 0.78 * len(levels))
    axes.set_axis_off()
    axes.set_xlim(-1.35, len(measured))
    axes.set_ylim(len(levels) + 0.45, -0.75)
    how = "first value → last, averaged over all else that was varied; the darker, the more it matters"
    axes.text(len(measured), len(levels) + 0.12, how, ha="right", va="top", fontsize=9, color=FAINT)
    for column, one in enumerate(measured):
        axes.text(column + 0.5, -0.08, wrapped(one.title, 13), ha="center", va="bottom", fontsize=9, color=FAINT)
    for row, (setting, table) in enumerate(levels.items()):
        values = f"{_value(table.index[0])} → {_value(table.index[-1])}"
        axes.text(-0.08, row + 0.36, setting, ha="right", va="center", fontweight="bold", fontsize=9.5)
        axes.text(-0.08, row + 0.68, values, ha="right", va="center", fontsize=9, color=FAINT)
        for column, one in enumerate(measured):
            _influence_cell(axes, (column, row), table[one.column], one)
    return figure


def _influence_cell(axes: Axes, at: tuple[int, int], values: pd.Series, one: Objective) -> None:
    share = min(1.0, _spread(values))
    axes.add_patch(Rectangle(at, 0.96, 0.94, facecolor=_SHADES(share), edgecolor="#E4E4E4", linewidth=0.8))
    text = f"{in_unit(float(values.iloc[0]), one.unit)}\n→ {in_unit(float(values.iloc[-1]), one.unit)}"
    axes.text(at[0] + 0.48, at[1] + 0.47, text, ha="center", va="center", fontsize=8.5, linespacing=1.25,
              color="white" if share > _DARK else TEXT)  # fmt: skip


def _spread(values: pd.Series) -> float:
    """How far the values lie apart, as a share of their mean."""
    mean = float(values.mean())
    return float(values.max() - values.min()) / abs(mean) if mean and np.isfinite(mean) else 0.0


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()
