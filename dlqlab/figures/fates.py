"""Where attempts and tasks ended, and the verdict as a picture."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dlqlab.durations import duration
from dlqlab.figures.style import (
    COMPLETED,
    DEAD,
    INK,
    RETRYING,
    TEXT,
    UNKNOWN,
    Chart,
    chart,
    count,
    no_data,
    plural,
    styled,
    wrapped,
)

FATES = {"completed": COMPLETED, "retried": RETRYING, "dead-lettered": DEAD, "no end seen": UNKNOWN}
"""What follows an attempt, and its colour."""
_ROWS = 8


@styled
def attempt_fates(fates: pd.DataFrame) -> Chart:
    """What followed each attempt.

    Args:
        fates: one row per attempt number: ``attempt`` and one column of counts for each of ``FATES``.
    """
    names = list(FATES)
    drawn = fates[fates[names].sum(axis=1) > 0].sort_values("attempt").head(_ROWS)
    if drawn.empty:
        return no_data("Where attempts ended", "no attempt was started")
    total = fates[names].sum()
    finding = (
        f"{plural(total['completed'], 'task')} completed, {count(drawn['completed'].iloc[0])} of them at the first "
        f"try; {count(total['dead-lettered'])} ended in the dead-letter queue"
    )
    figure, (axes,) = chart(finding, height_in=1.7 + 0.62 * len(drawn))
    axes.set_title(_fate_key(total))
    greatest = float(drawn[names].sum(axis=1).max())
    for place, (_, row) in enumerate(drawn.iterrows()):
        _fate_bar(axes, place, row, greatest)
    labels = ["first try" if a == 1 else f"retry {int(a) - 1}" for a in drawn["attempt"]]
    axes.set_yticks(range(len(drawn)), labels, fontsize=10.5, color=TEXT)
    axes.set_ylim(len(drawn) - 0.5, -0.5)
    axes.set_xlim(0, greatest * 1.01)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("attempts")
    return figure


def _fate_key(total: pd.Series) -> str:
    seen = [name for name in FATES if total[name] > 0]
    return "each bar from left to right: " + ", ".join(seen)


def _fate_bar(axes: Axes, place: int, row: pd.Series, greatest: float) -> None:
    """One stacked bar; what is too narrow for its label is labelled to the right of the bar."""
    left, outside = 0.0, []
    for name, colour in FATES.items():
        value = float(row[name])
        if value == 0:
            continue
        axes.barh(place, value, left=left, color=colour, height=0.66, edgecolor="white", linewidth=0.8)
        label = f"{name} {count(value)}"
        if value > greatest * (0.035 + 0.0155 * len(label)):
            axes.text(left + value / 2, place, label, ha="center", va="center", color="white" if colour != RETRYING
                      else TEXT, fontweight="bold", fontsize=9.5)  # fmt: skip
        else:
            outside.append((label, colour))
        left += value
    offset = 6.0
    for label, colour in outside:
        axes.annotate(label, (left, place), xytext=(offset, 0), textcoords="offset points", va="center",
                      color=INK[colour],
                      fontweight="bold", fontsize=9.5)  # fmt: skip
        offset += 6.9 * len(label) + 8


@styled
def causes(dead_letters: pd.DataFrame) -> Chart:
    """Dead letters by cause.

    Args:
        dead_letters: one row per dead letter: ``error_type`` and ``reason``.
    """
    if dead_letters.empty:
        return no_data("Causes of dead letters", "nothing was dead-lettered")
    names = dead_letters["reason"].fillna("no reason") + ": " + dead_letters["error_type"].fillna("no error type")
    counts = names.value_counts().head(_ROWS)[::-1]
    first = counts.index[-1]
    finding = f"{count(counts.iloc[-1])} of {plural(len(dead_letters), 'dead letter')}: {first}"
    figure, (axes,) = chart(finding, height_in=1.6 + 0.6 * len(counts))
    axes.set_title("dead letters by reason and error type")
    axes.barh(range(len(counts)), counts, color=DEAD, height=0.6)
    for place, value in enumerate(counts):
        axes.annotate(count(value), (value, place), xytext=(5, 0), textcoords="offset points", va="center", color=DEAD,
                      fontweight="bold")  # fmt: skip
    axes.set_yticks(range(len(counts)), [wrapped(str(name), 30) for name in counts.index])
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, float(counts.max()) * 1.15)
    axes.set_xlabel("dead letters")
    return figure


@styled
def dead_letter_ages(ages_s: pd.Series, *, least_s: float) -> Chart:
    """How long tasks took from acceptance to the dead-letter record.

    Args:
        ages_s: one number of seconds per dead letter.
        least_s: what the backoffs alone take.
    """
    ages = ages_s.dropna()
    if ages.empty:
        return no_data("Time to the dead-letter queue", "nothing was dead-lettered")
    figure, (axes,) = chart(
        f"Half of the dead letters are recorded {duration(float(ages.median()))} after acceptance; "
        f"the backoffs alone take {duration(least_s)}"
    )
    axes.set_title(f"time from acceptance to the dead-letter record, n = {count(len(ages))}")
    left = min(least_s, float(ages.min()))
    axes.hist(ages, bins=30, color=DEAD)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.2)
    axes.axvline(least_s, color=TEXT, linestyle=(0, (5, 3)), linewidth=1.5)
    axes.annotate("backoffs alone", (least_s, axes.get_ylim()[1]), xytext=(5, -4), textcoords="offset points",
                  va="top", fontsize=9.5, fontweight="bold")  # fmt: skip
    axes.set_xlim(max(0.0, left - 0.15 * (float(ages.max()) - left) - 0.1), None)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_xlabel("seconds")
    axes.set_ylabel("dead letters")
    return figure


@styled
def task_timelines(attempts: pd.DataFrame) -> Chart:
    """Single tasks as rows: when each attempt ran and how it ended.

    Args:
        attempts: one row per attempt: ``task_id``, ``at_s`` (start, after acceptance), ``fate`` (as ``FATES``).
    """
    if attempts.empty:
        return no_data("Timelines", "there is no such task")
    tasks = list(dict.fromkeys(attempts["task_id"]))
    finding = (
        f"The longest of these tasks began its last attempt {duration(float(attempts['at_s'].max()))} after acceptance"
    )
    figure, (axes,) = chart(finding, height_in=1.7 + 0.3 * len(tasks))
    axes.set_title("starts of attempts: ● retried, ◆ completed, ✕ dead-lettered, ○ no end seen")
    for place, task in enumerate(tasks):
        part = attempts[attempts["task_id"] == task].sort_values("at_s")
        axes.plot([0, float(part["at_s"].max())], [place, place], color="#CFCFCF", linewidth=1.4, zorder=1)
        for row in part.itertuples():
            mark = {"retried": "o", "dead-lettered": "X", "completed": "D"}.get(str(row.fate), "$○$")
            axes.plot(row.at_s, place, marker=mark, color=FATES[str(row.fate)], markersize=8, zorder=2)
    axes.set_yticks(range(len(tasks)), tasks, fontsize=8.5)
    axes.set_ylim(len(tasks) - 0.4, -0.6)
    axes.grid(axis="x")
    axes.set_xlabel("seconds after acceptance")
    return figure
