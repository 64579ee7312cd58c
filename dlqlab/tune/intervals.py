"""How well a mean over seeds is known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

CONFIDENCE = 0.95
ROUNDING = 1e-12
"""Relative to the mean: doubles have 16 digits, and a sum over a thousand seeds loses three of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """The mean of ``n`` independent results; ``half_width`` of its t interval is None where one result says nothing."""

    mean: float
    half_width: float | None
    n: int

    def to_json(self) -> dict[str, Any]:
        """JSON knows no infinity: a mean that is not a finite number is null."""
        interval = None if self.half_width is None else [self.mean - self.half_width, self.mean + self.half_width]
        return {"mean": self.mean if math.isfinite(self.mean) else None, "interval": interval, "n": self.n}


def mean_of(values: Sequence[float], confidence: float = CONFIDENCE) -> Mean:
    """Mean with Student's t interval: mean ± t(n - 1) s / √n; a result that is not a number makes the mean none.

    Raises:
        ValueError: there are no values.
    """
    n = len(values)
    if n == 0:
        raise ValueError("values are empty: give at least one")
    found = np.asarray(values, dtype=np.float64)
    mean = float(found.mean())
    if n == 1 or not math.isfinite(mean):
        return Mean(mean=mean, half_width=None, n=n)
    t = float(special.stdtrit(n - 1, (1 + confidence) / 2))
    half_width = t * float(found.std(ddof=1)) / math.sqrt(n)
    # Equal results differ by the rounding of their sum only.
    return Mean(mean=mean, half_width=0.0 if half_width <= ROUNDING * abs(mean) else half_width, n=n)
