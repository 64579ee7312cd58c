"""Differences of the measures of two runs, with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dlqlab.analysis.compare import Effect, compare, run_names
from dlqlab.analysis.facts import Facts
from dlqlab.charts.plot import charted
from dlqlab.charts.style import DEAD, TARGET, TEXT, UNKNOWN, Chart, chart, no_data, percent, wrapped
from dlqlab.wording import amount


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """One measure of two runs: second - first with its interval; ``unit`` is ``ratio``, ``s`` or ``ms``."""

    title: str
    unit: str
    first: float
    second: float
    difference: float
    interval: tuple[float, float]

    @property
    def differs(self) -> bool:
        """Whether the interval leaves 0 out."""
        return not self.interval[0] <= 0 <= self.interval[1]


def data(pair: tuple[Facts, Facts]) -> dict[str, Any]:
    found = compare(pair[0].run, pair[1].run)
    return {
        "rows": [row for row in map(_row, found) if row is not None],
        "names": run_names(pair),
        "confidence": pair[0].scenario.judge.confidence,
    }


def _row(effect: Effect) -> EffectRow | None:
    """The effect as it is drawn; None where one of the runs does not have the measure."""
    if effect.first is None or effect.second is None or effect.difference is None or effect.interval is None:
        return None
    return EffectRow(
        title=effect.title,
        unit=effect.unit,
        first=effect.first,
        second=effect.second,
        difference=effect.difference,
        interval=effect.interval,
    )


@charted("Differences", data)
def draw(rows: Sequence[EffectRow], *, names: tuple[str, str], confidence: float) -> Chart:
    """Differences of two runs, one row each on its own scale; an interval that leaves 0 out is coloured."""
    if not rows:
        return no_data("Differences", "no measure is there in both runs")
    changed = [row.title for row in rows if row.differs]
    finding = f"{len(changed)} of {len(rows)} measures differ between {names[0]} and {names[1]}"
    figure, panels = chart(finding, rows=len(rows), height_in=1.4 + 0.72 * len(rows), share_x=False)
    for axes, row in zip(panels, rows, strict=True):
        _effect_panel(axes, row)
    said = f"{names[1]} minus {names[0]}, each on its own scale; bars: {percent(confidence, 0)} intervals; dashed: 0"
    panels[-1].set_xlabel(wrapped(said, 88))
    return figure


def _effect_panel(axes: Axes, row: EffectRow) -> None:
    colour = DEAD if row.differs else UNKNOWN
    low, high = row.interval
    axes.plot([low, high], [0, 0], color=colour, linewidth=7, alpha=0.4, solid_capstyle="butt")
    axes.plot(row.difference, 0, "o", color=colour, markersize=7)
    axes.axvline(0, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.3)
    reach = max(abs(low), abs(high), 1e-9) * 1.35
    axes.set_xlim(-reach, reach)
    axes.set_yticks([])
    axes.set_ylim(-1, 1)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(lambda value, _: amount(value, row.unit))
    axes.set_title(f"{row.title}: {amount(row.first, row.unit)} → {amount(row.second, row.unit)}", color=TEXT)
