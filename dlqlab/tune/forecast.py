"""What a run's pipeline would come to with other settings, once the model has been seen to play the run as it was.

A figure is answered only if the simulation of the run as it was gives it: within the figure's tolerance, or within the
band in which 95 % of single runs fall by the spread of the seeds. Where a basic figure is off, nothing is answered.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
from scipy import stats

from dlqlab.costs.prices import Prices, bill
from dlqlab.errors import UsageError
from dlqlab.tune.intervals import CONFIDENCE, Mean, mean_of
from dlqlab.tune.pipeline_cost import Around, around, usage
from dlqlab.twin.pipeline.calibrate import Calibrated
from dlqlab.twin.pipeline.changes import Changes, changed, unseen_failing
from dlqlab.twin.pipeline.engine import simulate
from dlqlab.twin.pipeline.figures import FIGURES, measured, simulated
from dlqlab.twin.pipeline.model import Pipeline

SEEDS_MAX: Final = 1_000
COST: Final = "cost_usd"


class Trust(StrEnum):
    """How the simulated run and the measured one go together in one figure."""

    AGREES = "agrees"
    IN_BAND = "in the band"
    """Off by more than the tolerance, and by no more than single runs differ."""
    OFF = "off"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure, as measured and as simulated with all as it was. ``deviation`` is relative to the measured value."""

    name: str
    measured: float
    simulated: Mean
    spread: float  # half the width of the band of single runs
    trust: Trust

    @property
    def deviation(self) -> float:
        if not self.measured:
            return 0.0 if not self.simulated.mean else math.inf
        return self.simulated.mean / self.measured - 1

    def to_json(self) -> dict[str, Any]:
        return {
            "title": FIGURES[self.name].title,
            "unit": FIGURES[self.name].unit,
            "measured": _finite(self.measured),
            "simulated": self.simulated.to_json(),
            "deviation": _finite(self.deviation),
            "tolerance": FIGURES[self.name].tolerance,
            "floor": FIGURES[self.name].floor,
            "trust": str(self.trust),
        }


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The answer. ``figures`` are None where nothing was asked; those that are not to be believed are not in it.

    ``figures_if_unseen_fail``: the same if every receive fails that the changes allow and the run did not show; None
    where they allow none.
    """

    found: Calibrated
    seeds: tuple[int, ...]
    compared: tuple[Compared, ...]
    figures: Mapping[str, Mean] | None
    figures_if_unseen_fail: Mapping[str, Mean] | None = None
    costs: Mapping[str, Mean]
    lost: Mapping[str, Mean]

    @property
    def off(self) -> tuple[str, ...]:
        """The figures that the model does not play."""
        return tuple(one.name for one in self.compared if one.trust is Trust.OFF)

    @property
    def is_believed(self) -> bool:
        """Whether anything is answered."""
        return not any(FIGURES[name].is_basic for name in self.off)

    def to_json(self) -> dict[str, Any]:
        return {
            "run_id": self.found.run_id,
            "seeds": list(self.seeds),
            "confidence": CONFIDENCE,
            "as_it_was": {one.name: one.to_json() for one in self.compared},
            "is_believed": self.is_believed,
            "answer": _all_described(self.figures),
            "answer_if_unseen_receives_fail": _all_described(self.figures_if_unseen_fail),
            "cost_usd_by_service": {name: mean.to_json() for name, mean in self.costs.items()},
            "messages_that_expire_or_stay": {name: mean.to_json() for name, mean in self.lost.items()},
            "failure_rates": list(self.found.rates),
            "left_out": list(self.found.left_out),
            "assumed": list(self.found.assumed),
        }


def forecast(
    found: Calibrated,
    changes: Changes,
    prices: Prices,
    *,
    seeds: int,
    memory_mb: int,
    pollers_max: int,
    done: Callable[[], None] = lambda: None,
) -> Forecast:
    """The run as it was, and, if that is believed, with the changes.

    Raises:
        UsageError: the number of seeds or a change is impossible.
    """
    if not 2 <= seeds <= SEEDS_MAX:  # noqa: PLR2004  (one simulation has no spread)
        raise UsageError(f"--seeds is {seeds}: give 2 to {SEEDS_MAX}")
    numbers = tuple(range(seeds))
    asked = [replace(changed(found.pipeline, changes, seed), pollers_max=pollers_max) for seed in numbers]
    was = _rows(found, [found.pipeline] * seeds, prices, memory_mb, done)
    known = measured(found)
    compared = tuple(compare(name, known[name], [row[name] for row in was]) for name in FIGURES)
    forecasted = Forecast(found=found, seeds=numbers, compared=compared, figures=None, costs={}, lost={})
    is_same = changes.are_none and pollers_max == found.pipeline.pollers_max
    if is_same or not forecasted.is_believed:
        return forecasted
    rows = _rows(found, asked, prices, memory_mb, done)
    unseen = [one for each in asked if (one := unseen_failing(each)) is not None]
    has_unseen = bool(unseen) and unseen_failing(found.pipeline) is None
    others = _rows(found, unseen, prices, memory_mb, done) if has_unseen else []
    off = forecasted.off
    return Forecast(
        found=found,
        seeds=numbers,
        compared=compared,
        figures=_means(rows, off),
        figures_if_unseen_fail=_means(others, off) if others else None,
        costs=_part("cost: ", rows),
        lost=_part("lost: ", rows),
    )


def compare(name: str, known: float, values: Sequence[float]) -> Compared:
    """One figure of the run against those of simulations of it."""
    mean = mean_of(values)
    n = len(values)
    t = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1))
    spread = t * float(np.std(values, ddof=1)) * math.sqrt(1 + 1 / n) if math.isfinite(mean.mean) else math.nan
    figure = FIGURES[name]
    apart = abs(mean.mean - known)
    if math.isnan(apart):
        trust = Trust.UNKNOWN
    elif apart <= max(figure.tolerance * known, figure.floor):
        trust = Trust.AGREES
    else:
        is_usual = apart <= spread or min(values) <= known <= max(values)
        trust = Trust.IN_BAND if is_usual else Trust.OFF
    return Compared(name=name, measured=known, simulated=mean, spread=spread, trust=trust)


def _rows(
    found: Calibrated, pipelines: Sequence[Pipeline], prices: Prices, memory_mb: int, done: Callable[[], None]
) -> list[dict[str, float]]:
    """Of each pipeline with a seed of its own."""
    used = around(found)
    rows = []
    for seed, pipeline in enumerate(pipelines):
        rows.append(_row(used, pipeline, seed, prices, memory_mb))
        done()
    return rows


def _row(used: Around, pipeline: Pipeline, seed: int, prices: Prices, memory_mb: int) -> dict[str, float]:
    out = simulate(pipeline, seed)
    cost = bill(usage(used, out, memory_mb=memory_mb), prices)
    return {
        **simulated(pipeline, out),
        COST: cost.total,
        **{f"cost: {service}": part for service, part in cost.services.items()},
        "lost: expired": float(sum(one.expired for one in out.queues.values())),
        "lost: filtered": float(sum(one.filtered for one in out.queues.values())),
        "lost: open": float(sum(left > 0 for left in out.open)),
    }


def _part(prefix: str, rows: Sequence[Mapping[str, float]]) -> dict[str, Mean]:
    names = [name for name in rows[0] if name.startswith(prefix)]
    return {name.removeprefix(prefix): mean_of([row[name] for row in rows]) for name in names}


def _means(rows: Sequence[Mapping[str, float]], off: Sequence[str]) -> dict[str, Mean]:
    return {name: mean_of([row[name] for row in rows]) for name in (*FIGURES, COST) if name not in off}


def _all_described(means: Mapping[str, Mean] | None) -> dict[str, Any] | None:
    return None if means is None else {name: _described(name, mean) for name, mean in means.items()}


def _described(name: str, mean: Mean) -> dict[str, Any]:
    title, unit = (FIGURES[name].title, FIGURES[name].unit) if name in FIGURES else ("cost on AWS", "USD")
    return mean.to_json() | {"title": title, "unit": unit}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
