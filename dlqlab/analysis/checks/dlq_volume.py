"""How much reached the dead-letter queue, against what the fault mode predicts."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.dead_letters import dead_letter_times, predicted_dead_letters
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import sure
from dlqlab.analysis.rates import SEED_LUCK_P_MIN
from dlqlab.analysis.statistics import binomial_band, exact_p_value, wilson
from dlqlab.analysis.wording import level, rate
from dlqlab.contracts.verdict import Status
from dlqlab.wording import count, percent


@check("dlq_volume", "Dead letters in the predicted volume", place=80)
def dlq_volume_check(facts: Facts) -> Judgement:
    """The share of tasks in the dead-letter queue against the band that the mode predicts.

    Outside the band is invalid, unless it is exactly the number that the seed predicts and not too improbable even for
    a seed's luck; see rates.
    """
    first = facts.items[facts.items["generation"].fillna(1) == 1]
    drawn = first[~facts.scripted(first["task_id"]).to_numpy()]
    dead, done = int(sure(drawn["status"] == "FAILED").sum()), int(sure(drawn["status"] == "COMPLETED").sum())
    n, share = dead + done, facts.expectation.dlq_share
    predicted = predicted_dead_letters(facts)
    if n == 0:
        return _judgement(facts, Status.UNKNOWN, "no task reached its end, so there is no share to judge", {})
    confidence = facts.scenario.judge.confidence
    low, high = binomial_band(n, share, confidence)
    interval = wilson(dead, n, confidence)
    p_value = exact_p_value(dead, n, share)
    text = f"DLQ {rate(interval, 'task')}, predicted {percent(share)}"
    status = Status.VALID
    if len(drawn) > n:
        status, text = Status.UNKNOWN, f"{text}; {count(len(drawn) - n, 'task')} without an end yet"
    elif not low <= dead <= high and dead == predicted and p_value >= SEED_LUCK_P_MIN:
        text = f"{text}: outside the band of {low:,} to {high:,} by the luck of seed {facts.scenario.seed}"
    elif not low <= dead <= high:
        status = Status.INVALID
        text = f"{text}: {dead:,} is outside the band of {low:,} to {high:,} ({level(confidence)})"
    numbers = {
        "measured": interval.estimate,
        "interval": (interval.low, interval.high),
        "n": n,
        "details": {"count": dead, "band": [low, high], "seed_predicts": predicted, "p_value": p_value, **_ages(facts)},
    }
    return _judgement(facts, status, text, numbers)


def _ages(facts: Facts) -> dict[str, Any]:
    times = dead_letter_times(facts)
    return {
        f"{name}_{label}": None if times[name].dropna().empty else float(np.quantile(times[name].dropna(), q))
        for name in ("age_s", "move_s")
        for label, q in (("p50", 0.5), ("p95", 0.95))
    }


def _judgement(facts: Facts, status: Status, statement: str, numbers: Mapping[str, Any]) -> Judgement:
    return Judgement(
        status=status,
        statement=statement,
        expected=facts.expectation.dlq_share,
        unit="ratio",
        confidence=facts.scenario.judge.confidence,
        **numbers,
    )
