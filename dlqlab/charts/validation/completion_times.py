"""Distributions of the time to completion over each other: measured, and each prediction."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlqlab.charts.plot import charted
from dlqlab.charts.style import ACCEPTED, TARGET, Chart, chart, key, no_data, percent, plural
from dlqlab.twin.validate import Validation, completed_in
from dlqlab.wording import number

_STEPS_MAX = 400
Values = NDArray[np.float64]


def data(validation: Validation) -> dict[str, Any]:
    predicted = [one.completion_s() for one in validation.other]
    return {"measured": completed_in(validation.facts), "predicted": predicted, "names": ("measured", "predicted")}


@charted("Time to completion", data)
def draw(measured: Values, predicted: Sequence[Values], *, names: tuple[str, str]) -> Chart:
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


def _shares(values: Values) -> tuple[Values, Values]:
    """Quantiles and their shares, for a line."""
    shares = np.linspace(0, 1, min(_STEPS_MAX, max(2, len(values))))
    return np.maximum(np.quantile(values, shares), 1e-3), shares
