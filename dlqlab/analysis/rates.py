"""The failure rate against its target, counted as the fault mode demands."""

import math
from dataclasses import dataclass

import pandas as pd

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import sure
from dlqlab.analysis.oracle import COMPLETED, DEAD_LETTERED
from dlqlab.analysis.statistics import Interval, exact_p_value, homogeneity, trials_for, wilson
from dlqlab.analysis.wording import rate
from dlqlab.contracts.verdict import Check, Status
from dlqlab.wording import count, percent, probability
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


def failure_rate_check(facts: Facts) -> Check:
    """Valid: the interval holds the target and is narrow enough. Invalid: the exact test refuses the target.

    The draws are seeded, so one seed in twenty lands outside its 95 % interval through no fault of the app. Where every
    failure is the one that the oracle predicted for this seed and the target is the plan's own rate, such a sample is
    the seed's luck and is called so, unless it is too improbable even for that.
    """
    found = sample(facts)
    own_rate = facts.expectation.task_failure_rate if found.trial == "task" else facts.expectation.attempt_failure_rate
    given = facts.scenario.judge.target_failure_rate
    target = own_rate if given is None else given
    if found.n == 0:
        return _check(facts, found, target, None, Status.UNKNOWN, f"no {found.trial} was observed: nothing to count")
    judge = facts.scenario.judge
    interval = wilson(found.failures, found.n, judge.confidence)
    p_value = exact_p_value(found.failures, found.n, target)
    text = f"failure rate {rate(interval, found.trial)} against {percent(target)}"
    lucky = found.as_predicted and math.isclose(target, own_rate) and p_value >= SEED_LUCK_P_MIN
    if not interval.contains(target) and p_value < 1 - judge.confidence:
        if not lucky:
            return _check(facts, found, target, interval, Status.INVALID, f"{text}: {probability(p_value)}")
        text = f"{text}: outside by the luck of seed {facts.scenario.seed}, which predicts exactly these failures"
    if interval.half_width > judge.max_half_width:
        return _check(facts, found, target, interval, Status.UNKNOWN, f"{text}: {_more(facts, found, interval)}")
    return _check(facts, found, target, interval, Status.VALID, text)


def _more(facts: Facts, found: Sample, interval: Interval) -> str:
    judge = facts.scenario.judge
    needed = trials_for(half_width=judge.max_half_width, confidence=judge.confidence, rate=interval.estimate)
    trials_per_task = 1.0 if found.trial == "task" else facts.expectation.attempts_per_task
    tasks = max(1, -int(-(needed - found.n) // trials_per_task))
    return f"not enough data, {count(tasks, 'more task')} needed for ± {percent(judge.max_half_width)}"


def _check(
    facts: Facts, found: Sample, target: float, interval: Interval | None, status: Status, statement: str
) -> Check:
    left_out = f"; {count(found.excluded_tasks, 'scripted task')} left out" if found.excluded_tasks else ""
    by_attempt = failure_rate_by_attempt(facts)
    same = homogeneity(by_attempt["failures"].tolist(), by_attempt["n"].tolist())
    return Check(
        name="failure_rate",
        title="Failures at the declared rate",
        status=status,
        statement=statement + left_out,
        measured=interval.estimate if interval else None,
        expected=target,
        unit="ratio",
        interval=(interval.low, interval.high) if interval else None,
        confidence=facts.scenario.judge.confidence,
        n=found.n,
        details={
            "trial": found.trial,
            "failures": found.failures,
            "predicted_failures": found.predicted_failures,
            "predicted_n": found.predicted_n,
            "p_value": exact_p_value(found.failures, found.n, target) if found.n else None,
            "excluded_tasks": found.excluded_tasks,
            "by_attempt": by_attempt.to_dict("records"),
            "independence": {"p_value": same.p_value, "method": same.method, "n": same.n} if same else None,
        },
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
