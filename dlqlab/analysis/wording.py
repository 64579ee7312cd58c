"""How statements say numbers, so that all of them say them alike."""

from collections.abc import Sequence

from dlqlab.analysis.statistics import Interval

EXAMPLES_MAX = 3


def count(n: int, noun: str, plural: str | None = None) -> str:
    """``1 task``, ``1,800 tasks``, ``2 retries``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {plural or noun + 's'}"


def percent(ratio: float) -> str:
    """A ratio of 0 to 1 as a percentage with one decimal, or none where that is exact: ``29.6 %``, ``30 %``."""
    return f"{_decimal(ratio)} %"


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


def _decimal(ratio: float) -> str:
    text = f"{ratio * 100:.1f}"
    return text.removesuffix(".0") if abs(ratio * 100 - round(ratio * 100)) < 1e-9 else text  # noqa: PLR2004
