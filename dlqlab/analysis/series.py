"""Tidy frames over the time of a run, which checks and charts share; one observation a row."""

import math
from enum import StrEnum

import pandas as pd

from dlqlab.analysis.attempts import DIED_AFTER_EFFECT, SUCCEEDED
from dlqlab.analysis.facts import Facts

STEPS = 40
"""Points at most of a line over time: more is noise at the width of a page."""


class Fate(StrEnum):
    """What can follow an attempt."""

    COMPLETED = "completed"
    RETRIED = "retried"
    DEAD_LETTERED = "dead-lettered"
    NO_END_SEEN = "no end seen"


def origin_ts(facts: Facts) -> float:
    """Zero of every time axis: the start of the load; where the manifest does not say, the first request, or the first
    message of a pipeline that tells nothing of its tasks.
    """
    started_ts = facts.manifest.load_started_ts
    if started_ts is not None:
        return started_ts
    if not facts.tells_of_tasks:
        return min((stay.sent_ts for stay in facts.flow.stays if stay.sent_ts is not None), default=0.0)
    first = facts.ledger["sent_ts"].min()
    return 0.0 if pd.isna(first) else float(first)


def completions(facts: Facts) -> pd.DataFrame:
    """One row for each completed task: task_id, attempts, sent_ts, completed_ts, latency_s (sent to completed).

    Sent is the client's clock, completed the function's; where they are two hosts' a negative latency is kept, for
    hiding it would hide the skew. Without a request in the ledger, sent is when the API accepted the task.
    """
    done = facts.attempts[facts.attempts["outcome"].isin([SUCCEEDED, DIED_AFTER_EFFECT])]
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


def attempts_with_fate(facts: Facts) -> pd.DataFrame:
    """The attempts that were seen to start, plus ``fate``: what followed, a ``Fate``."""
    rows = facts.attempts[facts.attempts["started_ts"].notna()].copy()
    dead = set(facts.dead_letters["task_id"].dropna())
    last = rows["attempt"] == rows.groupby(["task_id", "generation"])["attempt"].transform("max")
    failed = rows["failed"].astype("boolean").fillna(value=False)
    rows["fate"] = str(Fate.NO_END_SEEN)
    rows.loc[rows["outcome"].isin([SUCCEEDED, DIED_AFTER_EFFECT]), "fate"] = str(Fate.COMPLETED)
    rows.loc[failed & ~last, "fate"] = str(Fate.RETRIED)
    rows.loc[failed & last & rows["task_id"].isin(dead), "fate"] = str(Fate.DEAD_LETTERED)
    return rows


def bucket_s(facts: Facts) -> float:
    """Whole seconds a step, so that the load is drawn in about STEPS of them."""
    manifest = facts.manifest
    if manifest.load_started_ts is None or manifest.load_ended_ts is None:
        return 1.0
    return float(max(1, math.ceil((manifest.load_ended_ts - manifest.load_started_ts) / STEPS)))


def rate_per_s(facts: Facts, event: str) -> float:
    """Events of this name a second while there was load; 0 where the load's times are not known."""
    started_ts, ended_ts = facts.manifest.load_started_ts, facts.manifest.load_ended_ts
    if started_ts is None or ended_ts is None or ended_ts <= started_ts:
        return 0.0
    moments = facts.events.loc[facts.events["event"] == event, "ts"]
    return float(moments.between(started_ts, ended_ts).sum() / (ended_ts - started_ts))
