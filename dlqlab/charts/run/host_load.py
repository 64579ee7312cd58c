"""CPU and memory of emulator, functions, load generator and harness."""

from typing import Any

import pandas as pd

from dlqlab.analysis import series
from dlqlab.analysis.facts import Facts
from dlqlab.charts.over_time import X_LABEL, Phases, phases_of, shade
from dlqlab.charts.plot import charted
from dlqlab.charts.style import ACCEPTED, EMULATOR, FAINT, PIPELINE, UNKNOWN, Chart, chart, end_labels, no_data

_PART_COLOURS = {"emulator": EMULATOR, "functions": PIPELINE, "load": ACCEPTED, "harness": UNKNOWN}


def data(facts: Facts) -> dict[str, Any]:
    host = facts.run.table("host")
    host = host.assign(t_s=host["ts"] - series.origin_ts(facts))
    return {"host": host, "phases": phases_of(facts), "cores": facts.manifest.cores}


@charted("Host load", data)
def draw(host: pd.DataFrame, *, phases: Phases, cores: int | None = None) -> Chart:
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
    shade(panels, phases)
    panels[-1].set_xlabel(X_LABEL)
    return figure
