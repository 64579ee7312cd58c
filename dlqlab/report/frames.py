"""Tidy frames for the charts, one question each, from the evidence of a run."""

import math

import pandas as pd

from dlqlab.analysis.attempts import FAILED, SUCCEEDED, attempts_table, distinct_events, retries_table
from dlqlab.contracts.evidence import RunEvidence

_SUBMITTED = ("acknowledged", "replayed")


def attempts(evidence: RunEvidence) -> pd.DataFrame:
    """The attempts of the analysis, plus ``fate``: what followed the attempt, as figures.FATES."""
    events = distinct_events(evidence.table("events"))
    rows = attempts_table(events, evidence.table("tasks"))
    rows = rows[rows["started_ts"].notna()].copy()
    dead = set(events.loc[events["event"] == "task.dead_lettered", "task_id"].dropna())
    last = rows["attempt"] == rows.groupby(["task_id", "generation"])["attempt"].transform("max")
    reported = rows["outcome"] == FAILED
    rows["fate"] = "no end seen"
    rows.loc[rows["outcome"] == SUCCEEDED, "fate"] = "completed"
    rows.loc[reported & ~last, "fate"] = "retried"
    rows.loc[reported & last & rows["task_id"].isin(dead), "fate"] = "dead-lettered"
    return rows.reset_index(drop=True)


def retries(evidence: RunEvidence) -> pd.DataFrame:
    """The retries of the analysis whose wait is the backoff: the same copy of the message came back."""
    table = retries_table(attempts_table(distinct_events(evidence.table("events")), evidence.table("tasks")))
    return table[table["same_message"].astype("bool")].reset_index(drop=True)


def fates(evidence: RunEvidence) -> pd.DataFrame:
    """What followed the attempts, counted by attempt number: ``attempt`` and a column per fate."""
    rows = attempts(evidence)
    table = pd.crosstab(rows["attempt"].astype("int64"), rows["fate"])
    return table.reindex(columns=["completed", "retried", "dead-lettered", "no end seen"], fill_value=0).reset_index()


def throughput(evidence: RunEvidence) -> pd.DataFrame:
    """Tasks a second in steps of 1 s: ``second``, ``accepted_per_s``, ``completed_per_s``, ``dead_lettered_per_s``."""
    start = start_ts(evidence)
    events, ledger = evidence.table("events"), evidence.table("ledger")
    moments = {
        "accepted_per_s": ledger.loc[ledger["outcome"] == "acknowledged", "done_ts"],
        "completed_per_s": events.loc[events["event"] == "attempt.succeeded", "ts"],
        "dead_lettered_per_s": events.loc[events["event"] == "task.dead_lettered", "ts"],
    }
    counts = {
        name: ((ts.dropna() - start) // 1).astype("int64").clip(lower=0).value_counts() for name, ts in moments.items()
    }
    table = pd.DataFrame(counts)
    seconds = range(int(table.index.max()) + 1 if len(table) else 0)
    return table.reindex(seconds).fillna(0.0).rename_axis("second").reset_index()


def answers(evidence: RunEvidence) -> pd.DataFrame:
    """One row per answered request: ``second`` (when sent, after the load began), ``took_s``."""
    ledger = evidence.table("ledger")
    answered = ledger[ledger["outcome"].isin(_SUBMITTED) & ledger["latency_ms"].notna()]
    return pd.DataFrame({"second": answered["sent_ts"] - start_ts(evidence), "took_s": answered["latency_ms"] / 1000})


def completions(evidence: RunEvidence) -> pd.DataFrame:
    """One row per acknowledged and completed task: ``second`` (when sent, after the load began), ``took_s``."""
    ledger, events = evidence.table("ledger"), evidence.table("events")
    sent = ledger[ledger["outcome"] == "acknowledged"].groupby("task_id")["sent_ts"].min()
    done = events[events["event"] == "attempt.succeeded"].groupby("task_id")["ts"].min()
    pairs = pd.DataFrame({"sent": sent, "done": done}).dropna()
    return pd.DataFrame({"second": pairs["sent"] - start_ts(evidence), "took_s": pairs["done"] - pairs["sent"]})


def median_s(rows: pd.DataFrame) -> float:
    """The median of ``took_s``; not a number without rows."""
    return float(rows["took_s"].median())


def over_time(rows: pd.DataFrame, *, steps: int = 40) -> pd.DataFrame:
    """Quantiles of ``took_s`` in steps of whole seconds: ``second``, ``p50``, ``p95``."""
    if rows.empty:
        return pd.DataFrame({"second": [], "p50": [], "p95": []}, dtype="float64")
    width = max(1.0, math.ceil(float(rows["second"].max()) / steps))
    grouped = rows["took_s"].groupby(rows["second"] // width * width)
    table = pd.DataFrame({"p50": grouped.quantile(0.5), "p95": grouped.quantile(0.95)}).astype("float64")
    return table.rename_axis("second").reset_index()


def dead_letters(evidence: RunEvidence) -> pd.DataFrame:
    """One row per dead-letter record: ``task_id``, ``error_type``, ``reason``, ``attempts``, ``age_s``."""
    events = evidence.table("events")
    rows = events[events["event"] == "task.dead_lettered"].copy()
    rows["age_s"] = rows["ts"] - rows["first_ts"]
    return rows[["task_id", "error_type", "error_message", "reason", "attempts", "payload", "age_s"]].reset_index(
        drop=True
    )


def timelines(evidence: RunEvidence, *, tasks: int = 12) -> pd.DataFrame:
    """The attempts of the tasks that took longest: ``task_id``, ``at_s`` (after acceptance), ``fate``."""
    rows = attempts(evidence)
    events = evidence.table("events")
    accepted = events[events["event"] == "task.accepted"].groupby("task_id")["ts"].min()
    rows["at_s"] = rows["started_ts"] - rows["task_id"].map(accepted)
    longest = rows.groupby("task_id")["at_s"].max().nlargest(tasks).index
    chosen = rows[rows["task_id"].isin(longest)]
    order = {task: place for place, task in enumerate(longest)}
    return chosen.sort_values("task_id", key=lambda ids: ids.map(order))[["task_id", "at_s", "fate"]]


def start_ts(evidence: RunEvidence) -> float:
    """Zero of the time axes: the start of the load, or the first request where the manifest does not say."""
    started = evidence.manifest.load_started_ts
    return float(evidence.table("ledger")["sent_ts"].min()) if started is None else started
