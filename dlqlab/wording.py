"""Numbers as people read them: no exponents, no digits that nobody knows."""

import math
from typing import Final

DECIMALS_MAX: Final = 6
EXACT: Final = 1e-9
"""What arithmetic may be off by where a number is meant exactly."""
P_MIN: Final = 0.0001
"""A smaller probability is a matter of the approximation, not of the evidence."""


def number(value: float, digits: int = 3) -> str:
    """So many significant digits, at most six decimals, thousands apart: ``0``, ``0.00123``, ``1.5``, ``12,346``.

    What is smaller than the last decimal is said to be so; infinities are ``never`` to be reached and so ``unbounded``.
    """
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "unbounded" if value > 0 else "-unbounded"
    if value == 0:
        return "0"
    if abs(value) < 10**-DECIMALS_MAX / 2:
        return f"under {10**-DECIMALS_MAX:.{DECIMALS_MAX}f}"
    decimals = min(DECIMALS_MAX, max(0, digits - 1 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def probability(p: float) -> str:
    """``p = 0.031``, ``p under 0.0001``."""
    return f"p under {number(P_MIN)}" if p < P_MIN else f"p = {number(p, 2)}"


def count(n: int, noun: str, plural: str | None = None) -> str:
    """``1 task``, ``1,800 tasks``; ``2 retries`` with the plural where it is not the noun with an s."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {plural or noun + 's'}"


def percent(ratio: float) -> str:
    """A ratio of 0 to 1 as a percentage with one decimal, or none where that is exact: ``29.6 %``, ``30 %``."""
    text = f"{ratio * 100:.1f}"
    is_whole = abs(ratio * 100 - round(ratio * 100)) < EXACT
    return f"{text.removesuffix('.0') if is_whole else text} %"


def amount(value: float, unit: str) -> str:
    """A number with its unit, ratios as per cent: ``12.5 %``, ``1,200 tasks``, ``0.4``."""
    return f"{number(100 * value)} %" if unit == "ratio" else f"{number(value)} {unit}".strip()
