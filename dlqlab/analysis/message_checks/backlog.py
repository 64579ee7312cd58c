"""Whether the queues ran empty, and how long messages took from their first send to their end."""

import numpy as np

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, successes
from dlqlab.analysis.wording import examples
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.durations import duration
from dlqlab.wording import count

QUANTILES = (0.5, 0.95, 0.99)
SETS = (NamedSet("too_slow", SetKind.VIOLATION, "Worked off later than is promised."),)


@check("backlog", "The backlog drains", place=110, sets=SETS)
def backlog_check(facts: Facts) -> Judgement:
    """Valid: no message is left where somebody works, and each was done within the promised time."""
    flow = facts.flow
    left = [stay for stay in flow.stays if stay.left is None and stay.queue in flow.consumed_queues]
    took = completion_times_s(flow)
    promised_s = flow.promise.completes_within_s
    slow = tuple(one for one, took_s in took.items() if promised_s is not None and took_s > promised_s)
    if not took:
        return Judgement(status=Status.UNKNOWN, statement="no message was worked off, so nothing is proven", n=0)
    quantiles = {f"p{q * 100:g}": float(np.quantile(list(took.values()), q)) for q in QUANTILES}
    parts = [
        f"{count(len(left), 'message')} left" if left else "all queues with a consumer ran empty",
        f"worked off in {duration(quantiles['p50'])} at the median, {duration(quantiles['p95'])} at p95",
    ]
    if slow and promised_s is not None:
        parts.append(f"{len(slow):,} later than the promised {duration(promised_s)}: {examples(slow)}")
    return Judgement(
        status=Status.INVALID if slow else (Status.UNKNOWN if left else Status.VALID),
        statement="; ".join(parts),
        measured=quantiles["p50"],
        unit="s",
        n=len(took),
        members={"too_slow": slow},
        details={"completion_s": quantiles, "left": len(left)},
    )


def completion_times_s(flow: Flow) -> dict[str, float]:
    """Seconds from a message's send until the end of its first successful attempt, by message id."""
    found = {}
    for stay in flow.work:
        done = successes(stay)
        if done and done[0].ended_ts is not None and stay.sent_ts is not None:
            found[stay.message_id] = done[0].ended_ts - stay.sent_ts
    return found
