"""One round: load on a system that is deployed and warm, and what became of it.

All times are read from one clock, the machine's: the ledger's of the clients, the task items' of the functions.
"""

import dataclasses
import math
import statistics
import time
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.pipeline.systems import RUN_ID, Running
from dlqlab.collect.host import Pids, descendants, tree
from dlqlab.collect.queues import depth, queue_urls
from dlqlab.collect.table import TERMINAL, scan
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Scenario
from dlqlab.load.ledger import read_ledger
from dlqlab.load.starter import LoadResult, start_load

QUANTILES = (0.5, 0.95, 0.99)
_SAMPLE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round showed. Rates are a second; a time to completion of None means: not within the round."""

    system: str
    ready_s: float
    lone_submit_ms: float
    """Median of the submissions of a single user."""
    load_s: float
    sent: int
    accepted_per_s: float
    processed_per_s: float
    submit_ms: dict[str, float]
    complete_s: dict[str, float | None]
    open_at_half: int
    """Tasks accepted and not completed when half of the load's time was over."""
    open_at_end: int
    queued_at_end: int
    """Messages in both queues right after the load."""
    cpu_ms: dict[str, float]
    """Milliseconds of processor time per accepted task, by part."""
    cpu_pct: float
    """Processor time of all parts; 100 is one core."""
    rss_mb: dict[str, float]


class CpuMeter:
    """Processor seconds by part, of every process that was ever seen; looked at about once a second."""

    def __init__(self, parts: Mapping[str, Pids]) -> None:
        self.parts = dict(parts)
        self._used_s: dict[tuple[str, int, float], float] = {}
        self.rss_mb: dict[str, float] = {}
        self.samples: list[tuple[float, dict[str, float]]] = []

    def look(self) -> None:
        """One sample, unless there was one less than a second ago."""
        now = time.time()
        if self.samples and now - self.samples[-1][0] < _SAMPLE_S:
            return
        for part, pids in self.parts.items():
            rss = 0.0
            for pid in pids():
                try:
                    process = psutil.Process(pid)
                    times = process.cpu_times()
                    rss += process.memory_info().rss / 1e6
                    self._used_s[part, pid, process.create_time()] = times.user + times.system
                except psutil.NoSuchProcess:  # ended since its pid was looked up
                    continue
            self.rss_mb[part] = max(rss, self.rss_mb.get(part, 0.0))
        totals = {
            part: sum(used for (owner, _, _), used in self._used_s.items() if owner == part) for part in self.parts
        }
        self.samples.append((now, totals))

    def between(self) -> tuple[float, float, dict[str, float]]:
        """Times of the first and the last sample, and the processor seconds between them."""
        (first_ts, first), (last_ts, last) = self.samples[0], self.samples[-1]
        return first_ts, last_ts, {part: last[part] - first.get(part, 0.0) for part in last}


@dataclass(slots=True)
class Evidence:
    """What a load left behind; times in seconds since the epoch."""

    result: LoadResult
    accepted: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """By task: sent, answered, latency in milliseconds."""
    completed: dict[str, float] = field(default_factory=dict)

    def open_at(self, ts: float) -> int:
        """Tasks that were accepted and not completed at that time."""
        taken = [task for task, (_, done_ts, _) in self.accepted.items() if done_ts <= ts]
        return sum(self.completed.get(task, math.inf) > ts for task in taken)


def measure(running: Running, scenario: Scenario, *, lone_s: float, folder: Path) -> Round:
    """A single user first, then the scenario's load; the queues are empty before it."""
    lone = dataclasses.replace(
        scenario, seed=scenario.seed + 1, load=dataclasses.replace(scenario.load, users=1, duration_s=lone_s)
    )
    alone = _send(running, lone, folder / "lone", None)
    sqs = running.target.client("sqs")
    urls = queue_urls(sqs, running.target.topology.queue_names)
    for url in urls.values():
        sqs.purge_queue(QueueUrl=url)
    meter = CpuMeter({"emulator": lambda: (running.pid,), "functions": descendants(running.pid)})
    evidence = _send(running, scenario, folder / "load", meter)
    queued = sum(sum(dataclasses.astuple(depth(sqs, url))) for url in urls.values())
    evidence.completed = completed(running, evidence.accepted)
    return _round(running, evidence, meter, queued, [latency for _, _, latency in alone.accepted.values()])


def _send(running: Running, scenario: Scenario, folder: Path, meter: CpuMeter | None) -> Evidence:
    run = RunDir(folder)

    def started(pid: int) -> None:
        if meter:
            meter.parts["load"] = tree(pid)

    def progress(sent: int, _planned: int) -> None:
        if meter and sent and psutil.pid_exists(running.pid):
            meter.look()

    result = start_load(scenario, url=running.url, run=run, run_id=RUN_ID, on_progress=progress, on_start=started)
    rows = read_ledger(run.ledger_parts).rows
    taken = rows[rows["outcome"] == "acknowledged"]
    columns = (taken[name] for name in ("task_id", "sent_ts", "done_ts", "latency_ms"))
    return Evidence(result, {task: (sent, done, ms) for task, sent, done, ms in zip(*columns, strict=True)})


def completed(running: Running, accepted: Container[str]) -> dict[str, float]:
    """When the accepted tasks came to their end, by task."""
    names = {"#status": "status"}
    options: dict[str, Any] = {
        "ProjectionExpression": "taskId, #status, updatedAt",
        "ExpressionAttributeNames": names,
    }
    items = scan(running.target.client("dynamodb"), running.target.topology.table("tasks").name, **options)
    return {
        item["taskId"]: float(item["updatedAt"])
        for item in items
        if item["status"] in TERMINAL and item["taskId"] in accepted
    }


def _round(running: Running, evidence: Evidence, meter: CpuMeter, queued: int, lone_ms: list[float]) -> Round:
    result, accepted = evidence.result, evidence.accepted
    load_s = result.ended_ts - result.started_ts
    in_time = {task: ts for task, ts in evidence.completed.items() if ts <= result.ended_ts}
    waits = [in_time.get(task, math.inf) - sent_ts for task, (sent_ts, _, _) in accepted.items()]
    first_ts, last_ts, used_s = meter.between()
    metered = sum(first_ts <= done_ts <= last_ts for _, done_ts, _ in accepted.values())
    return Round(
        system=running.name,
        ready_s=round(running.ready_s, 2),
        lone_submit_ms=round(statistics.median(lone_ms), 2),
        load_s=round(load_s, 2),
        sent=result.sent,
        accepted_per_s=round(len(accepted) / load_s, 2),
        processed_per_s=round(len(in_time) / load_s, 2),
        submit_ms={name: round(value, 2) for name, value in quantiles([ms for _, _, ms in accepted.values()]).items()},
        complete_s={
            name: round(value, 3) if math.isfinite(value) else None for name, value in quantiles(waits).items()
        },
        open_at_half=evidence.open_at(result.started_ts + load_s / 2),
        open_at_end=evidence.open_at(result.ended_ts),
        queued_at_end=queued,
        cpu_ms={part: round(1000 * used / max(metered, 1), 3) for part, used in used_s.items()},
        cpu_pct=round(100 * sum(used_s.values()) / (last_ts - first_ts), 1),
        rss_mb={part: round(rss, 1) for part, rss in meter.rss_mb.items()},
    )


def quantiles(values: Iterable[float]) -> dict[str, float]:
    """The least values that at least this share of all are not above; infinite ones count as the longest."""
    ordered = sorted(values)
    return {f"p{100 * q:g}": ordered[max(math.ceil(q * len(ordered)) - 1, 0)] for q in QUANTILES}
