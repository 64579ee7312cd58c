"""Charts that hold a measurement against a target: each draws the target, the interval and the number of cases."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from dlqlab.figures.style import (
    ACCEPTED,
    COMPLETED,
    DEAD,
    IN_FLIGHT,
    INK,
    RETRYING,
    TARGET,
    TEXT,
    Chart,
    by_attempt,
    chart,
    count,
    halo,
    no_data,
    percent,
    percent_exact,
    plural,
    styled,
)
from dlqlab.wording import probability

ALL = 0
"""The row of a frame of rates that counts all attempts together."""
_ATTEMPTS_SHOWN = 8


@styled
def failure_rate(
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


@styled
def dlq_volume(*, measured: int, n: int, predicted_share: float, pmf: pd.DataFrame, band: tuple[int, int],
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


@styled
def retry_gaps(retries: pd.DataFrame, *, bounds_s: Sequence[tuple[float, float]]) -> Chart:
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


EARLY_TOLERANCE_S = 0.001
"""Log events carry microseconds; a retry that seems early by less than this is rounding."""


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
