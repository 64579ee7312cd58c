"""Who made a retry late: its lateness split by what the evidence shows, the rest called unexplained.

A retry is due when its backoff is over. From then to its start it can wait for, in the order of time:

- ``emulator_s``: the queue itself to show the message again. The median that the probe found on an idle queue.
- ``busy_s``: a free poller. Time in which as many batches of the mapping ran as it may run at once.
- ``cold_s``: a new execution environment, where its invocation was a cold start: the REPORT line's init duration.
- ``batch_s``: its turn within the batch, from the batch's first attempt to its own.

``batch_s`` and ``cold_s`` are measured, ``busy_s`` is inferred from the other batches' attempts (a poller is also busy
while it receives and deletes, which nobody logs), ``emulator_s`` is another moment's median. What is left is
``unexplained_s``: invocation overhead, the poll interval, the machine's own load. The parts add up to the lateness of
the retry; an early retry has none.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import among, names, sure
from dlqlab.pollers import STARTING_POLLERS

PARTS: Mapping[str, str] = {
    "emulator_s": "the emulator alone",
    "busy_s": "busy pollers",
    "cold_s": "cold start",
    "batch_s": "turn in the batch",
    "unexplained_s": "unexplained",
}
"""Columns of the split and what people call them."""

EARLY_TOLERANCE_S = 0.001
"""A retry that is early by less is not: time stamps are rounded to a microsecond and both come from one host's clock; a
millisecond covers both."""
QUANTILES = (0.5, 0.95, 0.99)

Times = NDArray[np.float64]


def judged_retries(facts: Facts) -> pd.DataFrame:
    """The retries that carry a backoff: redeliveries of the message that failed.

    Another copy of the task, which a declared duplicate puts into the queue, becomes visible on its own time. A second
    message that nobody declared is judged like any other.
    """
    retries = facts.retries
    duplicated = {task for task in names(retries["task_id"]) if facts.plan.is_duplicated(task)}
    return retries[retries["same_message"] | ~among(retries["task_id"], duplicated)]


def pollers(facts: Facts) -> int:
    """Batches that the mapping may run at once: the setting, else Lambda's starting number.

    On AWS the mapping scales up from there, so that ``busy_s`` counts too much in long backlogs; where more batches
    than that were seen at one time, their number is taken.
    """
    return max(facts.scenario.pipeline.max_concurrency or STARTING_POLLERS, _most_at_once(batches(facts)))


def batches(facts: Facts) -> pd.DataFrame:
    """One row for each invocation of the processor: request_id, started_ts (its first attempt), ended_ts (its last).

    An invocation whose attempts report no end ends at its last start.
    """
    own = facts.attempts[facts.attempts["request_id"].notna() & facts.attempts["started_ts"].notna()]
    ends = own["ended_ts"].fillna(own["started_ts"])
    grouped = own.assign(last_ts=ends).groupby("request_id")
    table = pd.DataFrame({"started_ts": grouped["started_ts"].min(), "ended_ts": grouped["last_ts"].max()})
    return table.reset_index()


def attributed_retries(facts: Facts) -> pd.DataFrame:
    """The judged retries with request_id, due_ts and the PARTS, in seconds; see the module."""
    retries = judged_retries(facts)
    key = ["task_id", "generation", "attempt"]
    table = retries.merge(facts.attempts[[*key, "request_id", "cold_start"]], how="left", on=key)
    runs = batches(facts)
    began = table["request_id"].map(runs.set_index("request_id")["started_ts"]).astype("float64")
    began = began.fillna(table["started_ts"])
    table["due_ts"] = table["failed_ts"] + table["backoff_s"]
    left = table["lateness_s"].clip(lower=0).to_numpy(dtype="float64", copy=True)
    parts = dict.fromkeys(PARTS, np.zeros(0))
    parts["batch_s"] = _take(left, (table["started_ts"] - began).to_numpy(dtype=np.float64))
    inits = table["request_id"].map(_inits(facts)).astype("float64")
    cold: Times = np.where(sure(table["cold_start"]), inits, 0.0)
    parts["cold_s"] = _take(left, cold)
    until: Times = np.minimum(began.to_numpy(dtype=np.float64), table["due_ts"].to_numpy(dtype=np.float64) + left)
    parts["busy_s"] = _take(left, _busy(runs, table["due_ts"].to_numpy(dtype=np.float64), until, pollers(facts)))
    probe = facts.manifest.retry_probe
    share_s: Times = np.zeros(len(table)) + (0.0 if probe is None else probe.median_s)
    parts["emulator_s"] = _take(left, share_s)
    parts["unexplained_s"] = left
    return table.assign(**parts)


def attribution(facts: Facts) -> pd.DataFrame:
    """Mean seconds of each part by attempt number, and over all (attempt 0): attempt, n, lateness_s and the PARTS.

    Means add up; medians of parts would not.
    """
    retries = attributed_retries(facts)
    columns = ["lateness_s", *PARTS]
    clipped = retries.assign(lateness_s=retries["lateness_s"].clip(lower=0))
    grouped = clipped.groupby("attempt")
    table = grouped[columns].mean().assign(n=grouped.size()).reset_index()
    if len(clipped):
        whole = pd.DataFrame([{"attempt": 0, "n": len(clipped), **clipped[columns].mean().to_dict()}])
        table = pd.concat([table, whole], ignore_index=True)
    return table.astype({"attempt": "int64", "n": "int64"})[["attempt", "n", *columns]]


def lateness_by_attempt(facts: Facts) -> pd.DataFrame:
    """Per attempt number: attempt, n, backoff_s (median), lateness quantiles p50_s, p95_s, p99_s and max_s."""
    grouped = judged_retries(facts).groupby("attempt")
    lateness = grouped["lateness_s"]
    table = pd.DataFrame({"n": lateness.size(), "backoff_s": grouped["backoff_s"].median()})
    for q in QUANTILES:
        table[f"p{q * 100:g}_s"] = lateness.quantile(q)
    table["max_s"] = lateness.max()
    return table.reset_index().astype({"attempt": "int64"})


def _take(left: Times, wanted: Times) -> Times:
    """As much of ``wanted`` as is left, taken away from ``left`` in place."""
    taken: Times = np.clip(np.nan_to_num(wanted, nan=0.0), 0.0, left)
    left -= taken
    return taken


def _inits(facts: Facts) -> "pd.Series[float]":
    """Request id -> init duration in seconds, as far as REPORT lines were collected."""
    table = facts.run.tables.get("invocations")
    if table is None:
        return pd.Series(dtype="float64")
    cold = table[table["init_duration_ms"].notna() & table["request_id"].notna()].drop_duplicates("request_id")
    return cold.set_index("request_id")["init_duration_ms"] / 1000


def _busy(runs: pd.DataFrame, since: Times, until: Times, limit: int) -> Times:
    """Seconds of each span in which at least ``limit`` batches ran."""
    moments, running = _running(runs)
    if not len(moments):
        return np.zeros(len(since))
    # Busy seconds from the first moment to each: a span's are then a difference, whatever its length.
    busy = np.concatenate([[0.0], np.cumsum(np.diff(moments) * (running[:-1] >= limit))])
    spans: Times = np.interp(until, moments, busy) - np.interp(since, moments, busy)
    return np.maximum(spans, 0.0)


def _running(runs: pd.DataFrame) -> tuple[Times, NDArray[np.int64]]:
    """Each moment at which a batch starts or ends, and how many run from there on."""
    moments = np.concatenate([runs["started_ts"].to_numpy("float64"), runs["ended_ts"].to_numpy("float64")])
    steps = np.concatenate([np.ones(len(runs), dtype=np.int64), -np.ones(len(runs), dtype=np.int64)])
    # An end before a start at the same moment: touching batches do not overlap.
    order = np.lexsort((steps, moments))
    return moments[order], np.cumsum(steps[order])


def _most_at_once(runs: pd.DataFrame) -> int:
    _, running = _running(runs)
    return int(running.max()) if len(running) else 0
