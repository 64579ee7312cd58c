"""Recovery: after the load the backlog drains and latency returns to its baseline.

Baseline and return are measured by the same probe of the deployed pipeline at rest, once before the load and once after
the drain: the median time of a request to the API and of an invocation of the processor. How fast the backlog drained
and how late tasks were completed is reported, not judged.
"""

import dataclasses
from typing import Any

import pandas as pd

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.series import completions, rate_per_s
from dlqlab.analysis.statistics import quantile_interval
from dlqlab.contracts.manifest import Latency
from dlqlab.contracts.verdict import Status
from dlqlab.durations import duration
from dlqlab.wording import count

QUANTILES = (0.5, 0.95, 0.99)
RETURN_FACTOR, RETURN_S = 3.0, 0.25
"""Latency has returned when its median is at most this factor of the baseline plus this much: a machine that has just
collected a run is not as idle as before, and a pipeline that has not recovered is slower by more than that."""
PROBED = {"api_ms": "the API answers", "processor_ms": "the processor returns"}


@check("recovery", "The backlog drains", place=110)
def recovery_check(facts: Facts) -> Judgement:
    """Valid: every task reached its end and the queues ran empty. A backlog at the deadline is unknown: it may still
    drain.
    """
    ends = facts.events[facts.events["event"].isin(["attempt.succeeded", "task.dead_lettered"])]
    ended_ts, load_ended_ts = ends["ts"].max(), facts.manifest.load_ended_ts
    after_s = None if pd.isna(ended_ts) or load_ended_ts is None else max(0.0, float(ended_ts) - load_ended_ts)
    depth = _last_depth(facts)
    drained = facts.nothing_left
    returned, said = _latency_after_load(facts)
    details = _details(facts) | {"latency_returned": returned}
    if not len(ends):
        status, statement = Status.UNKNOWN, "no task reached its end"
    elif not drained:
        left = "unknown" if depth is None else count(depth, "message")
        deadline_s = facts.scenario.drain.deadline_s
        status, statement = Status.UNKNOWN, f"the backlog had not drained {deadline_s:g} s after the load: {left} left"
    else:
        status = Status.INVALID if returned is False else Status.VALID
        statement = f"{_statement(after_s, details)}; {said}"
    return Judgement(
        status=status,
        statement=statement,
        measured=after_s,
        unit="s after the load",
        n=len(ends),
        details=details,
    )


def _latency_after_load(facts: Facts) -> tuple[bool | None, str]:
    """Whether the pipeline at rest is as quick as before the load, None where it was not probed; and a clause."""
    probe = facts.manifest.latency_probe
    before, after = (_medians_ms(probe.before), _medians_ms(probe.after)) if probe else (None, None)
    if not before or not after:
        return None, "whether latency returned to its baseline is not known: no traffic after the load was measured"
    slow = [name for name in PROBED if after[name] > RETURN_FACTOR * before[name] + RETURN_S * 1000]
    told = [f"{said} in {after[name]:.1f} ms (before the load {before[name]:.1f} ms)" for name, said in PROBED.items()]
    verdict = "latency did not return to its baseline" if slow else "latency returned to its baseline"
    return not slow, f"{verdict}: {', '.join(told)}"


def _medians_ms(latency: Latency | None) -> dict[str, float] | None:
    return None if latency is None else dataclasses.asdict(latency)


def _statement(after_s: float | None, details: dict[str, Any]) -> str:
    when = "backlog drained" if after_s is None else f"backlog drained {after_s:.1f} s after the load"
    speed = f"{details['accepted_per_s']:.0f} tasks/s accepted, {details['processed_per_s']:.0f} attempts/s processed"
    latency = details["latency_s"]
    if latency is None:
        return f"{when}; {speed}"
    return f"{when}; {speed}; completion in {duration(latency['p50'])} at the median, {duration(latency['p95'])} at p95"


def _details(facts: Facts) -> dict[str, Any]:
    latency = completions(facts)["latency_s"].dropna()
    median = quantile_interval(latency.to_numpy(dtype="float64"), 0.5, facts.scenario.judge.confidence)
    return {
        "accepted_per_s": rate_per_s(facts, "task.accepted"),
        "processed_per_s": rate_per_s(facts, "attempt.started"),
        "latency_s": {f"p{q * 100:g}": float(latency.quantile(q)) for q in QUANTILES} if len(latency) else None,
        "latency_n": len(latency),
        "negative_latencies": int((latency < 0).sum()),
        "latency_median_s": None if median is None else median.estimate,
    }


def _last_depth(facts: Facts) -> int | None:
    """Messages in all queues by the last sample of each."""
    last = facts.last_samples
    return None if last.empty else int(last[["visible", "in_flight", "delayed"]].sum().sum())
