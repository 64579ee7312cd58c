"""How late retries are: the distribution, and the shares of the emulator and of the pipeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from dlqlab.durations import duration
from dlqlab.figures.style import (
    ACCEPTED,
    COMPLETED,
    DEAD,
    EMULATOR,
    FAINT,
    IN_FLIGHT,
    INK,
    PIPELINE,
    RETRYING,
    TARGET,
    TEXT,
    UNKNOWN,
    Chart,
    by_attempt,
    chart,
    halo,
    key,
    no_data,
    plural,
    styled,
)

_LINES = 4
_SHADES = (RETRYING, ACCEPTED, COMPLETED, TEXT)
_DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1, 2)))
_PART_SHADES = (EMULATOR, ACCEPTED, IN_FLIGHT, RETRYING, UNKNOWN)
_PARTS_ROWS = 7
_LINES_AS_TEXT = ("——", "– –", "· · ·", "– · –")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How late the emulator alone shows a message again, measured before the load."""

    median_s: float
    p95_s: float
    n: int


@styled
def retry_lateness(retries: pd.DataFrame, *, limit_s: float, probe: Probe | None) -> Chart:
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


@styled
def lateness_quantiles(table: pd.DataFrame, *, probe: Probe | None) -> Chart:
    """Lateness of each retry beside what the emulator alone adds.

    Args:
        table: one row per attempt number: ``attempt`` (2 is the first retry), ``n``, ``p50_s``, ``p95_s``, ``p99_s``.
        probe: the emulator's own lateness; None where it was not measured.
    """
    if table.empty:
        return no_data("Lateness by retry", "no attempt was retried")
    rows = [
        (f"retry {attempt - 1:.0f}\nn = {n:,.0f}", RETRYING, quantiles)
        for attempt, n, *quantiles in table[["attempt", "n", "p50_s", "p95_s", "p99_s"]].head(8).to_numpy().tolist()
    ]
    if probe is not None:
        rows.append((f"emulator alone\nn = {probe.n}", EMULATOR, [probe.median_s, probe.p95_s]))
    worst = max(rows, key=lambda row: row[2][0])
    finding = f"Highest median lateness: {duration(worst[2][0])}, {worst[0].splitlines()[0]}"
    figure, (axes,) = chart(finding, height_in=1.6 + 0.62 * len(rows))
    axes.set_title("dot: median; strokes: p95 and p99; the emulator alone was probed before the load")
    for place, (_, colour, quantiles) in enumerate(rows):
        axes.plot([quantiles[0], quantiles[-1]], [place, place], color=colour, linewidth=6, alpha=0.35)
        axes.plot(quantiles[0], place, "o", color=colour, markersize=9)
        axes.plot(quantiles[1:], [place] * len(quantiles[1:]), "|", color=colour, markersize=15, markeredgewidth=2)
        axes.annotate(duration(quantiles[0]), (quantiles[0], place), xytext=(0, 8), textcoords="offset points",
                      ha="center", fontsize=9.5, fontweight="bold", color=INK[colour])  # fmt: skip
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.6)
    axes.set_xlim(min(0.0, *(row[2][0] for row in rows)), None)
    axes.grid(axis="x")
    axes.set_xlabel("seconds late")
    return figure


@styled
def lateness_parts(table: pd.DataFrame, *, parts: Mapping[str, str], pollers: int) -> Chart:
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


@styled
def lateness_over_time(retries: pd.DataFrame, *, start_ts: float, limit_s: float) -> Chart:
    """Whether lateness grows with the load: each retry by the time at which it was due.

    Args:
        retries: one row per retry: ``failed_ts``, ``backoff_s`` and ``lateness_s``.
        start_ts: zero of the time axis, the start of the load.
        limit_s: the greatest median lateness that passes.
    """
    drawn = retries.dropna(subset=["lateness_s"])
    if drawn.empty:
        return no_data("Lateness over time", "no attempt was retried")
    at = drawn["failed_ts"] + drawn["backoff_s"] - start_ts
    halves = [drawn["lateness_s"][at < at.median()], drawn["lateness_s"][at >= at.median()]]
    first, second = (float(half.median()) if len(half) else float("nan") for half in halves)
    finding = f"Median lateness: {duration(first)} in the first half of the run, {duration(second)} later"
    figure, (axes,) = chart(finding)
    axes.set_title("each dot is a retry")
    axes.plot(at, drawn["lateness_s"], "o", color=IN_FLIGHT, markersize=3.2, alpha=0.55, markeredgewidth=0)
    bins = np.linspace(float(at.min()), float(at.max()) + 1e-6, 25)
    middle = drawn["lateness_s"].groupby(np.digitize(at, bins)).median()
    axes.plot([bins[min(int(b), 24) - 1] for b in middle.index], middle, color=TEXT)
    halo(axes, float(at.max()), float(middle.iloc[-1]), "median", ha="right", va="bottom", color=TEXT)
    axes.axhline(0, color=TARGET, linewidth=1)
    if limit_s < float(drawn["lateness_s"].max()) * 2:
        axes.axhline(limit_s, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.5)
        halo(axes, float(at.min()), limit_s, f"limit for the median {duration(limit_s)}", va="bottom", color=TARGET)
    axes.set_xlabel("seconds after the start of the load")
    axes.set_ylabel("seconds late")
    return figure
