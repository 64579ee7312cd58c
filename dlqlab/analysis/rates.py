"""The failure rate against its target, counted as the fault mode demands."""

from dataclasses import dataclass

import pandas as pd

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import sure
from dlqlab.analysis.oracle import COMPLETED, DEAD_LETTERED
from dlqlab.analysis.statistics import wilson
from taskrules.faults import FaultMode

SEED_LUCK_P_MIN = 0.001
"""A sample this improbable or worse is not put down to the luck of the seed, even where the oracle predicted it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Failures among trials, and what the oracle predicts for this seed; a trial is an ``attempt`` or a ``task``."""

    failures: int
    n: int
    predicted_failures: int
    predicted_n: int
    trial: str
    excluded_tasks: int

    @property
    def as_predicted(self) -> bool:
        return (self.failures, self.n) == (self.predicted_failures, self.predicted_n)


def sample(facts: Facts) -> Sample:
    """The trials of the run. Tasks whose message or suffix scripts their fate are left out: no draw decides them."""
    by_task = facts.plan.mode is FaultMode.PER_TASK
    observed = _tasks(facts) if by_task else _attempts(facts)
    predicted = _predicted(facts, by_task=by_task)
    taken = pd.Series(facts.taken, dtype="string")
    return Sample(
        failures=int(observed["failed"].sum()),
        n=len(observed),
        predicted_failures=int(predicted.sum()),
        predicted_n=len(predicted),
        trial="task" if by_task else "attempt",
        excluded_tasks=int(facts.scripted(taken).sum()),
    )


def failure_rate_by_attempt(facts: Facts) -> pd.DataFrame:
    """Per attempt number: attempt, failures, n, rate, low, high (Wilson at the scenario's level); no scripted tasks."""
    grouped = _attempts(facts).groupby("attempt")["failed"].agg(failures="sum", n="size").reset_index()
    counts = zip(grouped["failures"].astype(int), grouped["n"].astype(int), strict=True)
    intervals = [wilson(failures, n, facts.scenario.judge.confidence) for failures, n in counts]
    return grouped.assign(
        attempt=grouped["attempt"].astype("int64"),
        failures=grouped["failures"].astype("int64"),
        rate=[interval.estimate for interval in intervals],
        low=[interval.low for interval in intervals],
        high=[interval.high for interval in intervals],
    )


def _attempts(facts: Facts) -> pd.DataFrame:
    """Attempts that came to an end, of drawn tasks.

    That a task stops after its success does not bias the rate: each attempt is a draw of its own.
    """
    attempts = facts.attempts
    ended = attempts["failed"].notna() & ~facts.scripted(attempts["task_id"])
    return attempts[ended].assign(failed=sure(attempts.loc[ended, "failed"]))


def _tasks(facts: Facts) -> pd.DataFrame:
    """Terminal tasks that are drawn; a sticky fault decides all attempts of a task at once."""
    items = facts.items[facts.items["status"].isin(["COMPLETED", "FAILED"])]
    drawn = items[~facts.scripted(items["task_id"]).to_numpy()]
    return pd.DataFrame({"failed": sure(drawn["status"] == "FAILED")})


def _predicted(facts: Facts, *, by_task: bool) -> "pd.Series[bool]":
    """Whether each predicted trial fails: a task by its end, an attempt unless it is the last of a success."""
    predictions = facts.predictions[~facts.scripted(facts.predictions["task_id"])]
    if by_task:
        latest = predictions["generation"] == predictions["task_id"].map(facts.generations).fillna(1)
        ends = predictions[predictions["last"] & sure(latest)]
        return sure(ends["terminal"] == DEAD_LETTERED)
    return ~(predictions["last"] & sure(predictions["terminal"] == COMPLETED))
