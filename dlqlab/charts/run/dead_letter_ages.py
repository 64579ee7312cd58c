"""How long tasks took from acceptance to the dead-letter record."""

from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator

from dlqlab.analysis.dead_letters import dead_letter_times
from dlqlab.analysis.facts import Facts
from dlqlab.charts.plot import charted
from dlqlab.charts.style import DEAD, TEXT, Chart, chart, count, no_data
from dlqlab.durations import duration


def data(facts: Facts) -> dict[str, Any]:
    least_s = float(sum(facts.policy.bounds_s(attempt)[0] for attempt in range(1, facts.policy.max_attempts)))
    return {"ages_s": dead_letter_times(facts)["age_s"], "least_s": least_s}


@charted("Time to the dead-letter queue", data)
def draw(ages_s: pd.Series, *, least_s: float) -> Chart:
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
