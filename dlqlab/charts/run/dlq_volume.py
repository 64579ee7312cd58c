"""Dead-lettered tasks against the band that the fault plan predicts."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from dlqlab.analysis import binomial
from dlqlab.analysis.checks.dlq_volume import dlq_volume_check
from dlqlab.analysis.facts import Facts
from dlqlab.charts.plot import charted
from dlqlab.charts.style import (
    ACCEPTED,
    COMPLETED,
    DEAD,
    IN_FLIGHT,
    INK,
    TARGET,
    Chart,
    chart,
    count,
    halo,
    no_data,
    percent,
    percent_exact,
    plural,
)
from dlqlab.errors import EvidenceError

_TAIL = 1e-5
_POINTS_MAX = 2000


def data(facts: Facts) -> dict[str, Any]:
    check = dlq_volume_check(facts)
    if check.n is None or check.expected is None:
        raise EvidenceError(check.statement)
    n, share = check.n, check.expected
    low, high = (binomial.quantile(tail, n, share) for tail in (_TAIL, 1 - _TAIL))
    numbers = np.unique(np.linspace(max(0, low - 1), high + 1, _POINTS_MAX).round().astype("int64"))
    return {
        "measured": int(check.details["count"]),
        "n": n,
        "predicted_share": share,
        "pmf": pd.DataFrame({"dead_letters": numbers, "probability": binomial.pmf(numbers, n, share)}),
        "band": (int(check.details["band"][0]), int(check.details["band"][1])),
        "confidence": facts.scenario.judge.confidence,
        "seed_predicts": int(check.details["seed_predicts"]),
    }


@charted("Dead-letter volume", data)
def draw(*, measured: int, n: int, predicted_share: float, pmf: pd.DataFrame, band: tuple[int, int],
               confidence: float, seed_predicts: int | None = None) -> Chart:  # fmt: skip
    """Dead-lettered tasks against the band that the fault mode predicts.

    Args:
        measured: tasks that were dead-lettered.
        n: tasks that were acknowledged.
        predicted_share: expected ratio of dead-lettered tasks.
        pmf: ``dead_letters`` and ``probability``: the binomial distribution around the expectation.
        band: the central counts that hold ``confidence`` of the probability, both ends included.
        confidence: level of the band.
        seed_predicts: the exact count that the seed foretells, where known.
    """
    if n == 0 or pmf.empty:
        return no_data("Dead-letter volume", "no task was acknowledged")
    low, high = band
    inside = low <= measured <= high
    finding = (
        f"{plural(measured, 'task')} of {count(n)} were dead-lettered ({percent(measured / n, 2)}): "
        f"{'inside' if inside else 'outside'} the predicted {count(low)} to {count(high)}"
    )
    figure, (axes,) = chart(finding)
    axes.set_title(f"how likely each number is if {percent_exact(predicted_share)} of {count(n)} tasks fail for good")
    x, y = pmf["dead_letters"].to_numpy(), pmf["probability"].to_numpy()
    within = (x >= low) & (x <= high)
    axes.fill_between(x, y, step="mid", color=IN_FLIGHT, alpha=0.25, linewidth=0)
    axes.fill_between(x, y, where=within, step="mid", color=IN_FLIGHT, alpha=0.65, linewidth=0)
    _volume_marks(axes, y.max(), n * predicted_share, measured, seed_predicts, inside=inside)
    halo(axes, (low + high) / 2, y.max() * 0.1, f"{percent_exact(confidence)} band: {count(low)} to {count(high)}",
         ha="center", color=ACCEPTED)  # fmt: skip
    axes.set_xlabel("dead-lettered tasks")
    axes.set_ylabel("probability")
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(0, y.max() * 1.35)
    return figure


def _volume_marks(axes: Axes, top: float, expected: float, measured: int, seed: int | None, *, inside: bool) -> None:
    colour = INK[COMPLETED if inside else DEAD]
    axes.plot([expected, expected], [0, top * 1.04], color=TARGET, linestyle=(0, (5, 3)), linewidth=1.5)
    axes.plot([measured, measured], [0, top * 1.04], color=colour, linewidth=3)
    said = f"measured {count(measured)}"
    if seed is not None:
        said += ", as the seed foretells" if seed == measured else f"; the seed foretells {count(seed)}"
    left = measured < expected
    axes.annotate(said, (measured, top * 1.04), xytext=(0, 14), textcoords="offset points", color=colour,
                  ha="center" if inside else "right" if measured > expected else "left", fontweight="bold")  # fmt: skip
    axes.annotate(f"expected {expected:,.1f}", (expected, top * 1.04), xytext=(0, 2), textcoords="offset points",
                  ha="left" if left else "right", color=TARGET)  # fmt: skip
