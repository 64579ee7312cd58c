"""What charts over the time of a run share: seconds since the load began; load and drain are shaded and named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from dlqlab.analysis import series
from dlqlab.analysis.facts import Facts
from dlqlab.charts.style import ACCEPTED, FAINT, UNKNOWN

X_LABEL = "seconds after the start of the load"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """When the load and the drain ended, in seconds after the load began; None where the run did not come so far."""

    load_s: float | None = None
    drained_s: float | None = None

    def spans_s(self) -> Mapping[str, tuple[float, float]]:
        """Begin and end of each phase that was reached."""
        spans: dict[str, tuple[float, float]] = {}
        if self.load_s is not None:
            spans["load"] = (0.0, self.load_s)
            if self.drained_s is not None:
                spans["drain"] = (self.load_s, self.drained_s)
        return spans


def phases_of(facts: Facts) -> Phases:
    """The phases of a run."""
    manifest = facts.manifest
    start_ts = series.origin_ts(facts)
    return Phases(
        load_s=None if manifest.load_ended_ts is None else manifest.load_ended_ts - start_ts,
        drained_s=None if manifest.drain_ended_ts is None else manifest.drain_ended_ts - start_ts,
    )


def shade(panels: Sequence[Axes], phases: Phases) -> None:
    """Shade the phases on each axes and name them on the first."""
    for place, axes in enumerate(panels):
        for name, (begin, end) in phases.spans_s().items():
            axes.axvspan(begin, end, color=ACCEPTED if name == "load" else UNKNOWN, alpha=0.06, linewidth=0, zorder=0)
            if place == 0:
                axes.text(begin, 0.985, f" {name}", transform=axes.get_xaxis_transform(), va="top", color=FAINT,
                          fontsize=9, style="italic")  # fmt: skip
