"""Failure rate of each function, by receive, with Wilson intervals."""

from typing import Any

import pandas as pd
from matplotlib.ticker import FuncFormatter

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.message_checks.failure_rates import rates_by_receive, trials_of
from dlqlab.charts.plot import charted
from dlqlab.charts.style import RETRYING, TARGET, Chart, chart, count, halo, no_data, percent, percent_exact, wrapped

ROWS_MAX = 16


def data(facts: Facts) -> dict[str, Any]:
    confidence = facts.scenario.judge.confidence
    return {
        "rates": pd.DataFrame(rates_by_receive(trials_of(facts.flow), confidence)),
        "promised": facts.flow.promise.failure_rate,
        "confidence": confidence,
    }


@charted("Failure rate by receive", data)
def draw(rates: pd.DataFrame, *, promised: float | None, confidence: float) -> Chart:
    """Share of attempts that failed, a row for each function and receive.

    Args:
        rates: ``function``, ``receive_count`` (0: not known), ``failed``, ``n``, and ``rate``, ``low``, ``high``:
            ratios of 0 to 1.
        promised: the promised ratio; None draws none.
        confidence: level of the intervals.
    """
    if rates.empty:
        return no_data("Failure rate by receive", "no function was given a message")
    drawn = rates.sort_values(["function", "receive_count"]).head(ROWS_MAX)
    n, failed = int(rates["n"].sum()), int(rates["failed"].sum())
    finding = f"{percent(failed / n)} of {count(n)} attempts failed"
    finding += "" if promised is None else f"; promised are {percent_exact(promised)}"
    figure, (axes,) = chart(finding, height_in=1.7 + 0.42 * len(drawn))
    left_out = f"; {len(rates) - len(drawn)} more rows are not drawn" if len(rates) > len(drawn) else ""
    axes.set_title(f"failed attempts of all; bars are {percent_exact(confidence)} Wilson intervals{left_out}")
    columns = (drawn[name].tolist() for name in ("rate", "low", "high"))
    for place, (rate, low, high) in enumerate(zip(*columns, strict=True)):
        axes.plot([low, high], [place, place], color=RETRYING, linewidth=7, alpha=0.35, solid_capstyle="butt")
        axes.plot(rate, place, "o", color=RETRYING, markersize=7)
        halo(axes, high + 0.015, place, percent(rate), va="center", fontweight="bold", zorder=4)
    if promised is not None:
        axes.axvline(promised, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.5)
    names = zip(drawn["function"], drawn["receive_count"], drawn["n"], strict=True)
    axes.set_yticks(
        range(len(drawn)), [f"{wrapped(name, 28)}\n{_receive(at)}, n = {count(n)}" for name, at, n in names]
    )
    axes.set_ylim(len(drawn) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.15)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))
    axes.set_xlabel("failure rate")
    return figure


def _receive(number: int) -> str:
    return f"receive {number}" if number else "receive not known"
