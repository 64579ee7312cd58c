"""Mean lateness of each retry, split by what the evidence shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.lateness import PARTS, attribution, pollers
from dlqlab.charts.plot import charted
from dlqlab.charts.style import ACCEPTED, EMULATOR, IN_FLIGHT, RETRYING, TEXT, UNKNOWN, Chart, chart, halo, no_data
from dlqlab.durations import duration

_PART_SHADES = (EMULATOR, ACCEPTED, IN_FLIGHT, RETRYING, UNKNOWN)
_PARTS_ROWS = 7


def data(facts: Facts) -> dict[str, Any]:
    return {"table": attribution(facts), "parts": PARTS, "pollers": pollers(facts)}


@charted("Who makes retries late", data, needs=["visibility_tick"])
def draw(table: pd.DataFrame, *, parts: Mapping[str, str], pollers: int) -> Chart:
    """Mean lateness by who adds it, a bar for each retry and one for all.

    Args:
        table: ``attempt`` (2 is the first retry, 0 all of them), ``n``, ``lateness_s`` and a column per part, seconds.
        parts: column and what it is called, in the order in which they are stacked.
        pollers: batches at once at which the pollers count as busy.
    """
    drawn = table[table["n"] > 0].head(_PARTS_ROWS)
    if drawn.empty:
        return no_data("Who makes retries late", "no attempt was retried")
    whole = table.iloc[-1]
    shares = sorted(parts, key=lambda part: -float(whole[part]))
    said = ", ".join(f"{parts[part]} {duration(float(whole[part]))}" for part in shares[:2])
    finding = f"Retries start {duration(float(whole['lateness_s']))} late on average, most by: {said}"
    figure, (axes,) = chart(finding, height_in=2.3 + 0.5 * len(drawn))
    axes.set_title(f"mean lateness, split; pollers count as busy while {pollers} batches run")
    names = []
    for place, (_, row) in enumerate(drawn.iterrows()):
        left = 0.0
        for (part, _), shade in zip(parts.items(), _PART_SHADES, strict=True):
            axes.barh(place, float(row[part]), left=left, color=shade, height=0.55)
            left += float(row[part])
        halo(axes, left, place, f" {duration(left)}", va="center", color=TEXT)
        name = "all retries" if row["attempt"] == 0 else f"retry {int(row['attempt']) - 1}"
        names.append(f"{name}\nn = {int(row['n']):,}")
    axes.set_yticks(range(len(names)), names)
    # Free rows below the bars hold the names of the parts.
    axes.set_ylim(len(names) + 1.1, -0.6)
    axes.set_xlim(0, max(float(drawn["lateness_s"].max()), 1e-3) * 1.18)
    axes.grid(axis="x")
    axes.set_xlabel("seconds late")
    _part_names(axes, list(parts.values()), float(len(names)))
    return figure


def _part_names(axes: Axes, names: Sequence[str], y: float) -> None:
    """The parts in the order of the bars, each with a square of its colour."""
    left, right = axes.get_xlim()
    for place, (name, shade) in enumerate(zip(names, _PART_SHADES, strict=True)):
        x = left + (right - left) * (0.01 + 0.34 * (place % 3))
        row = y + 0.05 + 0.6 * (place // 3)
        axes.plot(x, row, "s", color=shade, markersize=8)
        axes.text(x + (right - left) * 0.018, row, name, va="center", fontsize=9.5, color=TEXT)
