"""A measured run predicted: its own requests, the durations of another run, and how far the two are apart."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import sure
from dlqlab.analysis.series import completions
from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.rundir import RunDir
from dlqlab.errors import UsageError
from dlqlab.twin.arrivals import of_ledger
from dlqlab.twin.calibrate import Calibration, calibrate
from dlqlab.twin.contract import Simulation
from dlqlab.twin.simulate import simulate

THROUGHPUT_LIMIT, COMPLETION_LIMIT = 0.10, 0.15
"""How far off a prediction may be, as a share of what was measured. Counts must be exact."""
EXACT = 0.0
SEEDS = 5

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """A measured run and its predictions, one for each seed of the timings.

    ``other``: with the durations of another run; ``own``: with those of the run itself, so that what is left is the
    model's and no machine's.
    """

    facts: Facts
    other: tuple[Simulation, ...]
    own: tuple[Simulation, ...]
    calibrations: tuple[Calibration, Calibration]  # of the other run, of the run itself

    def table(self) -> pd.DataFrame:
        """One row a measure: measure, unit, limit, measured, predicted (median over seeds), low, high, own, off (a
        share of the measured), own_off, within (the limit).
        """
        measured = measures_of_run(self.facts)
        others = pd.DataFrame([measures_of(one) for one in self.other])
        own = pd.DataFrame([measures_of(one) for one in self.own])
        rows = []
        for name, (unit, limit) in MEASURES.items():
            base, found, itself = measured[name], float(others[name].median()), float(own[name].median())
            off = _share(found, base)
            rows.append(
                {
                    "measure": name,
                    "unit": unit,
                    "limit": limit,
                    "measured": base,
                    "predicted": found,
                    "low": float(others[name].min()),
                    "high": float(others[name].max()),
                    "own": itself,
                    "off": off,
                    "own_off": _share(itself, base),
                    "within": abs(off) <= limit,
                }
            )
        return pd.DataFrame(rows)

    def statement(self) -> str:
        """What agrees, and where it does not, whose the difference is."""
        table = self.table()
        beyond = table[~table["within"]]
        if beyond.empty:
            return f"valid: all {len(table)} measures of {self.facts.manifest.run_id} are predicted within their limits"
        said = [
            f"{row.measure} is off by {row.off:+.0%}, and by {row.own_off:+.0%} with the run's own durations"
            for row in beyond.itertuples()
        ]
        return f"unexplained by the model alone: {'; '.join(said)}"


MEASURES = {
    "tasks": ("tasks", EXACT),
    "dead letters": ("tasks", EXACT),
    "attempts": ("attempts", EXACT),
    "throughput": ("tasks/s", THROUGHPUT_LIMIT),
    "completion p50": ("s", COMPLETION_LIMIT),
    "completion p95": ("s", COMPLETION_LIMIT),
}
"""Measure -> unit and limit."""


def validate(run: RunDir, calibrated_from: RunDir, *, seeds: int = SEEDS) -> Validation:
    """Predict a measured run from what its clients sent and from the durations of another.

    Raises:
        UsageError: one of them was simulated, or has nothing to predict or to calibrate from.
        EvidenceError: one of them cannot be read.
    """
    facts = Facts(load_evidence(run))
    started_ts = facts.manifest.load_started_ts
    if started_ts is None:
        raise UsageError(f"run {facts.manifest.run_id} has no load_started_ts: its load never started")
    arrivals = of_ledger(facts.ledger, started_ts)
    both = calibrate(calibrated_from), calibrate(run)
    other, own = (
        tuple(
            simulate(facts.scenario, parameters=one.parameters, arrivals=arrivals, seed=seed) for seed in range(seeds)
        )
        for one in both
    )
    return Validation(facts=facts, other=other, own=own, calibrations=both)


def measures_of(result: Simulation) -> dict[str, float]:
    """MEASURES of a simulation. Throughput: tasks a second from the load's start until the last one ended."""
    totals, completed_s = result.totals, result.completion_s()
    last_s = float(np.nanmax(result.tasks["updated"]))
    return _measures(totals.tasks, totals.dead_lettered, totals.attempts, last_s, completed_s)


def measures_of_run(facts: Facts) -> dict[str, float]:
    """MEASURES of a measured run."""
    dead = int(sure(facts.items["status"] == "FAILED").sum())
    last_s = float(facts.items["updated_ts"].max()) - (facts.manifest.load_started_ts or 0.0)
    return _measures(len(facts.items), dead, len(facts.attempts), last_s, completed_in(facts))


def completed_in(facts: Facts) -> Values:
    """Seconds from sending to completion, one for each completed task of a measured run."""
    return np.asarray(completions(facts)["latency_s"].dropna(), dtype=np.float64)


def _measures(tasks: int, dead: int, attempts: int, last_s: float, completed_s: Values) -> dict[str, float]:
    p50, p95 = np.quantile(completed_s, [0.5, 0.95]) if len(completed_s) else (np.nan, np.nan)
    values = (tasks, dead, attempts, tasks / last_s if last_s > 0 else np.nan, p50, p95)
    return {name: float(value) for name, value in zip(MEASURES, values, strict=True)}


def _share(found: float, base: float) -> float:
    """The difference as a share of the measured; of nothing measured, all of it."""
    if found == base:
        return 0.0
    return found / base - 1 if base else float("inf")
