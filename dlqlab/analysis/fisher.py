"""Fisher's exact test of groups of trials: how likely outcomes this uneven are where all groups share one rate.

By scipy's special functions: scipy.stats, which has this test, takes as long to import as a run of a few hundred tasks
takes to be judged.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

_EQUAL = 1e-7
"""Relative: probabilities that differ by less are equally likely tables, told apart by rounding alone."""

Counts = NDArray[np.int64]


def exact_p_value(failures: Counts, trials: Counts) -> float:
    """Of two groups: all tables with the same margins that are at most as likely as this one, summed."""
    first, second = int(trials[0]), int(trials[1])
    failed = int(failures.sum())
    tables = np.arange(max(0, failed - second), min(first, failed) + 1)
    likely = _log_likelihood(np.stack([tables, failed - tables], axis=1), trials)
    likely -= special.logsumexp(likely)
    return min(1.0, float(np.exp(likely[likely <= likely[failures[0] - tables[0]] + _EQUAL]).sum()))


def sampled_p_value(failures: Counts, trials: Counts, rng: np.random.Generator, resamples: int) -> float:
    """Of any number of groups: the share of drawn tables with the same margins that are at most as likely as this one.

    The table itself counts as one of them, so that none is ever called impossible.
    """
    drawn = rng.multivariate_hypergeometric(trials, int(failures.sum()), size=resamples, method="marginals")
    at_most = _log_likelihood(drawn, trials) <= _log_likelihood(failures, trials) + _EQUAL
    return (int(at_most.sum()) + 1) / (resamples + 1)


def _log_likelihood(failures: Counts, trials: Counts) -> NDArray[np.float64]:
    """Of each row of failures by group, up to a constant that the margins make."""
    ways = special.gammaln(failures + 1) + special.gammaln(trials - failures + 1)
    likely: NDArray[np.float64] = -ways.sum(axis=-1)
    return likely
