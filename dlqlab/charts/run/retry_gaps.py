"""The wait before each retry against the configured backoff."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.lateness import EARLY_TOLERANCE_S, judged_retries
from dlqlab.charts.plot import charted
from dlqlab.charts.style import DEAD, RETRYING, TARGET, Chart, by_attempt, chart, count, no_data, plural

_ATTEMPTS_SHOWN = 8


def data(facts: Facts) -> dict[str, Any]:
    bounds = [facts.policy.bounds_s(attempt) for attempt in range(1, min(facts.policy.max_attempts, 100))]
    return {"retries": judged_retries(facts), "bounds_s": bounds}


@charted("Retry gaps", data, needs=["visibility_tick"])
def draw(retries: pd.DataFrame, *, bounds_s: Sequence[tuple[float, float]]) -> Chart:
    """The wait before each retry against the configured backoff.

    Args:
        retries: one row per retry: ``attempt`` (2 is the first retry), ``gap_s`` (from the failure before it to its
            start), ``backoff_s`` (asked for).
        bounds_s: least and greatest backoff that the policy allows before attempt 2, 3, ...
    """
    groups = by_attempt(retries)[:_ATTEMPTS_SHOWN]
    if not groups:
        return no_data("Retry gaps", "no attempt was retried")
    early = int((retries["gap_s"] < retries["backoff_s"] - EARLY_TOLERANCE_S).sum())
    figure, panels = chart(_gap_finding(early, len(retries)), rows=len(groups), height_in=1.5 + 1.15 * len(groups))
    panels[0].set_title("wait from a failure to the start of the next attempt, one row per retry")
    greatest = float(retries["gap_s"].max())
    end = greatest * 1.02 + 0.05
    for axes, (attempt, part) in zip(panels, groups, strict=True):
        _gap_panel(axes, attempt, part, end, bounds_s)
    panels[-1].set_xlabel("seconds after the failure")
    panels[-1].set_xlim(min(0.0, float(retries["gap_s"].min())), end)
    return figure


def _gap_panel(
    axes: Axes, attempt: int, part: pd.DataFrame, end: float, bounds_s: Sequence[tuple[float, float]]
) -> None:
    low, high = (
        bounds_s[attempt - 2] if attempt - 2 < len(bounds_s) else (part["backoff_s"].min(), part["backoff_s"].max())
    )
    # An edge of the bins lies on the backoff, less the tolerance: no bar reaches over the line by its width alone.
    width, edge = end / 90, low - EARLY_TOLERANCE_S
    bins = edge + width * np.arange(-np.ceil(edge / width) - 1, np.ceil((end - edge) / width) + 1)
    axes.hist(part["gap_s"], bins=bins.tolist(), color=RETRYING)
    top = axes.get_ylim()[1] * 1.5
    axes.set_ylim(0, top)
    axes.axvspan(0, low, color=DEAD, alpha=0.07, linewidth=0)
    if high > low:
        axes.axvspan(low, high, color=TARGET, alpha=0.07, linewidth=0)
    for bound in {low, high}:
        axes.axvline(bound, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.5)
    span = f"{low:g} s" if low == high else f"{low:g} to {high:g} s"
    axes.set_ylabel(f"retry {attempt - 1}\nn = {count(len(part))}", rotation=0, ha="right", va="center")
    axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    near_right = low > end * 0.6
    axes.annotate(f"backoff {span}", (low, top * 0.93), xytext=(-5 if near_right else 5, 0), va="top",
                  textcoords="offset points", ha="right" if near_right else "left", color=TARGET, fontsize=9.5,
                  fontweight="bold")  # fmt: skip
    if low > end * 0.2:
        axes.text(end * 0.01, top * 0.93, "too early", va="top", color=DEAD, fontsize=9.5)


def _gap_finding(early: int, n: int) -> str:
    if early:
        return f"{plural(early, 'retry')} of {count(n)} came before the backoff was over"
    return f"No retry came early: all {plural(n, 'retry')} waited at least the configured backoff"
