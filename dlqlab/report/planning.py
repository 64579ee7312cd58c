"""The charts of a sweep."""

from pathlib import Path

import pandas as pd

from dlqlab import figures
from dlqlab.figures import capacity, planning
from dlqlab.tune.measures import COST_OF, MEASURES, OBJECTIVES
from dlqlab.tune.store import load
from dlqlab.tune.sweep import CHOSEN, Sweep

NO_LABEL = "no setting chosen"


def read(folder: str | Path) -> Sweep:
    """The sweep of a folder; see tune.store."""
    return load(Path(folder).resolve())


def trade_off(sweep: Sweep) -> figures.Chart:
    """Success against time."""
    return planning.trade_off(sweep.settings)


def objectives(sweep: Sweep) -> figures.Chart:
    """Where the chosen setting stands in each objective."""
    return planning.objectives(sweep.settings, _measured(OBJECTIVES))


def influence(sweep: Sweep) -> figures.Chart:
    """Which varied setting moves which objective."""
    names = list(OBJECTIVES)
    levels = {
        name: sweep.settings.groupby(name, sort=False)[names].mean()
        for name in sweep.varied
        if len(set(sweep.settings[name])) > 1
    }
    return planning.influence(levels, _measured(OBJECTIVES))


def growth(sweep: Sweep) -> figures.Chart:
    """The chosen setting under other rates."""
    return capacity.growth(sweep.growth, label=_label(sweep))


def storm(sweep: Sweep) -> figures.Chart:
    """Messages received a second, chosen setting and highest storm."""
    faults = sweep.scenario.faults
    start_s = faults.outage_start_s - float(sweep.world["warm_up_s"])
    outage = (max(0.0, start_s), start_s + faults.outage_duration_s) if faults.outage_duration_s > 0 else None
    return capacity.storm(sweep.storm, outage=outage, chosen=CHOSEN)


def cost(sweep: Sweep) -> figures.Chart:
    """What the chosen setting costs, by service."""
    row = sweep.chosen
    parts = {} if row is None else {
        name.removeprefix(COST_OF): float(row[name]) for name in map(str, row.index) if name.startswith(COST_OF)
    }  # fmt: skip
    return capacity.cost_parts(parts, tasks=0.0 if row is None else float(row["tasks"]), label=_label(sweep))


def front(sweep: Sweep) -> pd.DataFrame:
    """The Pareto front as a table, the chosen setting first."""
    shown = sweep.settings[sweep.settings["front"]].sort_values(["chosen", "success_share"], ascending=False)
    return shown.set_index("label")[[*OBJECTIVES, "warnings"]].rename(
        columns={n: MEASURES[n].title for n in OBJECTIVES}
    )


def _measured(names: tuple[str, ...]) -> list[planning.Objective]:
    return [
        planning.Objective(
            column=name, title=MEASURES[name].title, unit=MEASURES[name].unit,
            more_is_better=MEASURES[name].more_is_better,
        )
        for name in names
    ]  # fmt: skip


def _label(sweep: Sweep) -> str:
    return NO_LABEL if sweep.chosen is None else str(sweep.chosen["label"])
