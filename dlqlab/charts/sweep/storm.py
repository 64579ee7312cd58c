"""Messages received a second under the chosen setting and under the one with the highest storm."""

from typing import Any

import pandas as pd

from dlqlab.charts.capacity import SUBTITLE_COLUMNS, thousands
from dlqlab.charts.plot import charted
from dlqlab.charts.style import COMPLETED, DEAD, FAINT, INK, TARGET, Chart, chart, no_data, wrapped
from dlqlab.tune.sweep import CHOSEN, Sweep

_QUIET = 0.02
"""Share of the highest peak below which nothing of interest happens."""


def data(sweep: Sweep) -> dict[str, Any]:
    faults = sweep.scenario.faults
    start_s = faults.outage_start_s - float(sweep.world["warm_up_s"])
    outage = (max(0.0, start_s), start_s + faults.outage_duration_s) if faults.outage_duration_s > 0 else None
    return {"series": sweep.storm, "outage": outage, "chosen": CHOSEN}


@charted("Retry storm", data)
def draw(series: pd.DataFrame, *, outage: tuple[float, float] | None, chosen: str) -> Chart:
    """Messages received a second under the chosen setting and under the one with the highest storm.

    Args:
        series: ``role``, ``label``, ``t_s``, ``accepted``, ``received``, ``storm_begins_s``.
        outage: its start and end, seconds from the start of the load; None where there is none.
        chosen: the role of the chosen setting.
    """
    roles = list(dict.fromkeys(series["role"]))
    if not roles:
        return no_data("Retry storm", "no seconds were kept")
    after = series[series["t_s"] >= series["storm_begins_s"]]
    peaks = {role: float(after[after["role"] == role]["received"].max()) for role in roles}
    arriving = float(series["accepted"].max())
    said = ", ".join(f"{peak:,.0f} ({role})" for role, peak in peaks.items())
    finding = (
        f"Retry-storm peak, messages received in a second: {said}; at most {arriving:,.0f} tasks are accepted in one"
    )
    figure, panels = chart(finding, rows=len(roles), height_in=1.7 + 2.1 * len(roles))
    for axes, role in zip(panels, roles, strict=True):
        part = series[series["role"] == role]
        colour = COMPLETED if role == chosen else DEAD
        axes.fill_between(part["t_s"], part["received"], step="post", color=colour, alpha=0.35, linewidth=0)
        axes.step(part["t_s"], part["received"], where="post", color=colour, linewidth=1.3)
        axes.step(part["t_s"], part["accepted"], where="post", color=TARGET, linestyle=(0, (5, 3)), linewidth=1.2)
        axes.set_title(wrapped(f"{role}: {part['label'].iloc[0]}", SUBTITLE_COLUMNS), color=INK[colour])
        axes.set_ylim(0, float(series["received"].max()) * 1.12)
        axes.yaxis.set_major_formatter(thousands)
        axes.axvline(float(part["storm_begins_s"].iloc[0]), color=FAINT, linestyle=":", linewidth=1.3)
        axes.set_ylabel("messages a second")
        if outage is not None:
            axes.axvspan(*outage, color="#EDEDED", zorder=0)
            axes.annotate("outage", (sum(outage) / 2, axes.get_ylim()[1]), xytext=(0, -4), textcoords="offset points",
                          ha="center", va="top", fontsize=9.5, color=FAINT)  # fmt: skip
    busy = series[series["received"] >= _QUIET * float(series["received"].max())]
    panels[-1].set_xlim(0, float(busy["t_s"].max()) * 1.1 + 1)
    how = "filled: messages received, first tries and retries; dashed: tasks accepted"
    how += "\ndotted: the storm is counted from here on"
    panels[-1].set_xlabel(f"seconds from the start of the load\n{how}")
    return figure
