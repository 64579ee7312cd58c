"""What a run shows of its pipeline, in lines for people: load, times, failures, retries."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Final

import numpy as np

from dlqlab.analysis.deliveries import name_of
from dlqlab.analysis.retry_waits import policies, waits
from dlqlab.durations import duration
from dlqlab.twin.pipeline.calibrate import Calibrated
from dlqlab.twin.pipeline.model import Consumer, Durations
from dlqlab.wording import count, number, percent

EVEN, RANDOM = 0.5, 1.5
"""Coefficients of variation of the gaps: constant ones have 0, those of a Poisson process 1."""
SAID_MAX: Final = 4


def described(found: Calibrated) -> Iterator[str]:
    """A line each."""
    yield f"run {found.run_id}: {_load(found)}"
    for consumer in found.pipeline.consumers:
        yield f"{consumer.function} on {consumer.queue}: {_work(found, consumer)}"
    for policy in policies(found.flow, waits(found.flow)):
        yield f"retries: {policy}"


def _load(found: Calibrated) -> str:
    at_s = np.array([one.at_s for one in found.pipeline.arrivals])
    gaps = np.diff(at_s)
    variation = float(gaps.std() / gaps.mean()) if len(gaps) > 1 and gaps.mean() > 0 else 0.0
    shape = "evenly" if variation < EVEN else "at random" if variation < RANDOM else "in bursts"
    return (
        f"{count(len(at_s), 'message')} enter, {number(found.pipeline.rate_per_s)} a second, {shape} "
        f"(gaps vary by {number(variation, 2)} of their mean)"
    )


def _work(found: Calibrated, consumer: Consumer) -> str:
    if not consumer.succeeds.n:
        return "was given nothing"
    function = found.pipeline.functions[consumer.function]
    parts = [f"{_took(consumer.succeeds)} warm"]
    parts += [f"failed {_took(consumer.fails)}"] if consumer.fails.n else []
    parts += [f"init {duration(float(np.median(function.init_s)))}"] if any(function.init_s) else []
    rows = [row for row in found.rates if row["function"] == consumer.function]
    rates = [f"{percent(row['rate'])} of {row['n']} at receive {row['receive_count']}" for row in rows[:SAID_MAX]]
    parts += [f"fails {', '.join(rates)}{' and on' if len(rows) > SAID_MAX else ''}"] if rates else []
    return "; ".join([*parts, _batches(found, consumer)])


def _batches(found: Calibrated, consumer: Consumer) -> str:
    """How large they were and how many ran at once."""
    rows = [
        row
        for row in found.flow.invocations
        if row["function"] == consumer.function and name_of(row["source_arn"]) == consumer.queue
    ]
    mean = sum(len(row["message_ids"]) for row in rows) / len(rows)
    steps = [(row["started_ts"], 1) for row in rows] + [(row["ended_ts"], -1) for row in rows if row["ended_ts"]]
    at_once = max(accumulate(step for _, step in sorted(steps)))
    return f"batches of {number(mean)} at the mean, {consumer.batch_size} at most, {at_once} at once at most"


def _took(seen: Durations) -> str:
    """The median, by size where that is known."""
    ratio = float(np.median(seen.spread))
    each = duration(seen.per_message_s * ratio)
    fixed = f"{duration(seen.fixed_s * ratio)} and " if seen.fixed_s else ""
    return f"{fixed}{each} a message at the median of {seen.n:,}"
