"""Lateness of each retry beside what the emulator alone adds."""

from typing import Any

import pandas as pd

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.lateness import lateness_by_attempt
from dlqlab.charts.lateness import Probe, probe_of
from dlqlab.charts.plot import charted
from dlqlab.charts.style import EMULATOR, INK, RETRYING, Chart, chart, no_data
from dlqlab.durations import duration


def data(facts: Facts) -> dict[str, Any]:
    return {"table": lateness_by_attempt(facts), "probe": probe_of(facts)}


@charted("Lateness by retry", data, needs=["visibility_tick"])
def draw(table: pd.DataFrame, *, probe: Probe | None) -> Chart:
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
