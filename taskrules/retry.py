"""Retry policy: how long a failed task waits before its next attempt."""

import math
from dataclasses import dataclass
from enum import StrEnum

from taskrules.bounds import check, setting
from taskrules.draws import uniform

SQS_DELAY_MAX_S = 900
"""DelaySeconds of SQS reaches 900 s; a visibility timeout could reach 43,200 s (SQS API reference). The smaller is
the cap, so that a policy works with either."""
SQS_RECEIVE_COUNT_MAX = 1000
"""maxReceiveCount of a redrive policy reaches 1,000 (SQS API reference)."""


class Jitter(StrEnum):
    """How a delay is spread, after "Exponential Backoff and Jitter" of the AWS architecture blog."""

    NONE = "none"
    EQUAL = "equal"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff in whole seconds.

    The ceiling of attempt n = 1, 2, ... is ``min(cap_s, base_s * factor ** (n - 1))``; jitter ``none`` waits the
    ceiling, ``equal`` half of it plus a uniform draw over the other half, ``full`` a uniform draw over all of it. The
    result is rounded half up, because SQS takes whole seconds only.
    """

    max_retries: int = setting(
        2, "attempts after the first; the queue's `maxReceiveCount` is one more", 0, SQS_RECEIVE_COUNT_MAX - 1
    )
    base_s: float = setting(2.0, "backoff after the first attempt", 0, give="seconds of 0 or more")
    factor: float = setting(2.0, "what the backoff grows by with each attempt", 1, give="1 (constant) or more")
    cap_s: int = setting(SQS_DELAY_MAX_S, "longest backoff", 0, SQS_DELAY_MAX_S, give=f"0 to {SQS_DELAY_MAX_S} seconds")
    jitter: Jitter = setting(Jitter.NONE, "how the backoff is spread: not at all, over its upper half, over all of it")
    seed: int = 0

    def __post_init__(self) -> None:
        check(self)

    @property
    def max_attempts(self) -> int:
        """Deliveries of a task at most: the first try and the retries. The queue's maxReceiveCount."""
        return self.max_retries + 1

    def is_last(self, attempt: int) -> bool:
        """Whether no retry follows this attempt (1 is the first)."""
        return attempt >= self.max_attempts

    def ceiling_s(self, attempt: int) -> float:
        """The delay after attempt n before jitter and rounding."""
        if self.base_s == 0:
            return 0.0
        growth = (attempt - 1) * math.log(self.factor)
        # Compared as logarithms first: factor ** n overflows a float long before max_retries is reached.
        if growth >= math.log(max(self.cap_s, 1)) - math.log(self.base_s) and growth > 0:
            return float(self.cap_s)
        return min(float(self.cap_s), self.base_s * self.factor ** (attempt - 1))

    def bounds_s(self, attempt: int) -> tuple[int, int]:
        """The least and the greatest delay that can follow this attempt."""
        low = {Jitter.NONE: 1.0, Jitter.EQUAL: 0.5, Jitter.FULL: 0.0}[self.jitter]
        ceiling = self.ceiling_s(attempt)
        return _half_up(low * ceiling), _half_up(ceiling)

    def delay_s(self, task_id: str, attempt: int, generation: int = 1) -> int:
        """Whole seconds that the task waits after this failed attempt; 0 after the last one.

        After the last attempt the message shall move to the dead-letter queue, which SQS does on the next receive:
        any wait there would only make the dead letter late.
        """
        if self.is_last(attempt):
            return 0
        ceiling = self.ceiling_s(attempt)
        draw = uniform(self.seed, "jitter", task_id, generation, attempt)
        share = {Jitter.NONE: 1.0, Jitter.EQUAL: 0.5 + draw / 2, Jitter.FULL: draw}[self.jitter]
        return _half_up(share * ceiling)

    def schedule_s(self, task_id: str, generation: int = 1) -> tuple[int, ...]:
        """The delays of a task that never succeeds, one for each retry."""
        return tuple(self.delay_s(task_id, attempt, generation) for attempt in range(1, self.max_attempts))


def _half_up(value: float) -> int:
    """Round half up; the built-in rounds half to even, which would make 2.5 s and 3.5 s neighbours of unequal width."""
    return math.floor(value + 0.5)
