"""Dead letters by reason and error."""

from typing import Any

import pandas as pd

from dlqlab.analysis.dead_letters import dead_letter_times
from dlqlab.analysis.facts import Facts
from dlqlab.charts.plot import charted
from dlqlab.charts.style import DEAD, Chart, chart, count, no_data, plural, wrapped

_ROWS = 8


def data(facts: Facts) -> dict[str, Any]:
    return {"dead_letters": dead_letter_times(facts)}


@charted("Causes of dead letters", data)
def draw(dead_letters: pd.DataFrame) -> Chart:
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
