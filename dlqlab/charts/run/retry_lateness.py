"""How late retries start, and the emulator's share of it."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.lateness import judged_retries
from dlqlab.charts.lateness import Probe, probe_of
from dlqlab.charts.plot import charted
from dlqlab.charts.style import (
    ACCEPTED,
    COMPLETED,
    DEAD,
    EMULATOR,
    FAINT,
    PIPELINE,
    RETRYING,
    TARGET,
    TEXT,
    Chart,
    by_attempt,
    chart,
    halo,
    key,
    no_data,
    plural,
)
from dlqlab.durations import duration

_LINES = 4
_SHADES = (RETRYING, ACCEPTED, COMPLETED, TEXT)
_DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1, 2)))
_LINES_AS_TEXT = ("——", "– –", "· · ·", "– · –")


def data(facts: Facts) -> dict[str, Any]:
    limit_s = facts.scenario.judge.max_median_lateness_s
    return {"retries": judged_retries(facts), "limit_s": limit_s, "probe": probe_of(facts)}


@charted("Retry lateness", data, needs=["visibility_tick"])
def draw(retries: pd.DataFrame, *, limit_s: float, probe: Probe | None) -> Chart:
    """How late retries start, and which part of it the emulator adds.

    Args:
        retries: one row per retry: ``attempt`` (2 is the first retry), ``lateness_s`` (start - (failure + backoff)).
        limit_s: the greatest median lateness that passes.
        probe: the emulator's own lateness; None where it was not measured.
    """
    late = retries["lateness_s"].dropna()
    if late.empty:
        return no_data("Retry lateness", "no attempt was retried")
    median = float(late.median())
    held = "within" if median <= limit_s else "over"
    finding = f"The median retry starts {duration(median)} late, {held} the limit of {duration(limit_s)}"
    if probe is not None:
        finding += f"; {duration(min(probe.median_s, max(median, 0)))} of it is the emulator's own"
    figure, (curve, share) = chart(finding, rows=2, height_in=4.6, share_x=False, ratios=(3, 1))
    _curve(curve, retries.dropna(subset=["lateness_s"]))
    _shares(share, median, limit_s, probe)
    return figure


def _curve(axes: Axes, retries: pd.DataFrame) -> None:
    late = retries["lateness_s"]
    axes.set_title(f"share of retries that started within this lateness, n = {plural(len(late), 'retry')}")
    right = max(float(late.quantile(0.995)) * 1.15, 0.05)
    left = min(float(late.min()) * 1.1, -0.02 * right)
    names: list[tuple[str, str]] = []
    for place, (attempt, part) in enumerate(by_attempt(retries)[:_LINES]):
        values = np.sort(part["lateness_s"].to_numpy())
        share = np.arange(1, len(values) + 1) / len(values)
        axes.plot(values, share, drawstyle="steps-post", color=_SHADES[place], linestyle=_DASHES[place])
        names.append((f"retry {attempt - 1} {_LINES_AS_TEXT[place]}  n = {len(values):,}", _SHADES[place]))
    axes.axvspan(left, 0, color=DEAD, alpha=0.08, linewidth=0)
    axes.axvline(0, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.5)
    for quantile in (0.5, 0.95):
        value = float(late.quantile(quantile))
        axes.plot(value, quantile, "o", color=TEXT, markersize=6, zorder=5)
        name = "median" if quantile == 0.5 else "p95"  # noqa: PLR2004  (the two above)
        # Left of the curve where there is room, else right of it, so that the label keeps clear of the axis.
        step, lift, side = (-0.015, 0.055, "right") if value - left > 0.4 * (right - left) else (0.02, -0.06, "left")
        halo(axes, value + (right - left) * step, quantile + lift, f"{name} {duration(value)}", ha=side,
             va="center", color=TEXT)  # fmt: skip
    axes.set_xlim(left, right)
    axes.set_ylim(0, 1.08)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    key(axes, names, top=0.42)
    axes.set_ylabel("share of retries")
    axes.set_xlabel("seconds late (left of 0: too early)")


def _shares(axes: Axes, median: float, limit_s: float, probe: Probe | None) -> None:
    """The median as a bar, split; the limit is drawn where it fits and named where it does not."""
    total = max(median, 0.0)
    emulator = min(probe.median_s, total) if probe else 0.0
    axes.barh(0, emulator, color=EMULATOR, height=0.55)
    axes.barh(0, total - emulator, left=emulator, color=PIPELINE, height=0.55)
    axes.set_xlim(0, max(total, limit_s) * 1.25)
    axes.set_ylim(-0.45, 1.0)
    axes.set_yticks([])
    axes.grid(axis="x")
    axes.axvline(limit_s, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.5)
    room = axes.get_xlim()[1]
    axes.text(limit_s + room * 0.008, 0.72, f"limit {duration(limit_s)}", color=TARGET, va="center", fontweight="bold",
              fontsize=9.5)  # fmt: skip
    split = f"{duration(emulator)} emulator + {duration(total - emulator)} pipeline"
    if probe is None:
        split = f"{duration(total)}; the emulator's share was not measured"
    halo(axes, total + room * 0.012, 0, split, va="center", color=FAINT)
    axes.set_title("median lateness, split by who adds it")
    axes.set_xlabel("seconds")
