"""Frames that only the charts need; everything that is judged comes from the analysis."""

import math
from collections.abc import Collection

import pandas as pd

from dlqlab.analysis.attempts import DIED_AFTER_EFFECT, SUCCEEDED
from dlqlab.analysis.facts import Facts
from dlqlab.figures import FATES

STEPS = 40
"""Points at most of a line over time: more is noise at the width of a page."""


def attempts_with_fate(facts: Facts) -> pd.DataFrame:
    """The attempts that were seen to start, plus ``fate``: what followed, as figures.FATES."""
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
