"""Charts that hold a simulation against what was measured."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlqlab.figures.style import (
    ACCEPTED,
    COMPLETED,
    DEAD,
    FAINT,
    TARGET,
    Chart,
    chart,
    halo,
    key,
    no_data,
    percent,
    plural,
    styled,
)
from dlqlab.wording import number

_STEPS_MAX = 400
Values = NDArray[np.float64]


@styled
def agreement(table: pd.DataFrame) -> Chart:
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


@styled
def completion_times(measured: Values, predicted: Sequence[Values], *, names: tuple[str, str]) -> Chart:
    """Share of completed tasks that had been completed after so long: measured, and each seed's prediction."""
    if not len(measured) or not predicted:
        return no_data("Time to completion", "no task was completed")
    middle = float(np.median([np.median(one) for one in predicted]))
    said = f"Half of the tasks completed in {number(float(np.median(measured)))} s, predicted {number(middle)} s"
    figure, (axes,) = chart(said)
    for one in predicted:
        axes.plot(*_shares(one), color=ACCEPTED, linewidth=1.1, alpha=0.6)
    axes.plot(*_shares(measured), color=TARGET, linestyle=(0, (5, 2)), linewidth=1.9)
    axes.set_xscale("log")
    axes.set_ylim(0, 1.02)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_major_formatter(lambda value, _: percent(value, 0))
    axes.set_xlabel("seconds from sending to completion")
    axes.set_ylabel("of completed tasks")
    key(axes, [(f"- - {names[0]}", TARGET), (f"— {names[1]}, {plural(len(predicted), 'seed')}", ACCEPTED)])
    return figure


@styled
def durations(rows: Mapping[str, tuple[Mapping[str, float], Mapping[str, float]]], *, names: tuple[str, str]) -> Chart:
    """Each duration in the run that it was taken from and in the predicted one: median, and 5 % to 95 %.

    Args:
        rows: duration -> quantiles p5, p50, p95 in seconds, of both runs.
        names: of both.
    """
    if not rows:
        return no_data("Durations", "neither run shows any")
    apart = {name: abs(np.log(max(b["p50"], 1e-6) / max(a["p50"], 1e-6))) for name, (a, b) in rows.items()}
    worst = max(apart, key=lambda name: apart[name])
    figure, (axes,) = chart(
        f"Medians of {worst.removesuffix('_s')} differ most: {number(rows[worst][0]['p50'] * 1000)} ms and "
        f"{number(rows[worst][1]['p50'] * 1000)} ms",
        height_in=1.4 + 0.36 * len(rows),
    )
    for place, pair in enumerate(rows.values()):
        y = len(rows) - 1 - place
        for lift, colour, mark, values in zip((0.13, -0.13), (ACCEPTED, TARGET), "os", pair, strict=True):
            ends = [max(values["p5"] * 1000, 0.01), max(values["p95"] * 1000, 0.01)]
            axes.plot(ends, [y + lift] * 2, color=colour, linewidth=1.4)
            axes.plot([max(values["p50"] * 1000, 0.01)], [y + lift], marker=mark, color=colour, markersize=5)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_yticks(range(len(rows)), [name.removesuffix("_s").replace("_", " ") for name in rows][::-1])
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"milliseconds; mark: median, line: 5 % to 95 %\n● {names[0]}   ■ {names[1]}")
    return figure


def _off(value: float, base: float) -> float:
    return value / base - 1 if base else 0.0


def _value(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if unit in ("tasks", "attempts") else f"{number(value)} {unit}"


def _shares(values: Values) -> tuple[Values, Values]:
    """Quantiles and their shares, for a line."""
    shares = np.linspace(0, 1, min(_STEPS_MAX, max(2, len(values))))
    return np.maximum(np.quantile(values, shares), 1e-3), shares
