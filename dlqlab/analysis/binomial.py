"""The binomial distribution: how many of n trials, each with the same rate, succeed.

By scipy's special functions: scipy.stats, which has all of this, takes as long to import as a run of a few hundred
tasks takes to be judged.
"""

import math
from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

_EQUAL = 1e-7
"""Relative: probabilities that differ by less are equally likely counts, told apart by rounding alone."""


def pmf(counts: ArrayLike, n: int, rate: float) -> NDArray[np.float64]:
    """The probability of each of these counts, 0 to n."""
    k = np.asarray(counts, dtype=np.float64)
    ways = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    found: NDArray[np.float64] = np.exp(ways + special.xlogy(k, rate) + special.xlog1py(n - k, -rate))
    return found


def quantile(probability: float, n: int, rate: float) -> int:
    """The least count that is not exceeded with at least this probability."""
    return bisect_left(range(n), probability, key=lambda count: _at_most(count, n, rate))


def two_sided_p_value(count: int, n: int, rate: float) -> float:
    """How likely a count is that is at most as likely as this one, on either side (the exact test).

    Raises:
        ValueError: the count is not within 0 to n, n is 0, or the rate is not within 0 to 1.
    """
    if not (0 <= count <= n and n > 0 and 0 <= rate <= 1):
        raise ValueError(
            f"{count} of {n} at a rate of {rate}: give n of 1 or more, a count of 0 to n, a rate of 0 to 1"
        )
    expected = n * rate
    if count == expected:
        return 1.0
    limit = float(pmf(count, n, rate)) * (1 + _EQUAL)
    if count < expected:  # beyond the expected count a larger one is less likely, before it a smaller one
        side = range(math.ceil(expected), n + 1)
        least = side.start + bisect_left(side, -limit, key=lambda other: -float(pmf(other, n, rate)))
        return min(1.0, _at_most(count, n, rate) + _above(least - 1, n, rate))
    side = range(math.floor(expected) + 1)
    likely = bisect_right(side, limit, key=lambda other: float(pmf(other, n, rate)))
    return min(1.0, _at_most(likely - 1, n, rate) + _above(count - 1, n, rate))


def _at_most(count: int, n: int, rate: float) -> float:
    return float(special.bdtr(count, n, rate)) if count >= 0 else 0.0


def _above(count: int, n: int, rate: float) -> float:
    return float(special.bdtrc(count, n, rate)) if count < n else 0.0
