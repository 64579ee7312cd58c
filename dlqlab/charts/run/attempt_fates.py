"""What followed each attempt."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from dlqlab.analysis import series
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.series import Fate
from dlqlab.charts.fates import FATES
from dlqlab.charts.plot import charted
from dlqlab.charts.style import INK, RETRYING, TEXT, Chart, chart, count, no_data, plural

_ROWS = 8


def data(facts: Facts) -> dict[str, Any]:
    rows = series.attempts_with_fate(facts)
    table = pd.crosstab(rows["attempt"].astype("int64"), rows["fate"])
    return {"fates": table.reindex(columns=list(Fate), fill_value=0).reset_index()}


@charted("Where attempts ended", data)
def draw(fates: pd.DataFrame) -> Chart:
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
