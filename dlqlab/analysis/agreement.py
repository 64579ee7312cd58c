"""The oracle's prediction against what was observed, task by task.

A difference is explained only by evidence in the task's own history; what no evidence explains is invalid. The causes,
and what each means, are the sets of the check ``oracle``.
"""

from dataclasses import dataclass

import pandas as pd

from dlqlab.analysis.attempts import ATTEMPT_KEY, DIED, DIED_AFTER_EFFECT, FAILED, OPEN, SUCCEEDED
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import names, sure
from dlqlab.analysis.oracle import COMPLETED, DEAD_LETTERED
from taskrules.faults import Fault, Leaves

UNEXPLAINED = "unexplained"

_OUTCOMES = {
    Leaves.SUCCESS: (SUCCEEDED,),
    Leaves.FAILURE: (FAILED,),
    Leaves.NOTHING: (DIED,),
    Leaves.EFFECT: (DIED_AFTER_EFFECT, SUCCEEDED),
}
"""What each fault looks like from outside, by what it leaves. A time-out or crash leaves a start without an end; a
process that dies after the effect may still have reported the success."""
_LIFE = ["task_id", "generation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """``differences``: one row for each task generation that differs: task_id, generation, what, cause.

    ``tasks`` is how many were compared, ``fates`` how many of them ended how (as observed).
    """

    differences: pd.DataFrame
    tasks: int
    fates: dict[str, int]


def compare_with_oracle(facts: Facts) -> Agreement:
    """Every task that was taken, every generation of it."""
    steps = _steps(facts)
    lives = _lives(facts)
    wrong_steps = steps[steps["what"].notna()].groupby(_LIFE, sort=False)["what"].agg("; ".join).reset_index()
    merged = lives.merge(wrong_steps, how="left", on=_LIFE)
    wrong_end = _wrong_end(merged)
    differs = merged["what"].notna() | wrong_end.notna()
    differences = merged[differs].reset_index(drop=True)
    texts = differences["what"].fillna("") + "; " + wrong_end[differs].fillna("").reset_index(drop=True)
    differences["what"] = texts.str.strip("; ")
    differences["cause"] = _causes(facts, differences, steps)
    observed = merged["observed"].fillna("open").value_counts()
    return Agreement(
        differences=differences[[*_LIFE, "what", "cause"]].reset_index(drop=True),
        tasks=merged["task_id"].nunique(),
        fates={str(name): int(number) for name, number in observed.items()},
    )


def _steps(facts: Facts) -> pd.DataFrame:
    """Predicted and observed attempts side by side, with ``what`` naming a difference."""
    predicted = facts.predictions[[*ATTEMPT_KEY, "fault", "delay_s"]]
    observed = facts.attempts[[*ATTEMPT_KEY, "outcome", "permanent", "backoff_s", "request_id", "message_id"]]
    steps = predicted.merge(observed, how="outer", on=ATTEMPT_KEY)
    number = "attempt " + steps["attempt"].astype("string")
    allowed = pd.Series(data=False, index=steps.index)
    for fault in Fault:
        allowed |= sure((steps["fault"] == str(fault)) & steps["outcome"].isin(_OUTCOMES[fault.leaves]))
    permanent = sure(steps["permanent"])
    failed = sure(steps["outcome"] == FAILED)
    final = [str(fault) for fault in Fault if fault.is_reported and not fault.is_retried]
    wrong_class = allowed & failed & (permanent != sure(steps["fault"].isin(final)))
    wrong_delay = allowed & sure(steps["delay_s"] != steps["backoff_s"])
    missing, extra = steps["outcome"].isna(), steps["fault"].isna()
    what = pd.Series(pd.NA, index=steps.index, dtype="string")
    delays = steps["backoff_s"].astype("string") + " s, predicted " + steps["delay_s"].astype("string") + " s"
    what = what.mask(wrong_delay, number + " asked for a backoff of " + delays)
    what = what.mask(wrong_class, number + " failed with the wrong class of error")
    what = what.mask(~allowed, number + " " + steps["outcome"] + ", predicted " + steps["fault"])
    what = what.mask(extra, number + " was not predicted")
    steps["what"] = what.mask(missing, number + " did not happen")
    steps["missing"] = missing
    return steps


def _lives(facts: Facts) -> pd.DataFrame:
    """One row for each generation: predicted terminal state and attempts, observed terminal state (null while open)."""
    last = facts.predictions[facts.predictions["last"]]
    lives = last[[*_LIFE, "attempt", "terminal"]].rename(columns={"attempt": "predicted_attempts"})
    latest = lives["task_id"].map(facts.generations).fillna(1)
    is_latest = sure(lives["generation"] == latest)
    status = lives["task_id"].map(facts.items["status"]).where(is_latest, "FAILED")
    lives["observed"] = status.map({"COMPLETED": COMPLETED, "FAILED": DEAD_LETTERED}).astype("string")
    lives["table_attempts"] = lives["task_id"].map(facts.items["attempts"]).where(is_latest)
    return lives.reset_index(drop=True)


def _wrong_end(lives: pd.DataFrame) -> pd.Series:
    differs = lives["observed"].isna() | sure(lives["observed"] != lives["terminal"])
    text = "ended " + lives["observed"].fillna("nowhere") + ", predicted " + lives["terminal"]
    return text.where(differs)


def _causes(facts: Facts, differences: pd.DataFrame, steps: pd.DataFrame) -> pd.Series:
    """The class of each difference; later masks outrank earlier ones."""
    cause = pd.Series(UNEXPLAINED, index=differences.index, dtype="string")
    if differences.empty:
        return cause
    life = pd.MultiIndex.from_frame(differences[_LIFE])
    ours = steps[pd.MultiIndex.from_frame(steps[_LIFE]).isin(life)]
    burnt = differences["task_id"].isin(_burnt(facts, names(differences["task_id"])))
    cut_short = sure(differences["observed"] == DEAD_LETTERED) & _only_missing(ours, life)
    cause = cause.mask(burnt & cut_short, "receive_burnt")
    cause = cause.mask(life.isin(_crashed(facts, ours)), "crash")
    cause = cause.mask(differences["task_id"].isin(_duplicated(facts, ours)), "duplicate_delivery")
    told = (differences["observed"] == differences["terminal"]) & (
        differences["table_attempts"] == differences["predicted_attempts"]
    )
    gaps = sure(told) & _only_missing(ours, life)
    cause = cause.mask(gaps, "evidence_missing")
    ended = facts.nothing_left
    unfinished = differences["observed"].isna() & differences["task_id"].isin(facts.items.index)
    return cause.mask(unfinished & _only_missing(ours, life) & (not ended), "early_end")


def _only_missing(steps: pd.DataFrame, life: pd.MultiIndex) -> "pd.Series[bool]":
    """Whether a generation differs by attempts that are not there, an open one included, and by nothing else."""
    harmless = steps["what"].isna() | steps["missing"] | sure(steps["outcome"] == OPEN)
    others = steps[~harmless]
    bad = pd.MultiIndex.from_frame(others[_LIFE])
    return pd.Series(~life.isin(bad))


def _crashed(facts: Facts, steps: pd.DataFrame) -> pd.MultiIndex:
    """Generations with a death that no fault asked for, in an invocation that Lambda reports as not ok."""
    planned = [str(fault) for fault in Fault if fault.is_death]
    died = steps["outcome"].isin([DIED, DIED_AFTER_EFFECT]) & ~steps["fault"].isin(planned)
    invocations = facts.run.table("invocations")
    broken = names(invocations.loc[sure(invocations["status"] != "ok"), "request_id"])
    return pd.MultiIndex.from_frame(steps.loc[died & steps["request_id"].isin(broken), _LIFE])


def _duplicated(facts: Facts, steps: pd.DataFrame) -> set[str]:
    """Tasks with two messages in the queue: planned so, or seen in the events of the processor."""
    ours = names(steps["task_id"])
    return (ours & facts.two_messages) | {task for task in ours if facts.plan.is_duplicated(task)}


def _burnt(facts: Facts, tasks: set[str]) -> set[str]:
    """Tasks that the queue delivered more often than an attempt came of it.

    Deliveries are the highest receive count of the processor's events, or one less than the dead letter's, which counts
    its delivery to the monitor (LocalStack goes on counting there; where the count starts anew it is no more than 1).
    """
    events = facts.events[facts.events["task_id"].isin(tasks) & facts.events["receive_count"].notna()]
    is_letter = events["event"] == "task.dead_lettered"
    events = events[is_letter | events["function"].isin(facts.processor_functions)]
    deliveries = (
        (events["receive_count"] - is_letter.loc[events.index].astype("int64")).groupby(events["task_id"]).max()
    )
    attempts = facts.attempts.groupby("task_id")["attempt"].size().reindex(deliveries.index).fillna(0)
    return names(deliveries.index[sure(deliveries > attempts)])
