"""Intervals and tests. Every result carries its level and its n; rates are ratios of 0 to 1."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from dlqlab.analysis import binomial, fisher

_CHI_SQUARE_LEAST_EXPECTED = 5.0
"""Cochran's rule: below five expected counts in a cell the chi-square approximation is not to be trusted."""
_RESAMPLES = 9_999
_TRIALS_MAX = 10**12

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with the interval that covers the true value with the given confidence."""

    estimate: float
    low: float
    high: float
    confidence: float
    n: int

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    def contains(self, value: float) -> bool:
        return self.low <= value <= self.high


def wilson(successes: int, n: int, confidence: float) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927): sound near 0 and 1 and for small n.

    Raises:
        ValueError: n is 0, or successes are not within 0 to n.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"{successes} of {n}: give n of 1 or more and successes of 0 to n")
    z = _z(confidence)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = _wilson_half_width(p, n, z)
    # At 0 and n the bound is the edge itself; the subtraction would leave rounding dust on the wrong side of it.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(estimate=p, low=low, high=high, confidence=confidence, n=n)


def exact_p_value(successes: int, n: int, rate: float) -> float:
    """Two-sided exact binomial test: how likely a count at least as unlikely as this one is if the rate is true."""
    return binomial.two_sided_p_value(successes, n, rate)


def binomial_band(n: int, rate: float, confidence: float) -> tuple[int, int]:
    """The central counts that n trials at this rate give with at least the given confidence, ends included."""
    tail = (1 - confidence) / 2
    return binomial.quantile(tail, n, rate), binomial.quantile(1 - tail, n, rate)


def trials_for(*, half_width: float, confidence: float, rate: float) -> int:
    """The least n at which both Wilson's and the normal interval of this rate are no wider than +- half_width.

    The normal one is the textbook's z² p (1 - p) / w²: 8,068 trials for 30 % +- 1 point at 95 %. Wilson's is what the
    judgement uses, and it alone asks for data when the rate is near 0 or 1.
    """
    z = _z(confidence)
    n = max(1, math.ceil(z * z * rate * (1 - rate) / half_width**2))
    low, high = n - 1, n
    while _wilson_half_width(rate, high, z) > half_width:
        low, high = high, high * 2
        if high > _TRIALS_MAX:
            raise ValueError(f"half_width {half_width} is out of reach: it needs over {_TRIALS_MAX} trials")
    while high - low > 1 and low >= n:
        middle = (low + high) // 2
        low, high = (middle, high) if _wilson_half_width(rate, middle, z) > half_width else (low, middle)
    return high


def half_width(rate: float, n: int, confidence: float) -> float:
    """Half the width of Wilson's interval where n trials show exactly this rate."""
    return _wilson_half_width(rate, n, _z(confidence))


def plan_tasks(*, precision: float, confidence: float, rate: float, trials_per_task: float = 1.0) -> int:
    """Tasks that a run needs until the rate is known to +- precision; a task may bring several trials (attempts)."""
    return math.ceil(trials_for(half_width=precision, confidence=confidence, rate=rate) / trials_per_task)


def quantile_interval(values: Values, q: float, confidence: float) -> Interval | None:
    """A quantile with its distribution-free interval by order statistics; None without values.

    The interval lies between the order statistics whose ranks are the binomial(n, q) quantiles (David and Nagaraja,
    Order Statistics, 7.1). Where n is too small for that level an end is infinite: the data do not bound it.
    """
    n = len(values)
    if n == 0:
        return None
    ordered = np.sort(values)
    tail = (1 - confidence) / 2
    lower, upper = binomial.quantile(tail, n, q), binomial.quantile(1 - tail, n, q) + 1
    return Interval(
        estimate=float(np.quantile(ordered, q)),
        low=float(ordered[lower - 1]) if lower >= 1 else -math.inf,
        high=float(ordered[upper - 1]) if upper <= n else math.inf,
        confidence=confidence,
        n=n,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Homogeneity:
    """Whether groups share one rate: a small p-value says that they do not."""

    p_value: float
    method: str
    n: int


def homogeneity(failures: Sequence[int], trials: Sequence[int]) -> Homogeneity | None:
    """Test of one common rate over groups, as attempts of number 1, 2, 3; None where nothing can be told apart.

    Chi-square where every expected count is at least 5, else Fisher's exact test (sampled for more than two groups,
    with a fixed seed).
    """
    pairs = [(failed, n - failed) for failed, n in zip(failures, trials, strict=True) if n > 0]
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    if len(pairs) <= 1 or (table.sum(axis=0) == 0).any():
        return None
    n = int(table.sum())
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / n
    if expected.min() >= _CHI_SQUARE_LEAST_EXPECTED:
        return Homogeneity(p_value=_chi_square_p_value(table, expected), method="chi-square", n=n)
    failed, grouped = table[:, 0], table.sum(axis=1)
    if len(pairs) == 2:  # noqa: PLR2004  (Fisher's own case: two by two)
        return Homogeneity(p_value=fisher.exact_p_value(failed, grouped), method="Fisher exact", n=n)
    p_value = fisher.sampled_p_value(failed, grouped, np.random.default_rng(0), _RESAMPLES)
    return Homogeneity(p_value=p_value, method="Fisher sampled", n=n)


def _chi_square_p_value(table: NDArray[np.int64], expected: Values) -> float:
    """Pearson's test of independence; two by two with Yates's correction for continuity."""
    apart = np.abs(table - expected)
    if len(table) == 2:  # noqa: PLR2004  (one degree of freedom)
        apart = np.maximum(0.0, apart - 0.5)
    return float(special.chdtrc(len(table) - 1, (apart**2 / expected).sum()))


def newcombe(first: Interval, second: Interval) -> Interval:
    """Second - first, two independent proportions, by Newcombe's hybrid score method (Newcombe 1998, method 10)."""
    difference = second.estimate - first.estimate
    down = math.hypot(second.estimate - second.low, first.high - first.estimate)
    up = math.hypot(second.high - second.estimate, first.estimate - first.low)
    return Interval(
        estimate=difference,
        low=difference - down,
        high=difference + up,
        confidence=first.confidence,
        n=first.n + second.n,
    )


def bootstrap_quantile_difference(
    first: Values, second: Values, q: float, *, confidence: float, seed: int, resamples: int = 2_000
) -> Interval | None:
    """Quantile of second minus that of first, percentile bootstrap; None when either has no values.

    A resample need not be drawn: the k-th smallest of n uniform draws is Beta(k, n - k + 1), so the quantile of a
    resample is the ordered value at that place. This costs the same for a hundred and for a million values.
    """
    if len(first) == 0 or len(second) == 0:
        return None
    rng = np.random.default_rng(seed)
    draws = _resampled_quantile(second, q, rng, resamples) - _resampled_quantile(first, q, rng, resamples)
    tail = (1 - confidence) / 2
    return Interval(
        estimate=float(np.quantile(second, q) - np.quantile(first, q)),
        low=float(np.quantile(draws, tail)),
        high=float(np.quantile(draws, 1 - tail)),
        confidence=confidence,
        n=len(first) + len(second),
    )


def _resampled_quantile(values: Values, q: float, rng: np.random.Generator, resamples: int) -> Values:
    n = len(values)
    k = min(n, math.floor(q * (n - 1)) + 1)
    places = np.minimum((rng.beta(k, n - k + 1, size=resamples) * n).astype(np.int64), n - 1)
    chosen: Values = np.sort(values)[places]
    return chosen


def _z(confidence: float) -> float:
    return float(special.ndtri((1 + confidence) / 2))


def _wilson_half_width(p: float, n: int, z: float) -> float:
    return z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
