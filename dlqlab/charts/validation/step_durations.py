"""What the prediction took from the other run, beside the same in the predicted one."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlqlab.charts.plot import charted
from dlqlab.charts.style import ACCEPTED, TARGET, Chart, chart, no_data
from dlqlab.twin.calibrate import SAMPLE_MIN
from dlqlab.twin.validate import Validation
from dlqlab.wording import number


def data(validation: Validation) -> dict[str, Any]:
    other, own = ({fit.name: fit for fit in one.fits} for one in validation.calibrations)
    rows = {
        name: (other[name].measured, own[name].measured)
        for name in other
        if min(other[name].n, own[name].n) >= SAMPLE_MIN
    }
    return {"rows": rows, "names": ("the run they were taken from", "the predicted run")}


@charted("Durations", data)
def draw(rows: Mapping[str, tuple[Mapping[str, float], Mapping[str, float]]], *, names: tuple[str, str]) -> Chart:
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
