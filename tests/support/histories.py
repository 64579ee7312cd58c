"""Histories for tests: whole simulated runs. Histories of a few rows are made by ``tests.support.rows``."""

import copy
import functools
import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Scenario
from dlqlab.contracts.tables import frame
from dlqlab.specimens import task_system
from tests.support.simulation import LOAD_STARTED_TS, PROCESSOR, START_TS, Pipeline, Rows

T0 = LOAD_STARTED_TS
EMULATOR_LATENESS = {"n": 20, "median_s": 0.15, "p95_s": 0.31, "backoff_s": 1}
FIDELITY = [
    {
        "name": "visibility_tick",
        "ok": True,
        "statement": "a message returns at most 0.4 s after its visibility timeout",
    },
    {"name": "log_filters", "ok": False, "statement": "the filter pattern of FilterLogEvents is ignored"},
]


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated run before it is written: change a table to plant a defect."""

    manifest: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    recording: Recording | None = None

    def evidence(self, *, is_recorded: bool = False) -> RunEvidence:
        """``is_recorded``: with what a recorder saw. Defects that are planted in the tables are not in there."""
        return RunEvidence(
            manifest=Manifest.from_json(self.manifest),
            tables=self.tables,
            topology=task_system("local"),
            recording=self.recording if is_recorded else None,
        )

    def write(self, root: Path) -> RunDir:
        run = RunDir(root / str(self.manifest["run_id"]))
        for name, table in self.tables.items():
            run.write(name, table)
        run.write_manifest(Manifest.from_json(self.manifest))
        run.write_topology(task_system("local"))
        return run


def simulate_run(scenario: Scenario, *, root: Path, run_id: str = "simulated", seed: int = 7) -> RunDir:
    """A complete run directory under ``root``: every table, the manifest, no verdict."""
    return simulate(scenario, run_id=run_id, seed=seed).write(root)


def simulate(
    scenario: Scenario, *, run_id: str = "simulated", seed: int = 7, behaves_as: Scenario | None = None
) -> Simulated:
    """The tables of a run; ``seed`` draws its timings. ``behaves_as``: what the app does instead of the scenario."""
    run = _simulate(scenario, run_id, seed, behaves_as or scenario)
    tables = {name: table.copy() for name, table in run.tables.items()}
    return Simulated(copy.deepcopy(run.manifest), tables, run.recording)


@functools.lru_cache(maxsize=4)  # many tests look at the same run, each with a defect of its own
def _simulate(scenario: Scenario, run_id: str, seed: int, behaves_as: Scenario) -> Simulated:
    pipeline = Pipeline(scenario=behaves_as, run_id=run_id, rng=random.Random(seed))
    load_ended_ts = pipeline.run(scenario.seed)
    last_ts = max([load_ended_ts, *(row["ts"] for row in pipeline.events)])
    manifest = _manifest(scenario, run_id, load_ended_ts, last_ts)
    tables = {
        "ledger": frame("ledger", pipeline.ledger),
        "events": frame("events", pipeline.events),
        "invocations": frame("invocations", pipeline.invocations),
        "queues": frame("queues", _queue_samples(pipeline, last_ts)),
        "metrics": frame("metrics", _metrics(pipeline)),
        "tasks": frame("tasks", [*_items(pipeline), *pipeline.junk]),
        "host": frame("host", _host_samples(pipeline.rng, last_ts)),
    }
    return Simulated(manifest, tables, pipeline.flight.recording())


def _manifest(scenario: Scenario, run_id: str, load_ended_ts: float, last_ts: float) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "scenario": scenario.to_dict(),
        "seed": scenario.seed,
        "target": "local",
        "simulated": True,
        "finished": True,
        "drained": True,
        "started_ts": START_TS,
        "load_started_ts": LOAD_STARTED_TS,
        "load_ended_ts": load_ended_ts,
        "drain_ended_ts": last_ts + 2,
        "ended_ts": last_ts + 5,
        "phases": {"start": 10.0, "load": load_ended_ts - LOAD_STARTED_TS, "drain": last_ts + 2 - load_ended_ts},
        "retry_probe": dict(EMULATOR_LATENESS),
        "latency_probe": {
            "before": {"api_ms": 9.0, "processor_ms": 4.0},
            "after": {"api_ms": 11.0, "processor_ms": 4.5},
        },
        "versions": {"python": "3.13", "localstack-core": "1.2.3"},
        "git": {"sha": "0" * 40, "dirty": False},
        "command": ["dlqlab", "run", scenario.name],
        "emulator": {},
        "fidelity": [dict(entry) for entry in FIDELITY],
    }


def _items(pipeline: Pipeline) -> Rows:
    return [
        {
            "task_id": task.task_id,
            "status": task.status,
            "attempts": task.attempts,
            "generation": 1,
            "effects": task.effects,
            "payload": task.payload,
            "created_ts": task.created_ts,
            "updated_ts": task.archived_ts or task.ended_ts,
            "last_error_type": task.error.get("error_type"),
            "last_error_message": task.error.get("error_message"),
            "in_table": True,
            "archived": task.archived_ts is not None,
            "archive_id": f"{task.task_id}#1" if task.archived_ts else None,
            "archive_reason": task.archive_reason,
            "archive_body": f'{{"taskId":"{task.task_id}","payload":{task.payload}}}' if task.archived_ts else None,
            "archived_ts": task.archived_ts,
            "archive_expires_ts": task.archived_ts + 14 * 86_400 if task.archived_ts else None,
        }
        for task in pipeline.tasks
    ]


def _queue_samples(pipeline: Pipeline, last_ts: float) -> Rows:
    """Both queues once a second: how many messages are in each state at that moment."""
    moments = LOAD_STARTED_TS + np.arange(math.ceil(last_ts - LOAD_STARTED_TS) + 2)
    waits = pd.DataFrame(pipeline.waits, columns=["queue", "state", "since", "until"])
    depths = {}
    for queue in ("tasks", "dead-letters"):
        for state in ("visible", "in_flight"):
            part = waits[(waits["queue"] == queue) & (waits["state"] == state)]
            entered = np.searchsorted(np.sort(part["since"].to_numpy()), moments, side="right")
            left = np.searchsorted(np.sort(part["until"].to_numpy()), moments, side="right")
            depths[queue, state] = entered - left
    return [
        {
            "ts": float(ts),
            "queue": queue,
            "visible": int(depths[queue, "visible"][index]),
            "in_flight": int(depths[queue, "in_flight"][index]),
            "delayed": 0,
        }
        for index, ts in enumerate(moments)
        for queue in ("tasks", "dead-letters")
    ]


def _metrics(pipeline: Pipeline) -> Rows:
    started = pd.Series([row["stored_ts"] // 60 * 60 for row in pipeline.invocations], dtype="float64")
    return [
        {
            "namespace": "AWS/Lambda",
            "metric": "Invocations",
            "dimension": f"FunctionName={PROCESSOR}",
            "stat": "Sum",
            "period_s": 60,
            "ts": ts,
            "value": float(count),
        }
        for ts, count in started.value_counts().sort_index().items()
    ]


def _host_samples(rng: random.Random, last_ts: float) -> Rows:
    parts = {
        "emulator": (70.0, 320.0, 1),
        "functions": (55.0, 410.0, 7),
        "load": (12.0, 90.0, 1),
        "harness": (4, 180, 1),
    }
    return [
        {
            "ts": LOAD_STARTED_TS + second,
            "part": part,
            "cpu_pct": cpu * rng.uniform(0.8, 1.2),
            "rss_mb": rss * rng.uniform(0.98, 1.02),
            "processes": processes,
        }
        for second in range(math.ceil(last_ts - LOAD_STARTED_TS) + 2)
        for part, (cpu, rss, processes) in parts.items()
    ]
