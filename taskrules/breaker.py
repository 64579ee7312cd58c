"""When the circuit breaker around the dependency opens, and when it tries again; what acts on it is the app's."""

from dataclasses import dataclass

from taskrules.retry import SQS_DELAY_MAX_S

CACHE_S = 1.0
"""For so long an execution environment believes what it last saw of the breaker."""
TRIAL_LEASE_S = 10.0
"""Who tries the dependency and has not answered for so long has died: another may try."""
WAIT_MIN_S = 2
"""Longer than the clock's grace, so that a message that was put off never meets its own lease or backoff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When the breaker opens and when it tries again."""

    failure_ratio: float = 0.5
    window_s: int = 10
    min_calls: int = 10
    cool_down_s: int = 10

    def __post_init__(self) -> None:
        if not 0 < self.failure_ratio <= 1:
            raise ValueError(f"failure_ratio is {self.failure_ratio}: give a ratio over 0 to 1")
        if self.window_s < 1 or self.min_calls < 1:
            raise ValueError(f"window_s is {self.window_s}, min_calls is {self.min_calls}: give 1 or more of each")
        if not 1 <= self.cool_down_s <= SQS_DELAY_MAX_S // 2:
            raise ValueError(f"cool_down_s is {self.cool_down_s}: give 1 to {SQS_DELAY_MAX_S // 2} seconds")
