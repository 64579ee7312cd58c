"""Failure rate against the target, with Wilson intervals: by attempt, or by task where the fault mode is sticky."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from dlqlab.analysis.checks.failure_rate import failure_rate_check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.rates import failure_rate_by_attempt
from dlqlab.charts.plot import charted
from dlqlab.charts.style import RETRYING, TARGET, TEXT, Chart, chart, count, halo, no_data, percent, percent_exact
from dlqlab.wording import probability

ALL = 0
"""The row of a frame of rates that counts all attempts together."""
_ATTEMPTS_SHOWN = 8


def data(facts: Facts) -> dict[str, Any]:
    check = failure_rate_check(facts)
    trial = str(check.details["trial"])
    parts = failure_rate_by_attempt(facts) if trial == "attempt" else pd.DataFrame()
    whole = []
    if check.measured is not None and check.interval is not None:
        low, high = check.interval
        whole = [{"attempt": ALL, "n": check.n, "rate": check.measured, "low": low, "high": high}]
    alike = check.details["independence"] if trial == "attempt" else None
    return {
        "rates": pd.concat([parts, pd.DataFrame(whole)]).reindex(columns=["attempt", "n", "rate", "low", "high"]),
        "target": check.expected,
        "confidence": facts.scenario.judge.confidence,
        "counted": f"{trial}s",
        "alike": None if alike is None else (alike["p_value"], alike["method"]),
    }


@charted("Failure rate", data)
def draw(
    rates: pd.DataFrame,
    *,
    target: float | None,
    confidence: float,
    counted: str = "attempts",
    alike: tuple[float, str] | None = None,
) -> Chart:
    """Failure rate by attempt against the target.

    Args:
        rates: one row per attempt number and one for all of them (``attempt`` is 0): ``attempt``, ``n``, ``rate``,
            ``low``, ``high``; ratios of 0 to 1, low and high are the Wilson interval.
        target: the ratio that the attempts shall fail at; None draws none.
        confidence: level of the intervals.
        counted: what n counts, ``attempts`` or ``tasks``.
        alike: p-value and name of the test that all tries fail at one rate; None where it was not made.
    """
    drawn = rates[rates["n"] > 0].sort_values("attempt")
    total = drawn[drawn["attempt"] == ALL]
    if total.empty:
        return no_data("Failure rate", f"no finished {counted} to count")
    drawn = pd.concat([drawn[drawn["attempt"] != ALL].head(_ATTEMPTS_SHOWN), total])
    whole = total.iloc[0]
    figure, (axes,) = chart(_rate_finding(whole, target, confidence, counted))
    axes.set_title(f"failed {counted} of all {counted}; bars are {percent_exact(confidence)} Wilson intervals")
    if alike is not None:
        p_value, method = alike
        told = "fail alike" if p_value >= 1 - confidence else "do not fail alike"
        axes.set_xlabel(f"first tries and retries {told}: {probability(p_value)} for one common rate ({method} test)")
    for place, (attempt, rate, low, high) in enumerate(_numbers(drawn)):
        colour = TEXT if attempt == ALL else RETRYING
        axes.plot([place, place], [low, high], color=colour, linewidth=7, alpha=0.35, solid_capstyle="butt")
        axes.plot(place, rate, "o", color=colour, markersize=8)
        halo(axes, place + 0.11, rate, percent(rate), va="center", fontsize=10, fontweight="bold", zorder=4)
    names = [_attempt_name(int(attempt), counted) for attempt in drawn["attempt"]]
    labels = [f"{name}\nn = {count(n)}" for name, n in zip(names, drawn["n"], strict=True)]
    axes.set_xticks(range(len(drawn)), labels)
    axes.set_xlim(-0.5, len(drawn) + 0.35)
    _fit(axes, [*drawn["low"], *drawn["high"], *([] if target is None else [target])])
    axes.set_ylabel("failure rate")
    if target is not None:
        axes.axhline(target, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.5)
        halo(axes, len(drawn) + 0.33, target, f"target {percent_exact(target)}", va="center", ha="right", color=TARGET,
             fontweight="bold")  # fmt: skip
    return figure


def _rate_finding(whole: pd.Series, target: float | None, confidence: float, counted: str) -> str:
    said = f"{percent(whole['rate'])} of {count(whole['n'])} {counted} failed"
    if target is None:
        return said
    place = "inside" if whole["low"] <= target <= whole["high"] else "outside"
    return f"{said}: the target of {percent_exact(target)} lies {place} the {percent_exact(confidence)} interval"


def _numbers(rates: pd.DataFrame) -> list[tuple[float, float, float, float]]:
    columns = (rates[name].astype("float64").tolist() for name in ("attempt", "rate", "low", "high"))
    return list(zip(*columns, strict=True))


def _attempt_name(attempt: int, counted: str) -> str:
    if attempt == ALL:
        return f"all {counted}"
    return "first try" if attempt == 1 else f"retry {attempt - 1}"


def _fit(axes: Axes, values: Sequence[float]) -> None:
    """Limits around the values with room to spare, within 0 and 1."""
    low, high = min(values), max(values)
    room = max(0.02, (high - low) * 0.25)
    axes.set_ylim(max(0.0, low - room), min(1.02, high + room))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))
