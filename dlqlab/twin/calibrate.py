"""Durations of a target from a measured run: what its log, its ledger and its REPORT lines say, and how well it fits.

Each duration is a sample of seconds from the evidence:

    sent --enqueue_s--> message in the queue --answer_s--> answer at the client
    message due --reappear_s--> visible --deliver_s--> function started --head_s--> first record
    started --success_s--> succeeded --turn_s--> next record;  started --failure_s--> failed --hide_s--> next record
    last record --tail_s--> function ended --settle_s--> the poller is back

Nobody logs when a message became visible or a poller came back. The first is inferred from when the API wrote its two
lines; ``deliver_s`` and ``reappear_s`` from messages that found nobody before them in the queue; ``settle_s`` from the
pause of an execution environment while there was a backlog. What the run does not show keeps the target's default.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlqlab.analysis.attempts import FAILED, SUCCEEDED
from dlqlab.analysis.facts import Facts
from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.rundir import RunDir
from dlqlab.errors import UsageError
from dlqlab.twin.parameters import GRID, LOCALSTACK, Duration, Parameters, empirical

Sample = NDArray[np.float64]
SAMPLE_MIN = 8
"""From so many values on a duration takes the measured quantiles; fewer say too little about its tail."""
ENQUEUED_SHARE = 0.4
"""Where between the time stamps of the item and of the log line the message is in the queue: in the second of three
calls, and before that call returns. Another share moves time between ``enqueue_s`` and ``deliver_s``, not their sum.
"""
BACKLOG = 30
"""Messages waiting from which on every poller finds a batch at once."""
RESIDUALS_AT = (0.05, 0.25, 0.5, 0.75, 0.95)
LEAST_S = 1e-3


@dataclass(frozen=True, slots=True)
class Fit:
    """One duration: how many values there were, and what became of them."""

    name: str
    n: int
    how: str  # measured quantiles | default kept
    measured: Mapping[str, float]  # quantiles and mean, in seconds
    residual: float  # greatest relative difference of a quantile between sample and fit


@dataclass(frozen=True, slots=True)
class Calibration:
    """A target with the durations of a run."""

    run_id: str
    parameters: Parameters
    fits: tuple[Fit, ...]

    def to_json(self) -> dict[str, Any]:
        return {"run_id": self.run_id, "fits": [dataclasses.asdict(fit) for fit in self.fits]}


def calibrate(run: RunDir, parameters: Parameters = LOCALSTACK) -> Calibration:
    """The target with durations from a measured run.

    Raises:
        UsageError: the run was simulated, or it holds no attempt.
        EvidenceError: it cannot be read.
    """
    evidence = load_evidence(run)
    run_id = evidence.manifest.run_id
    if evidence.manifest.simulated:
        raise UsageError(f"run {run_id} was simulated: calibrate from a measured one")
    facts = Facts(evidence)
    if not len(facts.attempts):
        raise UsageError(f"run {run_id} holds no attempt: there is nothing to calibrate from")
    found: dict[str, Duration] = {}
    fits = []
    for name, sample in samples(facts).items():
        duration, how = _fitted(sample, getattr(parameters, name))
        found[name] = duration
        fits.append(_fit(name, sample, duration, how))
    changed = dataclasses.replace(parameters, name=parameters.name, **found, **_times(facts, parameters))  # type: ignore[arg-type]
    return Calibration(run_id, changed, tuple(fits))


def samples(facts: Facts) -> dict[str, Sample]:
    """Seconds of each duration that the run shows."""
    batches = _batches(facts)
    return {
        **_client_side(facts),
        **_records(facts),
        **_deliveries(facts, batches),
        "head_s": _positive(batches["first"] - batches["start"]),
        "tail_s": _positive(batches["end"] - batches["last"]),
        "settle_s": _settling(facts, batches),
        "monitor_s": _monitor(facts),
        "cold_start_s": _positive(_invocations(facts, "attempt.started")["init_duration_ms"] / 1000),
    }


def _client_side(facts: Facts) -> dict[str, Sample]:
    asked = facts.ledger.dropna(subset=["task_id"]).drop_duplicates("task_id").set_index("task_id")
    created = facts.items["created_ts"].astype("float64")
    accepted = _accepted(facts)
    enqueued = created + ENQUEUED_SHARE * (accepted - created)
    return {
        "enqueue_s": _positive(enqueued - asked["sent_ts"]),
        "answer_s": _positive(asked["done_ts"] - enqueued),
        "api_busy_s": _positive(_invocations(facts, "task.accepted")["duration_ms"] / 1000),
    }


def _accepted(facts: Facts) -> "pd.Series[float]":
    lines = facts.events[facts.events["event"] == "task.accepted"].drop_duplicates("task_id")
    return lines.set_index("task_id")["ts"].astype("float64")


def _records(facts: Facts) -> dict[str, Sample]:
    """Attempts without a planned slowness, and the time to the next record of the batch."""
    own = facts.attempts.dropna(subset=["started_ts", "ended_ts"]).sort_values("started_ts")
    slow = [
        facts.plan.decide(str(row.task_id), int(row.attempt), generation=int(row.generation)).slow_s > 0  # type: ignore[arg-type]
        for row in own.itertuples()
    ]
    lasts = (own["ended_ts"] - own["started_ts"])[~np.array(slow, dtype=bool)]
    gap = own.groupby("request_id")["started_ts"].shift(-1) - own["ended_ts"]
    return {
        "success_s": _positive(lasts[own["outcome"] == SUCCEEDED]),
        "failure_s": _positive(lasts[own["outcome"] == FAILED]),
        "turn_s": _positive(gap[own["outcome"] == SUCCEEDED]),
        "hide_s": _positive(gap[own["outcome"] == FAILED]),
    }


def _batches(facts: Facts) -> pd.DataFrame:
    """One row for each invocation of the processor with an attempt: first and last moment of its attempts, start and
    end by its REPORT line, its log stream.
    """
    own = facts.attempts.dropna(subset=["request_id", "started_ts"])
    ends = own["ended_ts"].fillna(own["started_ts"])
    grouped = own.assign(last=ends).groupby("request_id")
    table = pd.DataFrame({"first": grouped["started_ts"].min(), "last": grouped["last"].max()})
    lines = facts.run.table("invocations").dropna(subset=["request_id"]).drop_duplicates("request_id")
    lines = lines.set_index("request_id")
    table = table.join(lines[["stored_ts", "duration_ms", "init_duration_ms", "log_stream"]], how="inner")
    table["start"] = table["stored_ts"] - table["duration_ms"] / 1000
    return table.rename(columns={"stored_ts": "end"}).astype({"start": "float64", "end": "float64"})


def _deliveries(facts: Facts, batches: pd.DataFrame) -> dict[str, Sample]:
    """From visible to the function's start, for messages that found the queue empty and a poller free."""
    started = batches["start"]
    first = facts.attempts[facts.attempts["attempt"] == 1].drop_duplicates("task_id").set_index("task_id")
    created, accepted = facts.items["created_ts"].astype("float64"), _accepted(facts)
    enqueued = (created + ENQUEUED_SHARE * (accepted - created)).reindex(first.index)
    fresh = first["request_id"].map(started).astype("float64") - enqueued
    deliver = _positive(fresh[_is_quiet(facts, enqueued)])
    keys = ["task_id", "generation", "attempt"]
    again = facts.retries.merge(facts.attempts[[*keys, "request_id"]], on=keys)
    due = again["failed_ts"] + again["backoff_s"]
    late = (again["request_id"].map(started).astype("float64") - due)[_is_quiet(facts, due)]
    typical_s = float(np.median(deliver)) if len(deliver) else 0.0
    return {"deliver_s": deliver, "reappear_s": _positive(late - typical_s)}


def _is_quiet(facts: Facts, moments: "pd.Series[float]") -> "pd.Series[bool]":
    """Whether the task queue was empty then, by the samples before and after."""
    waiting = _waiting(facts, moments.to_numpy(dtype=np.float64, na_value=np.nan))
    return pd.Series(waiting < 1, index=moments.index)


def _waiting(facts: Facts, moments: NDArray[Any]) -> NDArray[Any]:
    """Visible messages of the task queue, between samples by a straight line; endless without samples."""
    own = facts.run.table("queues")
    own = own[own["queue"] == facts.topology.work.queue.role].dropna(subset=["ts", "visible"]).sort_values("ts")
    if own.empty:
        return np.full(len(moments), np.inf)
    return np.asarray(np.interp(moments, own["ts"].to_numpy("float64"), own["visible"].to_numpy("float64")))


def _settling(facts: Facts, batches: pd.DataFrame) -> Sample:
    """Pause of an environment between batches in a backlog, without the delivery that is a part of it."""
    ordered = batches.sort_values("start")
    pause = ordered.groupby("log_stream")["start"].shift(-1) - ordered["end"]
    busy = _waiting(facts, np.asarray(ordered["end"], dtype=np.float64)) >= BACKLOG
    # The delivery itself cannot be told apart under load; half of the pause is as good a guess as any, and the sum of
    # both, which is what the throughput depends on, is measured.
    return _positive(pause[busy]) / 2


def _monitor(facts: Facts) -> Sample:
    """A letter's share of the monitor's invocations."""
    letters = facts.dead_letters.dropna(subset=["request_id"])
    size = letters.groupby("request_id").size()
    lasts = _invocations(facts, "task.dead_lettered").dropna(subset=["request_id"]).drop_duplicates("request_id")
    own = lasts.set_index("request_id")["duration_ms"].reindex(size.index) / 1000
    return _positive(own / size)


def _invocations(facts: Facts, event: str) -> pd.DataFrame:
    """Invocations that began with the load or after it, of the functions that log an event."""
    table = facts.run.table("invocations")
    names = facts.events.loc[facts.events["event"] == event, "function"].dropna().unique()
    began = table["stored_ts"] - table["duration_ms"] / 1000 >= (facts.manifest.load_started_ts or 0.0)
    return table[table["function"].isin(list(names)) & began]


def _times(facts: Facts, parameters: Parameters) -> dict[str, float]:
    """What the manifest says: how long before the load the outage's clock started."""
    started_ts, load_ts = facts.manifest.run_started_ts, facts.manifest.load_started_ts
    if started_ts is None or load_ts is None:
        return {"warm_up_s": parameters.warm_up_s}
    return {"warm_up_s": load_ts - started_ts}


def _positive(values: "pd.Series[float]") -> Sample:
    """The finite values; what two clocks put before zero is zero."""
    found = np.asarray(pd.to_numeric(values, errors="coerce"), dtype=np.float64)
    return np.maximum(found[np.isfinite(found)], 0.0)


def _fitted(sample: Sample, default: Duration) -> tuple[Duration, str]:
    if len(sample) < SAMPLE_MIN:
        return default, "default kept"
    return empirical([float(q) for q in np.quantile(sample, np.linspace(0, 1, GRID + 1))]), "measured quantiles"


def _fit(name: str, sample: Sample, duration: Duration, how: str) -> Fit:
    if not len(sample):
        return Fit(name, 0, how, {}, 0.0)
    at = np.quantile(sample, RESIDUALS_AT)
    fit = np.array([duration.quantile_s(q) for q in RESIDUALS_AT])
    residual = float(np.max(np.abs(fit - at) / np.maximum(at, LEAST_S)))
    measured = {f"p{q * 100:g}": float(value) for q, value in zip(RESIDUALS_AT, at, strict=True)}
    return Fit(name, len(sample), how, {**measured, "mean": float(sample.mean())}, residual)
