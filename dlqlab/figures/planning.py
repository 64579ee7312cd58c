"""What settings trade for each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, MaxNLocator, PercentFormatter

from dlqlab.durations import duration
from dlqlab.figures.style import (
    ACCEPTED,
    COMPLETED,
    FAINT,
    TEXT,
    UNKNOWN,
    Chart,
    chart,
    no_data,
    percent,
    plural,
    styled,
    wrapped,
)
from dlqlab.wording import number

_SHADES = LinearSegmentedColormap.from_list("matter", ["#FFFFFF", ACCEPTED])
_DARK = 0.55
_NARROW_RATIO = 0.02
_SUBTITLE_COLUMNS = 76
_WIDE = 30
"""A range of times so many times as wide is drawn on a logarithmic axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One objective: its column, its title, its unit (ratio, s, USD, 1/s or none), and which way is good."""

    column: str
    title: str
    unit: str
    more_is_better: bool = False


@styled
def trade_off(settings: pd.DataFrame) -> Chart:
    """Success against time, one dot a setting.

    Args:
        settings: ``label``, ``success_share``, ``completion_s_p95``, ``keeps_up``, ``front``, ``chosen``.
    """
    shown = settings[np.isfinite(settings["completion_s_p95"])]
    if shown.empty:
        return no_data("Success against time", "no task completed under any setting")
    front, chosen = shown[shown["front"]], shown[shown["chosen"]]
    figure, (axes,) = chart(_trade_off_finding(len(shown), len(front), chosen), height_in=4.4)
    label = f"chosen: {chosen['label'].iloc[0]}\n" if len(chosen) else ""
    axes.set_title(f"{wrapped(label, _SUBTITLE_COLUMNS)}\neach mark is a setting; better is up and to the left".strip())
    behind, beaten = shown[~shown["keeps_up"]], shown[shown["keeps_up"] & ~shown["front"]]
    for part, mark, name in ((behind, "|", "does not keep up"), (beaten, "x", "beaten by another")):
        if len(part):
            axes.plot(part["completion_s_p95"], part["success_share"], mark, color=UNKNOWN, markersize=7,
                      label=f"{name} ({len(part)})", linestyle="")  # fmt: skip
    axes.plot(front["completion_s_p95"], front["success_share"], "o", color=ACCEPTED, markersize=7, alpha=0.75,
              markeredgewidth=0, linestyle="", label=f"Pareto front ({len(front)})")  # fmt: skip
    axes.plot(chosen["completion_s_p95"], chosen["success_share"], "D", color=COMPLETED, markersize=11, zorder=5,
              markeredgecolor="white", label="chosen")  # fmt: skip
    if shown["completion_s_p95"].max() > _WIDE * max(float(shown["completion_s_p95"].min()), 1e-9):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none", fontsize=9.5)
    axes.grid(axis="both")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.margins(0.07)
    axes.set_ylim(top=min(1.006, axes.get_ylim()[1]))
    axes.set_xlabel("time to completion, p95, seconds")
    axes.set_ylabel("tasks that succeed")
    return figure


def _trade_off_finding(settings: int, front: int, chosen: pd.DataFrame) -> str:
    if chosen.empty:
        return f"None of {plural(settings, 'setting')} qualifies; {front} are on the Pareto front"
    row = chosen.iloc[0]
    share, within = percent(float(row["success_share"]), 2), duration(float(row["completion_s_p95"]))
    return f"With the chosen setting {share} of tasks succeed, 95 % of them within {within}"


@styled
def objectives(settings: pd.DataFrame, measured: Sequence[Objective]) -> Chart:
    """Where the chosen setting stands in each objective, one row an objective on its own scale.

    Args:
        settings: one column for each objective, ``keeps_up``, ``front``, ``chosen``; only what keeps up is drawn.
        measured: the objectives from top to bottom.
    """
    settings = settings[settings["keeps_up"]]
    if settings.empty:
        return no_data("Objectives", "no setting keeps up with the load")
    best = [one.title for one in measured if _is_best(settings, one)]
    finding = "The chosen setting is a compromise: it is the best in no single objective"
    if best:
        finding = f"The chosen setting is the best, or within 2 % of it, in {_listed(best)}"
    figure, panels = chart(finding, rows=len(measured), height_in=1.5 + 0.82 * len(measured), share_x=False)
    for axes, one in zip(panels, measured, strict=True):
        _objective_panel(axes, settings, one)
    panels[-1].set_xlabel("◆ chosen     ● Pareto front     | beaten by another setting")
    return figure


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _is_best(settings: pd.DataFrame, one: Objective) -> bool:
    chosen, values = settings[settings["chosen"]], settings[one.column]
    if chosen.empty:
        return False
    value, best = float(chosen[one.column].iloc[0]), float(values.max() if one.more_is_better else values.min())
    return bool(abs(value - best) <= _NARROW_RATIO * max(abs(best), 1e-12))


def _objective_panel(axes: Axes, settings: pd.DataFrame, one: Objective) -> None:
    beaten, front = settings[~settings["front"]], settings[settings["front"]]
    axes.plot(beaten[one.column], np.zeros(len(beaten)), "|", color=UNKNOWN, markersize=11, markeredgewidth=1.2)
    axes.plot(front[one.column], np.zeros(len(front)), "o", color=ACCEPTED, markersize=6, alpha=0.6, markeredgewidth=0)
    chosen = settings[settings["chosen"]]
    for value in chosen[one.column]:
        axes.plot(value, 0, "D", color=COMPLETED, markersize=9, markeredgecolor="white", zorder=5)
    said = f": {in_unit(float(chosen[one.column].iloc[0]), one.unit)}" if len(chosen) else ""
    axes.set_title(f"{one.title}{said}", color=TEXT)
    axes.set_title("better →" if one.more_is_better else "← better", loc="right", color=FAINT, fontsize=9)
    axes.set_yticks([])
    axes.set_ylim(-1, 1)
    axes.grid(visible=False)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.03)
    if one.unit == "ratio":
        axes.set_xlim(right=min(1.0005, axes.get_xlim()[1]))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(lambda value, _: in_unit(value, one.unit))


@styled
def influence(levels: Mapping[str, pd.DataFrame], measured: Sequence[Objective]) -> Chart:
    """Which varied setting moves which objective: a table shaded by how far its values lie apart.

    Args:
        levels: varied setting -> a row for each of its values (the index), the mean of each objective over everything
            else that was varied.
        measured: the objectives, a column each.
    """
    if not levels:
        return no_data("Influence", "nothing was varied")
    spreads = {name: [_spread(table[one.column]) for one in measured] for name, table in levels.items()}
    name, place = max(((n, p) for n in spreads for p in range(len(measured))), key=lambda at: spreads[at[0]][at[1]])
    moved = levels[name][measured[place].column]
    ends = " to ".join(in_unit(float(moved.iloc[at]), measured[place].unit) for at in (0, -1))
    finding = f"{name} matters most: it moves the {measured[place].title} from {ends}"
    figure, (axes,) = chart(finding, height_in=1.9 + 0.78 * len(levels))
    axes.set_axis_off()
    axes.set_xlim(-1.35, len(measured))
    axes.set_ylim(len(levels) + 0.45, -0.75)
    how = "first value → last, averaged over all else that was varied; the darker, the more it matters"
    axes.text(len(measured), len(levels) + 0.12, how, ha="right", va="top", fontsize=9, color=FAINT)
    for column, one in enumerate(measured):
        axes.text(column + 0.5, -0.08, wrapped(one.title, 13), ha="center", va="bottom", fontsize=9, color=FAINT)
    for row, (setting, table) in enumerate(levels.items()):
        values = f"{_value(table.index[0])} → {_value(table.index[-1])}"
        axes.text(-0.08, row + 0.36, setting, ha="right", va="center", fontweight="bold", fontsize=9.5)
        axes.text(-0.08, row + 0.68, values, ha="right", va="center", fontsize=9, color=FAINT)
        for column, one in enumerate(measured):
            _influence_cell(axes, (column, row), table[one.column], one)
    return figure


def _influence_cell(axes: Axes, at: tuple[int, int], values: pd.Series, one: Objective) -> None:
    share = min(1.0, _spread(values))
    axes.add_patch(Rectangle(at, 0.96, 0.94, facecolor=_SHADES(share), edgecolor="#E4E4E4", linewidth=0.8))
    text = f"{in_unit(float(values.iloc[0]), one.unit)}\n→ {in_unit(float(values.iloc[-1]), one.unit)}"
    axes.text(at[0] + 0.48, at[1] + 0.47, text, ha="center", va="center", fontsize=8.5, linespacing=1.25,
              color="white" if share > _DARK else TEXT)  # fmt: skip


def _spread(values: pd.Series) -> float:
    """How far the values lie apart, as a share of their mean."""
    mean = float(values.mean())
    return float(values.max() - values.min()) / abs(mean) if mean and np.isfinite(mean) else 0.0


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def in_unit(value: float, unit: str) -> str:
    """A short number with its unit, for ticks and cells."""
    match unit:
        case "ratio":
            return f"{100 * value:.4g} %"
        case "USD":
            return f"{number(value)} USD"
        case "":
            return f"{value:,.0f}"
        case _:
            return f"{value:,.3g} {unit}" if value < 1_000 else f"{value:,.0f} {unit}"  # noqa: PLR2004
