"""A simulated run as a run directory: the files of a measured one, and exact aggregates beside the sampled tasks."""

import dataclasses
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dlqlab.contracts import manifest
from dlqlab.contracts.manifest import CardEntry, LoadReport, Manifest, Provenance, SimulationFacts
from dlqlab.contracts.rundir import RunDir, point_latest, write_json
from dlqlab.contracts.scenario import Scenario
from dlqlab.specimens import task_system
from dlqlab.twin.arrivals import Arrivals, of_load
from dlqlab.twin.contract import EPOCH_TS, Simulation
from dlqlab.twin.evidence import Evidence
from dlqlab.twin.parameters import LOCALSTACK, Parameters, explain
from dlqlab.twin.samples import STAGE
from dlqlab.twin.simulate import simulate
from dlqlab.twin.texts import Texts

SAMPLE_TASKS = 50_000
"""Tasks whose events are kept; with more tasks than that these are drawn evenly, and the aggregates stay exact."""
AGGREGATES = "aggregates.json"
SERIES = "aggregates.parquet"
QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)


def record(
    scenario: Scenario,
    *,
    root: Path,
    parameters: Parameters = LOCALSTACK,
    arrivals: Arrivals | None = None,
    seed: int = 0,
    sample: int = SAMPLE_TASKS,
    calibration: Mapping[str, Any] | None = None,
    run_id: str | None = None,
) -> tuple[RunDir, Simulation]:
    """Simulate and write a new run directory under ``root``; the caller judges and renders it.

    The simulation ends where a run would give up waiting: at the scenario's drain deadline.

    Raises:
        UsageError: a setting is impossible.
    """
    began_s = time.perf_counter()
    arrivals = arrivals or of_load(scenario.load)
    horizon_s = scenario.drain.deadline_s
    result = simulate(scenario, parameters=parameters, arrivals=arrivals, seed=seed, sample=sample, horizon_s=horizon_s)
    took_s = time.perf_counter() - began_s
    run_id = run_id or manifest.run_id(f"{scenario.name}-simulated")
    run = RunDir(root / run_id)
    texts = Texts(scenario, arrivals, parameters.warm_up_s)
    for name, table in Evidence(result, texts, run_id).tables().items():
        run.write(name, table)
    run.write_topology(task_system(STAGE))
    series_path = run.path / SERIES
    result.series.to_parquet(series_path, index=False)
    write_json(run.path / AGGREGATES, aggregates(result))
    facts = _manifest(result, run_id, seed=seed, took_s=took_s, calibration=calibration)
    load = LoadReport(planned=len(arrivals.due_s), sent=result.totals.tasks)
    run.write_manifest(dataclasses.replace(facts, load=load))
    point_latest(run)
    return run, result


def aggregates(result: Simulation) -> dict[str, Any]:
    """Exact numbers over all tasks: totals, quantiles in seconds, and how many tasks made how many attempts."""
    made, tasks = np.unique(result.tasks["attempts"], return_counts=True)
    return {
        "tasks": result.totals.tasks,
        "sampled": len(result.sampled),
        "totals": dataclasses.asdict(result.totals),
        "completion_s": quantiles(result.completion_s()),
        "waiting_s": quantiles(result.waiting_s()),
        "tasks_by_attempts": {str(n): int(count) for n, count in zip(made, tasks, strict=True)},
        "series": f"{SERIES}: one row a second, over all tasks",
    }


def quantiles(values: "np.ndarray[Any, np.dtype[np.float64]]") -> dict[str, float] | None:
    """Quantiles and the mean; None of nothing."""
    if not len(values):
        return None
    found = np.quantile(values, QUANTILES)
    named = {f"p{q * 100:g}": float(value) for q, value in zip(QUANTILES, found, strict=True)}
    return {"n": len(values), "mean": float(values.mean()), **named}


def sampling(result: Simulation) -> str:
    """Of how many tasks there are events."""
    n, tasks = len(result.sampled), result.totals.tasks
    if n == tasks:
        return f"all {tasks:,} tasks are in the evidence"
    return f"{n:,} of {tasks:,} tasks, drawn evenly, are in the evidence; {AGGREGATES} counts all of them"


def _manifest(
    result: Simulation, run_id: str, *, seed: int, took_s: float, calibration: Mapping[str, Any] | None
) -> Manifest:
    totals, scenario = result.totals, result.scenario
    started_ts = EPOCH_TS - result.parameters.warm_up_s
    load_ended_ts = EPOCH_TS + totals.load_s
    ended_ts = load_ended_ts + totals.drained_s
    return Manifest(
        run_id=run_id,
        scenario=scenario,
        target=result.parameters.name,
        simulated=True,
        finished=True,
        drained=totals.drained,
        started_ts=started_ts,
        run_started_ts=started_ts,
        load_started_ts=EPOCH_TS,
        load_ended_ts=load_ended_ts,
        drain_ended_ts=ended_ts,
        ended_ts=ended_ts,
        junk_message_ids=(),
        cores=os.cpu_count(),
        provenance=Provenance.now(),
        fidelity=_card(result, calibration),
        simulation=SimulationFacts(
            seed=seed,
            tasks=totals.tasks,
            sampled=len(result.sampled),
            took_s=round(took_s, 3),
            parameters=explain(result.parameters),
            calibration=calibration,
        ),
    )


def _card(result: Simulation, calibration: Mapping[str, Any] | None) -> tuple[CardEntry, ...]:
    """The fidelity card of a simulation: what it is, and what it rests on."""
    name = result.parameters.name
    source = (
        f"durations fitted to the run {calibration['run_id']}"
        if calibration
        else "durations by default: assumptions, until a run calibrates them"
    )
    statements = {
        "simulated": f"nothing was deployed: rules of {name} played in simulated time; fates are those of the app",
        "sample": sampling(result),
        "durations": source,
    }
    return tuple(CardEntry(name=name, ok=None, statement=text) for name, text in statements.items())
