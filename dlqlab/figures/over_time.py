"""Charts over the time of the run: seconds since the load began; load and drain are shaded and named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dlqlab.durations import duration
from dlqlab.figures.style import (
    ACCEPTED,
    COMPLETED,
    DEAD,
    EMULATOR,
    FAINT,
    IN_FLIGHT,
    PIPELINE,
    RETRYING,
    TARGET,
    UNKNOWN,
    Chart,
    chart,
    count,
    end_labels,
    key,
    no_data,
    styled,
)
from dlqlab.wording import number

_X_LABEL = "seconds after the start of the load"
_PART_COLOURS = {"emulator": EMULATOR, "functions": PIPELINE, "load": ACCEPTED, "harness": UNKNOWN}


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


@styled
def queue_depths(queues: pd.DataFrame, *, phases: Phases) -> Chart:
    """Messages in all queues over time, one panel each in the order of the rows.

    Args:
        queues: ``t_s`` (after the load began), ``queue``, ``visible``, ``in_flight``, ``delayed``.
        phases: of the run.
    """
    if queues.empty:
        return no_data("Queue depths", "the queues were not sampled")
    names = list(queues["queue"].dropna().unique())
    peak = int((queues["visible"] + queues["in_flight"])[queues["queue"] == names[0]].max())
    last = int(queues[queues["t_s"] == queues["t_s"].max()][["visible", "in_flight", "delayed"]].sum().sum())
    finding = f"At most {count(peak)} messages were in the queue {names[0]}; "
    finding += "all queues are empty at the end" if last == 0 else f"{count(last)} messages are left at the end"
    figure, panels = chart(finding, rows=len(names), height_in=1.6 + 1.5 * len(names))
    for axes, name in zip(panels, names, strict=True):
        part = queues[queues["queue"] == name].sort_values("t_s")
        at = part["t_s"]
        in_flight, visible = part["in_flight"].astype(float), part["visible"].astype(float)
        top = in_flight + visible
        axes.fill_between(at, 0, in_flight, color=IN_FLIGHT, alpha=0.75, linewidth=0, step="post")
        axes.fill_between(at, in_flight, top, color=DEAD, alpha=0.85, linewidth=0, step="post")
        axes.set_title(f"queue {name}: in flight or in backoff (blue), waiting to be received (red) on top")
        axes.set_ylabel("messages")
        axes.set_ylim(0, max(float(top.max()) * 1.25, 3))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    _shade(panels, phases)
    panels[-1].set_xlabel(_X_LABEL)
    return figure


@styled
def throughput(rates: pd.DataFrame, *, phases: Phases, offered_per_s: float, bucket_s: float) -> Chart:
    """Tasks a second: accepted, completed, dead-lettered.

    Args:
        rates: ``t_s`` (start of a step, after the load began), ``accepted_per_s``, ``completed_per_s``,
            ``dead_lettered_per_s``.
        phases: of the run.
        offered_per_s: what the load was to be; 0 is as fast as the clients could.
        bucket_s: length of a step.
    """
    if rates.empty or float(rates["accepted_per_s"].sum()) == 0:
        return no_data("Throughput", "no task was accepted")
    end_s = float(rates["t_s"].max()) + 1 if phases.load_s is None else phases.load_s
    loaded = rates[rates["t_s"].between(0, end_s, inclusive="left")]
    accepted, completed = (float(loaded[f"{name}_per_s"].mean()) for name in ("accepted", "completed"))
    finding = f"{accepted:.1f} tasks/s accepted and {completed:.1f} tasks/s completed on average during the load"
    figure, (axes,) = chart(finding)
    axes.set_title(f"tasks a second, in steps of {bucket_s:g} s")
    axes.plot(rates["t_s"], rates["accepted_per_s"], color=ACCEPTED)
    axes.plot(rates["t_s"], rates["completed_per_s"], color=COMPLETED, linestyle=(0, (6, 1.5)))
    axes.plot(rates["t_s"], rates["dead_lettered_per_s"], color=DEAD, linestyle=(0, (2, 1)))
    peak = float(rates[["accepted_per_s", "completed_per_s"]].max().max())
    top = max(peak, offered_per_s) * 1.25
    axes.set_ylim(0, top)
    below_offer = offered_per_s / top - 0.06 if offered_per_s > 0 else 1.0
    names = [("accepted ——", ACCEPTED), ("completed – –", COMPLETED), ("dead-lettered · · ·", DEAD)]
    key(axes, names, top=min(0.6, below_offer))
    if offered_per_s > 0:
        axes.axhline(offered_per_s, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.3)
        told = f"offered {number(offered_per_s)}/s"
        axes.text(float(rates["t_s"].max()), offered_per_s + top * 0.02, told, ha="right",
                  color=TARGET, fontsize=9.5, fontweight="bold")  # fmt: skip
    axes.set_ylabel("tasks/s")
    axes.set_xlabel(_X_LABEL)
    _shade([axes], phases)
    return figure


@styled
def latency(submission: pd.DataFrame, completion: pd.DataFrame, *, medians: tuple[float, float],
            phases: Phases) -> Chart:  # fmt: skip
    """How long clients wait for an answer, and tasks for their completion, over time.

    Args:
        submission: ``t_s`` (when sent, after the load began), ``p50_ms``, ``p95_ms`` until the answer.
        completion: ``t_s``, ``p50_s``, ``p95_s`` from sending to completion.
        medians: of all answers in milliseconds, of all completions in seconds.
        phases: of the run.
    """
    if submission.empty and completion.empty:
        return no_data("Latency", "no request was answered")
    parts = [
        ("answer to the client", submission, "ms", "milliseconds"),
        ("from sending to completion", completion, "s", "seconds"),
    ]
    parts = [part for part in parts if not part[1].empty]
    said = []
    if not submission.empty:
        said.append(f"half of the answers took {medians[0]:.0f} ms or less")
    if not completion.empty:
        said.append(f"half of the completed tasks were done within {duration(medians[1])}")
    finding = "; ".join(said)
    figure, panels = chart(finding[0].upper() + finding[1:], rows=len(parts), height_in=1.4 + 1.7 * len(parts))
    for axes, (name, frame, unit, unit_name) in zip(panels, parts, strict=True):
        _latency_panel(axes, frame, unit)
        axes.set_title(f"{name}: p50 and p95, by when the task was sent")
        axes.set_ylabel(unit_name)
    _shade(panels, phases)
    panels[-1].set_xlabel(_X_LABEL)
    return figure


def _latency_panel(axes: Axes, frame: pd.DataFrame, unit: str) -> None:
    p50, p95 = frame[f"p50_{unit}"], frame[f"p95_{unit}"]
    axes.plot(frame["t_s"], p95, color=RETRYING, linestyle=(0, (6, 1.5)))
    axes.plot(frame["t_s"], p50, color=ACCEPTED)
    axes.set_ylim(min(0.0, float(p50.min())), max(float(p95.max()) * 1.25, 1e-3))
    last = float(frame["t_s"].max())
    end_labels(axes, [(last, float(p50.iloc[-1]), "p50", ACCEPTED), (last, float(p95.iloc[-1]), "p95", RETRYING)])


@styled
def host_load(host: pd.DataFrame, *, phases: Phases, cores: int | None = None) -> Chart:
    """CPU and memory of emulator, functions, load generator and harness.

    Args:
        host: ``t_s`` (after the load began), ``part``, ``cpu_pct`` (100 is one core), ``rss_mb``.
        phases: of the run.
        cores: of the machine, drawn as the limit of the CPU.
    """
    if host.empty:
        return no_data("Host load", "the host was not sampled")
    means = host.groupby("part")["cpu_pct"].mean().sort_values(ascending=False)
    finding = f"{means.index[0].capitalize()} took most CPU ({means.iloc[0]:.0f} % of a core on average); "
    finding += f"all parts together {means.sum():.0f} %" + (f" of {100 * cores} %" if cores else "")
    figure, panels = chart(finding, rows=2, height_in=4.8)
    for axes, column, name in zip(panels, ("cpu_pct", "rss_mb"), ("CPU, % of a core", "memory, MB"), strict=True):
        ends = []
        for part, data in host.sort_values("t_s").groupby("part"):
            at = data["t_s"]
            colour = _PART_COLOURS.get(str(part), FAINT)
            axes.plot(at, data[column], color=colour)
            ends.append((float(at.iloc[-1]), float(data[column].iloc[-1]), str(part), colour))
        axes.set_ylabel(name)
        axes.set_ylim(0, max(float(host[column].max()) * 1.2, 1.0))
        end_labels(axes, ends)
    _shade(panels, phases)
    panels[-1].set_xlabel(_X_LABEL)
    return figure


def _shade(panels: Sequence[Axes], phases: Phases) -> None:
    """Shade the phases on each axes and name them on the first."""
    for place, axes in enumerate(panels):
        for name, (begin, end) in phases.spans_s().items():
            axes.axvspan(begin, end, color=ACCEPTED if name == "load" else UNKNOWN, alpha=0.06, linewidth=0, zorder=0)
            if place == 0:
                axes.text(begin, 0.985, f" {name}", transform=axes.get_xaxis_transform(), va="top", color=FAINT,
                          fontsize=9, style="italic")  # fmt: skip
