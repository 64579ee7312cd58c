"""Distributions of one measure in several runs, over each other."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from dlqlab.charts.style import ACCEPTED, DEAD, FAINT, Chart, chart, key, no_data
from dlqlab.wording import number

_SHADES = (ACCEPTED, DEAD)
_DASHES = ("-", (0, (6, 2)))
_DASHES_AS_TEXT = ("——", "– –")


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
