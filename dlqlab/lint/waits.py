"""How long retries can take, and how many messages wait in them: arithmetic that several rules share."""

import math
from typing import Final

from taskrules.breaker import BreakerPolicy
from taskrules.faults import DRAWN, FaultMode, FaultPlan
from taskrules.retry import Jitter, RetryPolicy

_MEAN_SHARE: Final = {Jitter.NONE: 1.0, Jitter.EQUAL: 0.75, Jitter.FULL: 0.5}


def longest_backoffs_s(retry: RetryPolicy) -> list[int]:
    """The longest delay after each attempt that is followed by a retry."""
    return [retry.bounds_s(attempt)[1] for attempt in range(1, retry.max_attempts)]


def dies(faults: FaultPlan) -> bool:
    """Whether functions die over tasks: then nobody sets a backoff, and the visibility timeout has to end."""
    return faults.share(*(fault for fault in DRAWN if fault.is_death)) > 0


def longest_life_s(retry: RetryPolicy, *, timeout_s: int, visibility_timeout_s: int, may_die: bool) -> int:
    """The longest time from the first receive of a task to the receive that ends its last attempt.

    Each attempt takes the function's timeout at most, then its backoff; where the function dies, the visibility
    timeout instead, if that is longer.
    """
    died = visibility_timeout_s if may_die else 0
    waits = [max(died, timeout_s + backoff_s) for backoff_s in longest_backoffs_s(retry)]
    return sum(waits) + max(died, timeout_s)


def opens_by_chance(policy: BreakerPolicy, failure_rate: float) -> float:
    """The chance that the first ``min_calls`` calls of a window reach the ratio while nothing but chance fails them.

    A window is looked at after each later call, too, so the chance that it opens within the window is a little higher.
    """
    n, needed = policy.min_calls, math.ceil(policy.failure_ratio * policy.min_calls - 1e-9)
    return sum(math.comb(n, k) * failure_rate**k * (1 - failure_rate) ** (n - k) for k in range(needed, n + 1))


def hidden_messages(rate_per_s: float, faults: FaultPlan, retry: RetryPolicy) -> float:
    """Messages that wait in backoffs, by Little's law: arrivals a second times the mean time that a task waits.

    In an outage every attempt fails, so tasks wait through all their backoffs, or until the outage ends.
    """
    means_s = [_MEAN_SHARE[retry.jitter] * retry.ceiling_s(attempt) for attempt in range(1, retry.max_attempts)]
    sticky = faults.mode is FaultMode.PER_TASK
    rate = 0.0 if faults.mode is FaultMode.NONE else faults.failure_rate
    shares = [rate if sticky else rate**attempt for attempt in range(1, retry.max_attempts)]
    usual_s = sum(share * mean_s for share, mean_s in zip(shares, means_s, strict=True))
    return rate_per_s * max(usual_s, min(sum(means_s), faults.outage_duration_s))
