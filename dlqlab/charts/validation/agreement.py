"""How far each measure's prediction is off, with its limit."""

from typing import Any

import numpy as np
import pandas as pd

from dlqlab.charts.plot import charted
from dlqlab.charts.style import COMPLETED, DEAD, FAINT, TARGET, Chart, chart, halo, no_data, plural
from dlqlab.twin.validate import Validation
from dlqlab.wording import number


def data(validation: Validation) -> dict[str, Any]:
    return {"table": validation.table()}


@charted("Prediction", data)
def draw(table: pd.DataFrame) -> Chart:
    """How far each measure's prediction is off, with its limit.

    Args:
        table: measure, unit, limit, measured, predicted, low, high, off, within; one row a measure.
    """
    if table.empty:
        return no_data("Prediction", "nothing was measured")
    good = int(table["within"].sum())
    figure, (axes,) = chart(
        f"{good} of {plural(len(table), 'measure')} predicted within the limit", height_in=1.3 + 0.5 * len(table)
    )
    reach = max(0.2, float(np.abs(table[["off", "limit"]].to_numpy(dtype=float)).max()) * 1.25)
    rows: list[Any] = list(table.itertuples())
    for place, row in enumerate(rows):
        y = len(table) - 1 - place
        colour = COMPLETED if row.within else DEAD
        axes.plot([-row.limit, row.limit], [y, y], color=TARGET, linewidth=7, alpha=0.13, solid_capstyle="butt")
        spread = [_off(row.low, row.measured), _off(row.high, row.measured)]
        axes.plot(spread, [y, y], color=colour, linewidth=1.6)
        axes.plot([row.off], [y], marker="o" if row.within else "X", color=colour, markersize=8, linestyle="none")
        said = f"{_value(row.measured, row.unit)} measured, {_value(row.predicted, row.unit)} predicted"
        halo(axes, -reach * 0.98, y + 0.32, said, va="center", color=FAINT, fontsize=9)
    axes.axvline(0, color=TARGET, linewidth=1)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-0.6, len(table) - 0.3)
    axes.set_yticks(range(len(table)), list(table["measure"])[::-1])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:+.0%}" if value else "0")
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("predicted against measured; dot: median of the seeds, line: all of them, grey: limit")
    return figure


def _off(value: float, base: float) -> float:
    return value / base - 1 if base else 0.0


def _value(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if unit in ("tasks", "attempts") else f"{number(value)} {unit}"
