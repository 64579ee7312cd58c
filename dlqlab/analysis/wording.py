"""How statements say numbers, so that all of them say them alike."""

from collections.abc import Sequence

from dlqlab.analysis.statistics import Interval
from dlqlab.wording import count

EXAMPLES_MAX = 3


def rate(interval: Interval, noun: str) -> str:
    """``29.6 % [28.1, 31.1] (95 %, n = 2,498 attempts)``."""
    ends = f"[{interval.low * 100:.1f}, {interval.high * 100:.1f}]"
    return f"{interval.estimate * 100:.1f} % {ends} ({level(interval.confidence)}, n = {count(interval.n, noun)})"


def level(confidence: float) -> str:
    """``95 %``, ``99.9 %``."""
    return f"{confidence * 100:g} %"


def examples(members: Sequence[str]) -> str:
    """The first few of many: ``a, b, c and 7 more``."""
    shown = ", ".join(members[:EXAMPLES_MAX])
    return shown if len(members) <= EXAMPLES_MAX else f"{shown} and {len(members) - EXAMPLES_MAX:,} more"
