"""The binomial distribution against scipy.stats, which counts in other ways."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dlqlab.analysis import binomial

TRIALS = st.one_of(st.integers(1, 60), st.integers(1, 20_000))
RATES = st.one_of(st.floats(1e-9, 1 - 1e-9), st.sampled_from([0.0, 0.02, 0.25, 0.3, 0.5, 1.0]))
"""Nothing closer to 0 and 1: scipy's own functions overflow there."""


@given(n=TRIALS, rate=RATES, share=st.floats(0, 1))
def test_exact_test_is_scipys(n: int, rate: float, share: float) -> None:
    """To a millionth, whichever side the count is on, at rates of 0 and 1 too."""
    count = round(n * share)

    assert float(stats.binomtest(count, n, rate).pvalue) == pytest.approx(
        binomial.two_sided_p_value(count, n, rate), rel=1e-6, abs=1e-12
    )


@given(n=TRIALS, rate=RATES, near=st.integers(-40, 40))
def test_exact_test_is_scipys_near_the_expected_count(n: int, rate: float, near: int) -> None:
    """Where it decides, and where counts of both sides are equally likely."""
    count = min(n, max(0, round(n * rate) + near))

    assert float(stats.binomtest(count, n, rate).pvalue) == pytest.approx(
        binomial.two_sided_p_value(count, n, rate), rel=1e-6, abs=1e-12
    )


@given(n=TRIALS, rate=RATES, probability=st.one_of(st.floats(0.00001, 0.99999), st.sampled_from([0.025, 0.975])))
def test_quantile_is_the_least_count_that_holds_its_share(n: int, rate: float, probability: float) -> None:
    """By its definition, up to rounding."""
    found = binomial.quantile(probability, n, rate)

    assert 0 <= found <= n
    assert stats.binom.cdf(found, n, rate) >= probability - 1e-12
    assert stats.binom.cdf(found - 1, n, rate) < probability + 1e-12


@pytest.mark.parametrize(("n", "rate"), [(1, 0.5), (7, 0.0), (7, 1.0), (1_800, 0.027), (1_000_000, 0.3)])
def test_probabilities_are_scipys(n: int, rate: float) -> None:
    """Every count, of a million the ones around the expected one."""
    middle = round(n * rate)
    counts = np.arange(max(0, middle - 2_000), min(n, middle + 2_000) + 1)

    assert stats.binom.pmf(counts, n, rate) == pytest.approx(binomial.pmf(counts, n, rate), rel=1e-6, abs=1e-15)


@pytest.mark.parametrize(("count", "n", "rate"), [(0, 0, 0.5), (-1, 5, 0.5), (6, 5, 0.5), (1, 5, 1.5)])
def test_impossible_numbers_are_refused(count: int, n: int, rate: float) -> None:
    """Without trials there is nothing to test."""
    with pytest.raises(ValueError, match="give n of 1 or more"):
        binomial.two_sided_p_value(count, n, rate)
