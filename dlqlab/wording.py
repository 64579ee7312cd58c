"""Numbers as people read them: no exponents, no digits that nobody knows."""

import math
from typing import Final

DECIMALS_MAX: Final = 6
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
