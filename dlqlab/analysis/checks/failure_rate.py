"""The failure rate against its target, counted as the fault mode demands."""

import math

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.rates import SEED_LUCK_P_MIN, Sample, failure_rate_by_attempt, sample
from dlqlab.analysis.statistics import Interval, exact_p_value, homogeneity, trials_for, wilson
from dlqlab.analysis.wording import rate
from dlqlab.contracts.verdict import Status
from dlqlab.wording import count, percent, probability


@check("failure_rate", "Failures at the declared rate", place=60)
def failure_rate_check(facts: Facts) -> Judgement:
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
        return _judgement(
            facts, found, target, None, Status.UNKNOWN, f"no {found.trial} was observed: nothing to count"
        )
    judge = facts.scenario.judge
    interval = wilson(found.failures, found.n, judge.confidence)
    p_value = exact_p_value(found.failures, found.n, target)
    text = f"failure rate {rate(interval, found.trial)} against {percent(target)}"
    lucky = found.as_predicted and math.isclose(target, own_rate) and p_value >= SEED_LUCK_P_MIN
    if not interval.contains(target) and p_value < 1 - judge.confidence:
        if not lucky:
            return _judgement(facts, found, target, interval, Status.INVALID, f"{text}: {probability(p_value)}")
        text = f"{text}: outside by the luck of seed {facts.scenario.seed}, which predicts exactly these failures"
    if interval.half_width > judge.max_half_width:
        return _judgement(facts, found, target, interval, Status.UNKNOWN, f"{text}: {_more(facts, found, interval)}")
    return _judgement(facts, found, target, interval, Status.VALID, text)


def _more(facts: Facts, found: Sample, interval: Interval) -> str:
    judge = facts.scenario.judge
    needed = trials_for(half_width=judge.max_half_width, confidence=judge.confidence, rate=interval.estimate)
    trials_per_task = 1.0 if found.trial == "task" else facts.expectation.attempts_per_task
    tasks = max(1, -int(-(needed - found.n) // trials_per_task))
    return f"not enough data, {count(tasks, 'more task')} needed for ± {percent(judge.max_half_width)}"


def _judgement(
    facts: Facts, found: Sample, target: float, interval: Interval | None, status: Status, statement: str
) -> Judgement:
    left_out = f"; {count(found.excluded_tasks, 'scripted task')} left out" if found.excluded_tasks else ""
    by_attempt = failure_rate_by_attempt(facts)
    same = homogeneity(by_attempt["failures"].tolist(), by_attempt["n"].tolist())
    return Judgement(
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
