"""What a simulated load is measured by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from dlqlab.costs.prices import Prices, bill
from dlqlab.twin.contract import Simulation
from dlqlab.twin.usage import usage_of

COST_OF: Final = "cost_usd: "
"""Begins the name of one service's part of the cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure. ``unit`` is ratio, s, USD, 1/s or empty for a count; an objective is weighed by ``tune``."""

    title: str
    unit: str
    more_is_better: bool = False
    is_objective: bool = False


MEASURES: Final[Mapping[str, Measure]] = {
    "tasks": Measure(title="tasks sent", unit=""),
    "success_share": Measure(title="success share", unit="ratio", more_is_better=True, is_objective=True),
    "dead_letters": Measure(title="DLQ volume", unit="", is_objective=True),
    "dead_letter_share": Measure(title="DLQ share", unit="ratio"),
    "peak_backlog": Measure(title="peak backlog (waiting)", unit=""),
    "backlog_end_s": Measure(title="backlog at the end of the load, in arrivals", unit="s"),
    "peak_in_flight": Measure(title="peak in flight (worked on, or in backoff)", unit=""),
    "drain_s": Measure(title="drain time after the load", unit="s"),
    "completion_s_p50": Measure(title="time to completion, p50", unit="s"),
    "completion_s_p95": Measure(title="time to completion, p95", unit="s", is_objective=True),
    "wasted_invocations": Measure(title="wasted invocations", unit="", is_objective=True),
    "wasted_share": Measure(title="wasted share of invocations", unit="ratio"),
    "storm_per_s": Measure(title="retry-storm peak", unit="1/s", is_objective=True),
    "throttles": Measure(title="throttled batches", unit=""),
    "cost_usd": Measure(title="cost on AWS", unit="USD", is_objective=True),
}
"""In the order in which they are shown. A measure that is not more_is_better is better the less it is."""
OBJECTIVES: Final = tuple(name for name, measure in MEASURES.items() if measure.is_objective)


def measure(simulation: Simulation, prices: Prices, *, memory_mb: int) -> dict[str, float]:
    """The measures of a simulation, and the parts of its cost.

    Times to completion are those of the tasks that completed; NaN where none did. A simulation that did not drain
    before its horizon has no drain time: infinity.
    """
    totals = simulation.totals
    completion_s = simulation.completion_s()
    p50, p95 = np.quantile(completion_s, (0.5, 0.95)) if len(completion_s) else (np.nan, np.nan)
    cost = bill(usage_of(simulation, memory_mb=memory_mb), prices)
    tasks, invocations = max(1, totals.tasks), max(1, totals.invocations)
    return {
        "tasks": float(totals.tasks),
        "success_share": totals.completed / tasks,
        "dead_letters": float(totals.dead_lettered),
        "dead_letter_share": totals.dead_lettered / tasks,
        "peak_backlog": float(totals.peak_visible),
        "backlog_end_s": backlog_end_s(simulation),
        "peak_in_flight": float(totals.peak_in_flight),
        "drain_s": totals.drained_s if totals.drained else float("inf"),
        "completion_s_p50": float(p50),
        "completion_s_p95": float(p95),
        "wasted_invocations": float(totals.wasted_invocations),
        "wasted_share": totals.wasted_invocations / invocations,
        "storm_per_s": storm_per_s(simulation),
        "throttles": float(totals.throttles),
        "cost_usd": cost.total,
        **{f"{COST_OF}{service}": part for service, part in cost.services.items()},
    }


def backlog_end_s(simulation: Simulation) -> float:
    """How many seconds of arrivals wait for a function when the load ends: what keeps up has next to none."""
    series, totals = simulation.series, simulation.totals
    during = series[series["t_s"] <= totals.load_s]
    if during.empty or not totals.load_s:
        return 0.0
    return float(during["visible"].iloc[-1]) * totals.load_s / max(1, totals.tasks)


def storm_per_s(simulation: Simulation) -> float:
    """Most messages received within a second, from ``storm_begins_s`` on."""
    series = simulation.series
    after = series[series["t_s"] >= storm_begins_s(simulation)]
    return float(after["received"].max()) if len(after) else 0.0


def storm_begins_s(simulation: Simulation) -> float:
    """The second from which a retry storm is looked for: the end of the outage, or else the peak of arrivals.

    What comes after is what a dependency must bear that has just come back. Its outage is counted from the
    configuration of the functions, the series from the start of the load.
    """
    series, faults = simulation.series, simulation.scenario.faults
    if faults.outage_duration_s > 0:
        ends_s = faults.outage_start_s + faults.outage_duration_s - simulation.parameters.warm_up_s
        return float(np.floor(ends_s))
    return float(series["t_s"].iloc[int(series["accepted"].to_numpy().argmax())]) if len(series) else 0.0
