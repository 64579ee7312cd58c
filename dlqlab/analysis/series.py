"""Tidy frames for charts: one observation a row; ``t_s`` is seconds since the load started."""

import math
from collections.abc import Collection

import numpy as np
import pandas as pd

from dlqlab.analysis.attempts import DIED_AFTER_EFFECT, SUCCEEDED
from dlqlab.analysis.facts import Facts

STEPS = 40
"""Points at most of a line over time: more is noise at the width of a page."""
FATES = ("completed", "retried", "dead-lettered", "no end seen")
"""What can follow an attempt."""
THROUGHPUT_EVENTS = {
    "accepted_per_s": "task.accepted",
    "attempts_per_s": "attempt.started",
    "failed_per_s": "attempt.failed",
    "completed_per_s": "attempt.succeeded",
    "dead_lettered_per_s": "task.dead_lettered",
}
"""Columns of ``throughput`` and the event that each counts."""


def origin_ts(facts: Facts) -> float:
    """Zero of every time axis: the start of the load, or the first request where the manifest does not say."""
    started_ts = facts.manifest.load_started_ts
    if started_ts is not None:
        return started_ts
    first = facts.ledger["sent_ts"].min()
    return 0.0 if pd.isna(first) else float(first)


def throughput(facts: Facts, *, bucket_s: float = 1.0) -> pd.DataFrame:
    """Events a second: t_s (start of the bucket) and the columns of THROUGHPUT_EVENTS; quiet buckets are zeros."""
    events = facts.events[facts.events["event"].isin(list(THROUGHPUT_EVENTS.values()))]
    buckets = np.floor((events["ts"] - origin_ts(facts)) / bucket_s)
    counts = pd.crosstab(buckets.rename("bucket"), events["event"])
    counts = counts.reindex(columns=list(THROUGHPUT_EVENTS.values()), fill_value=0)
    if len(counts):
        counts = counts.reindex(np.arange(counts.index.min(), counts.index.max() + 1), fill_value=0)
    table = pd.DataFrame({name: counts[event] / bucket_s for name, event in THROUGHPUT_EVENTS.items()})
    table.insert(0, "t_s", counts.index.to_numpy(dtype="float64") * bucket_s)
    return table.reset_index(drop=True)


def completions(facts: Facts) -> pd.DataFrame:
    """One row for each completed task: task_id, attempts, sent_ts, completed_ts, latency_s (sent to completed).

    Sent is the client's clock, completed the function's; where they are two hosts' a negative latency is kept, for
    hiding it would hide the skew. Without a request in the ledger, sent is when the API accepted the task.
    """
    done = facts.attempts[facts.attempts["outcome"].isin(["succeeded", "died_after_effect"])]
    done = done.drop_duplicates("task_id")
    sent = facts.ledger.dropna(subset=["task_id"]).groupby("task_id")["sent_ts"].min()
    completed_ts = done["ended_ts"].fillna(done["task_id"].map(facts.items["updated_ts"]))
    sent_ts = done["task_id"].map(sent).fillna(done["task_id"].map(facts.items["created_ts"]))
    table = pd.DataFrame(
        {
            "task_id": done["task_id"],
            "attempts": done["attempt"].astype("Int64"),
            "sent_ts": sent_ts.astype("float64"),
            "completed_ts": completed_ts.astype("float64"),
        }
    )
    table["latency_s"] = table["completed_ts"] - table["sent_ts"]
    return table.reset_index(drop=True)


def completion_latency(facts: Facts, *, bucket_s: float = 1.0) -> pd.DataFrame:
    """Time from sending to completion by when the task was sent: t_s, n, p50_s, p95_s; empty buckets are left out."""
    done = completions(facts)
    return _quantiles(done["sent_ts"] - origin_ts(facts), done["latency_s"], bucket_s, "s")


def submission_latency(facts: Facts, *, bucket_s: float = 1.0) -> pd.DataFrame:
    """How long the API took to answer, by when the request was sent: t_s, n, p50_ms, p95_ms."""
    ledger = facts.ledger[facts.ledger["latency_ms"].notna()]
    return _quantiles(ledger["sent_ts"] - origin_ts(facts), ledger["latency_ms"], bucket_s, "ms")


def queue_depths(facts: Facts) -> pd.DataFrame:
    """The samples of all queues with t_s: t_s, queue, visible, in_flight, delayed; queues as messages pass them."""
    samples = facts.run.table("queues")
    order = {role: place for place, role in enumerate(facts.run.topology.queue_names if facts.run.topology else ())}
    place = samples["queue"].map(order)
    table = samples.assign(t_s=samples["ts"] - origin_ts(facts), place=place).sort_values(["place", "queue", "t_s"])
    return table[["t_s", "queue", "visible", "in_flight", "delayed"]].reset_index(drop=True)


def attempts_with_fate(facts: Facts) -> pd.DataFrame:
    """The attempts that were seen to start, plus ``fate``: what followed, one of FATES."""
    rows = facts.attempts[facts.attempts["started_ts"].notna()].copy()
    dead = set(facts.dead_letters["task_id"].dropna())
    last = rows["attempt"] == rows.groupby(["task_id", "generation"])["attempt"].transform("max")
    failed = rows["failed"].astype("boolean").fillna(value=False)
    rows["fate"] = "no end seen"
    rows.loc[rows["outcome"].isin([SUCCEEDED, DIED_AFTER_EFFECT]), "fate"] = "completed"
    rows.loc[failed & ~last, "fate"] = "retried"
    rows.loc[failed & last & rows["task_id"].isin(dead), "fate"] = "dead-lettered"
    return rows


def fates(facts: Facts) -> pd.DataFrame:
    """What followed the attempts, counted by attempt number: ``attempt`` and a column per fate."""
    rows = attempts_with_fate(facts)
    table = pd.crosstab(rows["attempt"].astype("int64"), rows["fate"])
    return table.reindex(columns=list(FATES), fill_value=0).reset_index()


def timelines(facts: Facts, *, among: Collection[str] | None = None, tasks: int = 12) -> pd.DataFrame:
    """The attempts of the tasks that took longest: ``task_id``, ``at_s`` (after acceptance), ``fate``.

    ``among`` limits the choice to these tasks.
    """
    rows = attempts_with_fate(facts)
    if among is not None:
        rows = rows[rows["task_id"].isin(among)].copy()
    rows["at_s"] = rows["started_ts"] - rows["task_id"].map(facts.items["created_ts"]).astype("float64")
    longest = rows.groupby("task_id")["at_s"].max().nlargest(tasks).index
    order = {task: place for place, task in enumerate(longest)}
    chosen = rows[rows["task_id"].isin(longest)]
    return chosen.sort_values("task_id", key=lambda ids: ids.map(order))[["task_id", "at_s", "fate"]]


def bucket_s(facts: Facts) -> float:
    """Whole seconds a step, so that the load is drawn in about STEPS of them."""
    manifest = facts.manifest
    if manifest.load_started_ts is None or manifest.load_ended_ts is None:
        return 1.0
    return float(max(1, math.ceil((manifest.load_ended_ts - manifest.load_started_ts) / STEPS)))


def _quantiles(t_s: pd.Series, values: pd.Series, bucket_s: float, unit: str) -> pd.DataFrame:
    start = (np.floor(t_s / bucket_s) * bucket_s).rename("t_s")
    grouped = values.groupby(start)
    columns = {"n": grouped.size(), f"p50_{unit}": grouped.quantile(0.5), f"p95_{unit}": grouped.quantile(0.95)}
    return pd.DataFrame(columns).reset_index()
