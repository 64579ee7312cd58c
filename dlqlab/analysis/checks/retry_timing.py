"""Retry timing: never earlier than asked, and how late, split into the emulator's share and the pipeline's."""

from typing import Any

import pandas as pd

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import names, sure
from dlqlab.analysis.lateness import EARLY_TOLERANCE_S, PARTS, attribution, judged_retries, lateness_by_attempt
from dlqlab.analysis.statistics import Values, quantile_interval
from dlqlab.analysis.wording import examples
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.durations import duration
from dlqlab.wording import count

DETAILS_MAX = 100


@check(
    "retry_timing",
    "No retry before its backoff is over",
    place=70,
    sets=[NamedSet("early", SetKind.VIOLATION, "Tasks with a retry before its backoff was over.")],
)
def retry_timing_check(facts: Facts) -> Judgement:
    """Invalid: one retry early, or the median later than allowed. Unknown: retries were due and none was seen."""
    retries = judged_retries(facts)
    early = retries[retries["lateness_s"] < -EARLY_TOLERANCE_S]
    judge = facts.scenario.judge
    lateness: Values = retries["lateness_s"].to_numpy(dtype="float64")
    median = quantile_interval(lateness, 0.5, judge.confidence)
    status, statement = _judge(facts, retries, early, lateness)
    finite = median is not None and abs(median.low) != float("inf") and abs(median.high) != float("inf")
    return Judgement(
        status=status,
        statement=statement,
        measured=median.estimate if median else None,
        expected=0.0,
        unit="s late at the median",
        interval=(median.low, median.high) if median and finite else None,
        confidence=judge.confidence,
        n=len(retries),
        members={"early": tuple(sorted(names(early["task_id"])))},
        details=_details(facts, retries, early),
    )


def emulator_share_s(facts: Facts, median_s: float) -> float | None:
    """How much of the median lateness the emulator adds by itself, as probed before the load; None without a probe."""
    probe = facts.manifest.retry_probe
    return None if probe is None else max(0.0, min(probe.median_s, median_s))


def _judge(facts: Facts, retries: pd.DataFrame, early: pd.DataFrame, lateness: Values) -> tuple[Status, str]:
    if not len(retries):
        return _none_seen(facts)
    if len(early):
        worst = early.sort_values("lateness_s").iloc[0]
        text = f"{count(len(early), 'retry', 'retries')} early of {len(retries):,}"
        asked = f"started {worst['gap_s']:.3f} s after the failure, {worst['backoff_s']:g} s were asked for"
        return Status.INVALID, f"{text}: {examples(sorted(names(early['task_id'])))} (the earliest {asked})"
    median_s = float(pd.Series(lateness).median())
    share_s = emulator_share_s(facts, median_s)
    part = "the emulator's own lateness was not measured"
    if share_s is not None:
        part = f"of which {duration(share_s)} is the emulator's"
    text = f"no retry early; late by {duration(median_s)} at the median (n = {len(retries):,}), {part}"
    allowed_s = facts.scenario.judge.max_median_lateness_s
    if median_s > allowed_s:
        return Status.INVALID, f"{text}; over the {allowed_s:g} s that the scenario allows; {_split(facts)}"
    return Status.VALID, text


def _split(facts: Facts) -> str:
    """The mean lateness by its parts: ``1.57 s on average: 0.74 s turn in the batch, ...``."""
    whole = attribution(facts).iloc[-1]
    said = ", ".join(f"{duration(float(whole[part]))} {PARTS[part]}" for part in PARTS)
    return f"{duration(float(whole['lateness_s']))} on average: {said}"


def _none_seen(facts: Facts) -> tuple[Status, str]:
    due = facts.predictions["delay_s"].notna() & ~facts.predictions["attempt"].ge(facts.policy.max_attempts)
    expected = int(sure(due).sum())
    if expected or not facts.taken:
        return Status.UNKNOWN, f"no retry was observed, {expected:,} were predicted"
    return Status.VALID, "no retry was due and none happened"


def _details(facts: Facts, retries: pd.DataFrame, early: pd.DataFrame) -> dict[str, Any]:
    probe = facts.manifest.retry_probe
    median_s = float(retries["lateness_s"].median()) if len(retries) else None
    share_s = None if median_s is None else emulator_share_s(facts, median_s)
    columns = ["task_id", "generation", "attempt", "backoff_s", "gap_s", "lateness_s"]
    return {
        "by_attempt": lateness_by_attempt(facts).to_dict("records"),
        "emulator_median_s": None if probe is None else probe.median_s,
        "emulator_n": None if probe is None else probe.n,
        "emulator_share_s": share_s,
        "pipeline_share_s": None if share_s is None or median_s is None else median_s - share_s,
        "attribution": attribution(facts).to_dict("records"),
        "other_copies": len(facts.retries) - len(retries),
        "early": early.sort_values("lateness_s").head(DETAILS_MAX)[columns].to_dict("records"),
    }
