"""Intervals and tests against published values, definitions and coverage."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dlqlab.analysis.statistics import (
    Interval,
    binomial_band,
    bootstrap_quantile_difference,
    exact_p_value,
    homogeneity,
    newcombe,
    plan_tasks,
    quantile_interval,
    trials_for,
    wilson,
)


def test_wilson_matches_newcombes_table() -> None:
    """Newcombe 1998, table I, method 3: 81 of 263 gives 0.2553 to 0.3662 at 95 %."""
    interval = wilson(81, 263, 0.95)

    assert (0.2553, 0.3662, 263) == (round(interval.low, 4), round(interval.high, 4), interval.n)


def test_wilson_at_the_edges_keeps_the_edge() -> None:
    """No failure at all: the lower end is exactly 0, the upper one z²/(n + z²)."""
    z = float(stats.norm.ppf(0.975))
    none, every = wilson(0, 50, 0.95), wilson(50, 50, 0.95)

    assert none.low == 0.0
    assert none.high == pytest.approx(z * z / (50 + z * z))
    assert every.high == 1.0
    assert every.low == pytest.approx(1 - none.high)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(successes: int, n: int) -> None:
    """Without trials there is no rate."""
    with pytest.raises(ValueError, match="give n of 1 or more"):
        wilson(successes, n, 0.95)


@given(st.integers(1, 5000), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.999]))
def test_wilson_holds_its_estimate(n: int, share: float, confidence: float) -> None:
    """The interval lies within 0 to 1 and holds the estimate."""
    interval = wilson(round(n * share), n, confidence)

    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


def test_wilson_covers_30_percent_as_often_as_it_says() -> None:
    """Over all outcomes of 500 trials at 30 %, weighted by their probability, about 95 % of intervals hold 30 %."""
    outcomes = range(501)
    holds = [wilson(k, 500, 0.95).contains(0.3) for k in outcomes]
    coverage = float(stats.binom.pmf(outcomes, 500, 0.3) @ np.array(holds))

    assert 0.94 <= coverage <= 0.96


@pytest.mark.parametrize(("points", "n"), [(5, 323), (3, 897), (2, 2017), (1, 8068), (0.5, 32269)])
def test_trials_for_30_percent(points: float, n: int) -> None:
    """The textbook's numbers for 30 % at 95 %."""
    assert n == trials_for(half_width=points / 100, confidence=0.95, rate=0.3)


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.5, 1.0])
def test_trials_are_enough_and_not_too_many(rate: float) -> None:
    """With that n the judge's own interval is narrow enough, also near 0 and 1 where the textbook asks for nothing."""
    n = trials_for(half_width=0.01, confidence=0.95, rate=rate)
    z = float(stats.norm.ppf(0.975))
    normal = math.ceil(z * z * rate * (1 - rate) / 0.01**2)

    assert wilson(round(rate * n), n, 0.95).half_width <= 0.0101
    assert n == max(n, normal)
    assert n == normal or wilson(round(rate * (n - 1)), n - 1, 0.95).half_width > 0.0099


def test_plan_counts_attempts_of_a_task() -> None:
    """1.39 attempts a task: 8,068 attempts are had from 5,805 tasks."""
    assert 5805 == plan_tasks(precision=0.01, confidence=0.95, rate=0.3, trials_per_task=1.39)


def test_exact_test_is_the_binomials() -> None:
    """5 of 10 at one half is the likeliest outcome; 10 of 10 has two equally unlikely ends."""
    assert 1.0 == pytest.approx(exact_p_value(5, 10, 0.5))
    assert 2 / 1024 == pytest.approx(exact_p_value(10, 10, 0.5))


@given(st.integers(1, 3000), st.floats(0.001, 0.999))
def test_band_holds_its_share(n: int, rate: float) -> None:
    """Counts in the band have at least the probability that the level says, and no end can be moved in."""
    low, high = binomial_band(n, rate, 0.95)
    inside = stats.binom.cdf(high, n, rate) - stats.binom.cdf(low - 1, n, rate)

    assert inside >= 0.95 - 1e-9
    assert stats.binom.cdf(low - 1, n, rate) <= 0.025 + 1e-9
    assert stats.binom.sf(high, n, rate) <= 0.025 + 1e-9


def test_quantile_interval_by_ranks() -> None:
    """The median of 1..100: ranks 40 and 61 are the binomial's (David and Nagaraja)."""
    interval = quantile_interval(np.arange(1.0, 101.0), 0.5, 0.95)

    assert Interval(estimate=50.5, low=40.0, high=61.0, confidence=0.95, n=100) == interval


def test_quantile_without_enough_data_has_no_end() -> None:
    """Ten values do not bound a 99 % quantile from above; none give nothing."""
    interval = quantile_interval(np.arange(10.0), 0.99, 0.95)

    assert interval is not None
    assert (True, False) == (math.isinf(interval.high), math.isinf(interval.low))
    assert quantile_interval(np.array([]), 0.5, 0.95) is None


def test_homogeneity_tells_equal_from_unequal() -> None:
    """Thirty percent in each group is homogeneous; 30 % and 60 % are not."""
    equal, unequal = homogeneity([300, 90], [1000, 300]), homogeneity([300, 180], [1000, 300])

    assert equal is not None
    assert unequal is not None
    assert (1.0, "chi-square", 1300) == (equal.p_value, equal.method, equal.n)
    assert unequal.p_value < 1e-6


@given(st.lists(st.tuples(st.integers(5, 400), st.integers(5, 400)), min_size=2, max_size=5))
def test_homogeneity_of_large_groups_is_scipys_chi_square(groups: list[tuple[int, int]]) -> None:
    """With the correction for continuity where there are two groups."""
    found = homogeneity([failed for failed, _ in groups], [failed + passed for failed, passed in groups])

    assert found is not None
    if found.method == "chi-square":
        assert float(stats.chi2_contingency(np.array(groups)).pvalue) == pytest.approx(found.p_value, rel=1e-9)
    else:
        assert stats.contingency.expected_freq(np.array(groups)).min() < 5


@pytest.mark.parametrize(
    ("failures", "trials", "method"), [([3, 1], [10, 3], "Fisher exact"), ([3, 1, 1], [10, 3, 1], "Fisher sampled")]
)
def test_homogeneity_of_small_groups_is_exact(failures: list[int], trials: list[int], method: str) -> None:
    """Where counts are small the approximation is not used."""
    found = homogeneity(failures, trials)

    assert found is not None
    assert method == found.method


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 60)), min_size=2, max_size=2))
def test_homogeneity_of_two_small_groups_is_scipys_exact_test(groups: list[tuple[int, int]]) -> None:
    """All tables with these margins are counted."""
    found = homogeneity([failed for failed, _ in groups], [failed + passed for failed, passed in groups])

    if found is not None and found.method == "Fisher exact":
        assert float(stats.fisher_exact(np.array(groups)).pvalue) == pytest.approx(found.p_value, rel=1e-6)


@pytest.mark.parametrize(
    "groups",
    [
        [(18, 42), (5, 13), (4, 1)],
        [(2, 9), (4, 2), (0, 3), (3, 3)],
        [(30_000, 70_000), (9_000, 21_000), (2_700, 6_300), (800, 1_900), (240, 560), (6, 1)],
    ],
    ids=["small", "even smaller", "large but one"],
)
def test_homogeneity_of_many_groups_is_sampled_as_scipy_samples_it(groups: list[tuple[int, int]]) -> None:
    """Two samples of the same share differ by no more than five standard errors of their difference."""
    found = homogeneity([failed for failed, _ in groups], [failed + passed for failed, passed in groups])
    table = np.array(groups)
    same_margins = stats.random_table(table.sum(axis=1), table.sum(axis=0))
    drawn = same_margins.rvs(size=9_999, random_state=1)
    share = float((same_margins.logpmf(drawn) <= same_margins.logpmf(table) + 1e-7).mean())

    assert found is not None
    assert found.method == "Fisher sampled"
    assert abs(found.p_value - share) < 5 * math.sqrt(2 * max(share * (1 - share), 1e-4) / 9_999)


@pytest.mark.parametrize(("failures", "trials"), [([], []), ([3], [10]), ([0, 0], [5, 5]), ([5, 5], [5, 5])])
def test_homogeneity_of_one_kind_says_nothing(failures: list[int], trials: list[int]) -> None:
    """One group, or one outcome only: there is nothing to tell apart."""
    assert homogeneity(failures, trials) is None


def test_newcombe_matches_its_table() -> None:
    """Newcombe 1998, table II (a), method 10: 56/70 - 48/80 gives 0.0524 to 0.3339."""
    difference = newcombe(wilson(48, 80, 0.95), wilson(56, 70, 0.95))

    assert (0.2, 0.0524, 0.3339) == tuple(round(v, 4) for v in (difference.estimate, difference.low, difference.high))


def test_bootstrap_finds_a_shift_and_repeats() -> None:
    """A shift of 2 lies in the interval; the same seed gives the same interval."""
    rng = np.random.default_rng(5)
    first, second = rng.normal(0, 1, 800), rng.normal(2, 1, 600)
    found = bootstrap_quantile_difference(first, second, 0.5, confidence=0.95, seed=1)

    assert found is not None
    assert found.contains(2.0)
    assert not found.contains(0.0)
    assert found == bootstrap_quantile_difference(first, second, 0.5, confidence=0.95, seed=1)


def test_bootstrap_resamples_as_drawing_does() -> None:
    """The short cut through the beta distribution has the spread of quantiles of drawn resamples."""
    rng = np.random.default_rng(3)
    values = rng.exponential(1, 401)
    drawn = [float(np.quantile(rng.choice(values, 401), 0.5)) for _ in range(2000)]
    found = bootstrap_quantile_difference(np.zeros(1), values, 0.5, confidence=0.9, seed=2)

    assert found is not None
    assert [found.low, found.high] == pytest.approx(list(np.quantile(drawn, [0.05, 0.95])), abs=0.03)


@settings(max_examples=20)
@given(st.lists(st.floats(-1e6, 1e6), max_size=3))
def test_bootstrap_without_values_is_none(values: list[float]) -> None:
    """There is no difference from nothing."""
    assert bootstrap_quantile_difference(np.array([]), np.array(values), 0.5, confidence=0.95, seed=0) is None
