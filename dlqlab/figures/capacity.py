"""What a load comes to under the chosen setting: growth, retry storm, cost."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.ticker import MaxNLocator

from dlqlab.durations import duration
from dlqlab.figures.style import (
    ACCEPTED,
    COMPLETED,
    DEAD,
    FAINT,
    INK,
    TARGET,
    TEXT,
    Chart,
    chart,
    no_data,
    percent,
    styled,
    wrapped,
)
from dlqlab.wording import number

_SUBTITLE_COLUMNS = 76
_QUIET = 0.02
"""Share of the highest peak below which nothing of interest happens."""


@styled
def growth(rows: pd.DataFrame, *, label: str) -> Chart:
    """The chosen setting under other rates: time, backlog, cost of a million tasks; a dot for each seed.

    Args:
        rows: ``rate_per_s``, ``completion_s_p95``, ``peak_backlog``, ``cost_usd``, ``tasks``.
        label: of the setting.
    """
    if rows.empty:
        return no_data("Growth", "the chosen setting was not tried at other rates")
    table = rows.assign(usd_per_million=1e6 * rows["cost_usd"] / rows["tasks"]).sort_values("rate_per_s")
    means = table.groupby("rate_per_s")[["completion_s_p95", "peak_backlog", "usd_per_million"]].mean()
    low, high = means.iloc[0], means.iloc[-1]
    finding = (
        f"From {number(means.index[0])} to {number(means.index[-1])} tasks/s: "
        f"p95 from {duration(low['completion_s_p95'])} to {duration(high['completion_s_p95'])}, "
        f"a million tasks from {low['usd_per_million']:,.2f} to {high['usd_per_million']:,.2f} USD"
    )
    figure, panels = chart(finding, rows=3, height_in=6.6)
    subtitle = f"{wrapped(label, _SUBTITLE_COLUMNS)}\ndots: seeds, line: their mean"
    panels[0].set_title(f"{subtitle}\n\ntime to completion, p95, seconds")
    panels[1].set_title("peak backlog, messages that wait for a function")
    panels[2].set_title("cost on AWS, USD a million tasks")
    for axes, column in zip(panels, means.columns, strict=True):
        axes.plot(means.index, means[column], color=ACCEPTED, marker="")
        axes.plot(table["rate_per_s"], table[column], "o", color=ACCEPTED, markersize=5, alpha=0.7, markeredgewidth=0)
        axes.set_ylim(0, max(float(table[column].max()) * 1.15, 1e-9))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(_thousands)
    panels[-1].xaxis.set_major_formatter(_thousands)
    panels[-1].set_xlabel("tasks a second")
    return figure


@styled
def storm(series: pd.DataFrame, *, outage: tuple[float, float] | None, chosen: str) -> Chart:
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
        axes.set_title(wrapped(f"{role}: {part['label'].iloc[0]}", _SUBTITLE_COLUMNS), color=INK[colour])
        axes.set_ylim(0, float(series["received"].max()) * 1.12)
        axes.yaxis.set_major_formatter(_thousands)
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


@styled
def cost_parts(parts: Mapping[str, float], *, tasks: float, label: str) -> Chart:
    """What the chosen setting costs, by service, for a million tasks.

    Args:
        parts: service and USD.
        tasks: how many tasks that was for.
        label: of the setting.
    """
    if not parts or not tasks:
        return no_data("Cost", "no setting was chosen")
    usd = pd.Series(parts).mul(1e6 / tasks).sort_values()
    total, first = float(usd.sum()), usd.index[-1]
    figure, (axes,) = chart(
        f"A million tasks cost {total:,.2f} USD on AWS, {percent(float(usd.iloc[-1]) / total, 0)} of it for {first}",
        height_in=1.7 + 0.42 * len(usd),
    )
    axes.set_title(f"{wrapped(label, _SUBTITLE_COLUMNS)}\nby service, without the free tier")
    axes.barh(range(len(usd)), usd, color=ACCEPTED, height=0.62)
    for place, value in enumerate(usd):
        axes.annotate(f"{value:,.2f}", (value, place), xytext=(5, 0), textcoords="offset points", va="center",
                      fontweight="bold", fontsize=9.5, color=ACCEPTED)  # fmt: skip
    axes.set_yticks(range(len(usd)), list(usd.index), fontsize=10, color=TEXT)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, float(usd.max()) * 1.15)
    axes.set_xlabel("USD a million tasks")
    return figure


def _thousands(value: float, _place: float = 0) -> str:
    return f"{value:,g}"
