"""When the circuit breaker around the dependency opens, and when it tries again; what acts on it is the app's."""

from dataclasses import dataclass

from taskrules.bounds import check, setting
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

    failure_ratio: float = setting(
        0.5, "share of failed calls in the window from which on it opens", 0, 1, over=True, give="a ratio over 0 to 1"
    )
    window_s: int = setting(10, "time over which calls are counted", 1, give="1 or more seconds")
    min_calls: int = setting(10, "fewer calls than this never open it", 1, give="1 or more")
    cool_down_s: int = setting(
        10,
        "how long it stays open before one trial",
        1,
        SQS_DELAY_MAX_S // 2,
        give=f"1 to {SQS_DELAY_MAX_S // 2} seconds",
    )

    def __post_init__(self) -> None:
        check(self)
