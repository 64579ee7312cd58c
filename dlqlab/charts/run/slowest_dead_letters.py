"""The dead-lettered tasks that took longest, attempt by attempt."""

from typing import Any

import pandas as pd

from dlqlab.analysis import series
from dlqlab.analysis.dead_letters import dead_letter_times
from dlqlab.analysis.facts import Facts
from dlqlab.charts.fates import FATES
from dlqlab.charts.plot import charted
from dlqlab.charts.style import Chart, chart, no_data
from dlqlab.durations import duration

_TASKS = 12


def data(facts: Facts) -> dict[str, Any]:
    rows = series.attempts_with_fate(facts)
    rows = rows[rows["task_id"].isin(set(dead_letter_times(facts)["task_id"]))].copy()
    rows["at_s"] = rows["started_ts"] - rows["task_id"].map(facts.items["created_ts"]).astype("float64")
    longest = rows.groupby("task_id")["at_s"].max().nlargest(_TASKS).index
    order = {task: place for place, task in enumerate(longest)}
    chosen = rows[rows["task_id"].isin(longest)]
    return {"attempts": chosen.sort_values("task_id", key=lambda ids: ids.map(order))[["task_id", "at_s", "fate"]]}


@charted("Timelines of dead letters", data)
def draw(attempts: pd.DataFrame) -> Chart:
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
