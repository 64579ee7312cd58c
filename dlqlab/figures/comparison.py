"""Two runs side by side: effect sizes with their intervals, distributions over each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from dlqlab.figures.style import (
    ACCEPTED,
    DEAD,
    FAINT,
    TARGET,
    TEXT,
    UNKNOWN,
    Chart,
    chart,
    key,
    no_data,
    percent,
    styled,
    wrapped,
)
from dlqlab.wording import amount, number

_SHADES = (ACCEPTED, DEAD)
_DASHES = ("-", (0, (6, 2)))
_DASHES_AS_TEXT = ("——", "– –")


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """One measure of two runs: second - first with its interval; ``unit`` is ``ratio``, ``s`` or ``ms``."""

    title: str
    unit: str
    first: float
    second: float
    difference: float
    interval: tuple[float, float]

    @property
    def differs(self) -> bool:
        """Whether the interval leaves 0 out."""
        return not self.interval[0] <= 0 <= self.interval[1]


@styled
def effects(rows: Sequence[EffectRow], *, names: tuple[str, str], confidence: float) -> Chart:
    """Differences of two runs, one row each on its own scale; an interval that leaves 0 out is coloured."""
    if not rows:
        return no_data("Differences", "no measure is there in both runs")
    changed = [row.title for row in rows if row.differs]
    finding = f"{len(changed)} of {len(rows)} measures differ between {names[0]} and {names[1]}"
    figure, panels = chart(finding, rows=len(rows), height_in=1.4 + 0.72 * len(rows), share_x=False)
    for axes, row in zip(panels, rows, strict=True):
        _effect_panel(axes, row)
    said = f"{names[1]} minus {names[0]}, each on its own scale; bars: {percent(confidence, 0)} intervals; dashed: 0"
    panels[-1].set_xlabel(wrapped(said, 88))
    return figure


def _effect_panel(axes: Axes, row: EffectRow) -> None:
    colour = DEAD if row.differs else UNKNOWN
    low, high = row.interval
    axes.plot([low, high], [0, 0], color=colour, linewidth=7, alpha=0.4, solid_capstyle="butt")
    axes.plot(row.difference, 0, "o", color=colour, markersize=7)
    axes.axvline(0, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.3)
    reach = max(abs(low), abs(high), 1e-9) * 1.35
    axes.set_xlim(-reach, reach)
    axes.set_yticks([])
    axes.set_ylim(-1, 1)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(lambda value, _: amount(value, row.unit))
    axes.set_title(f"{row.title}: {amount(row.first, row.unit)} → {amount(row.second, row.unit)}", color=TEXT)


@styled
def distributions(values: Mapping[str, pd.Series], *, subject: str, unit: str) -> Chart:
    """The distributions of one measure in several runs, each by its own line.

    Args:
        values: name of the run and the measure's values.
        subject: what is measured, as in ``retry lateness``.
        unit: of the values.
    """
    drawn = {name: series.dropna() for name, series in values.items() if series.notna().any()}
    if not drawn:
        return no_data(subject[0].upper() + subject[1:], "no run has a value")
    said = ", ".join(f"{number(float(series.median()))} {unit} in {name}" for name, series in drawn.items())
    figure, (axes,) = chart(f"Median {subject}: {said}")
    axes.set_title("share of cases within this value")
    names = []
    for place, (name, series) in enumerate(drawn.items()):
        points = np.sort(series.to_numpy(dtype="float64"))
        shade, dash = _SHADES[place % len(_SHADES)], _DASHES[place % len(_DASHES)]
        axes.plot(points, np.arange(1, len(points) + 1) / len(points), drawstyle="steps-post", color=shade,
                  linestyle=dash)  # fmt: skip
        names.append((f"{name} {_DASHES_AS_TEXT[place % 2]}  n = {len(points):,}", shade))
    right = max(float(series.quantile(0.995)) for series in drawn.values())
    axes.set_xlim(min(0.0, *(float(series.min()) for series in drawn.values())), right * 1.1 or 1.0)
    axes.set_ylim(0, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_ylabel("share", color=FAINT)
    axes.set_xlabel(f"{subject}, {unit}")
    key(axes, names, top=0.4)
    return figure
