"""Means over seeds carry their t interval, and say where they have none."""

import math

import pytest
from scipy import stats

from dlqlab.tune.intervals import mean_of


def test_interval_is_students() -> None:
    """As scipy's interval of the same mean."""
    values = [3.0, 4.0, 5.5, 2.5]
    found = mean_of(values)
    low, high = stats.t.interval(0.95, 3, loc=3.75, scale=stats.sem(values))

    assert (3.75, 4) == (found.mean, found.n)
    assert [low, high] == pytest.approx(found.to_json()["interval"])


def test_one_result_has_no_interval() -> None:
    """One seed says nothing about how far another would be."""
    assert {"mean": 7.0, "interval": None, "n": 1} == mean_of([7.0]).to_json()


def test_equal_results_have_an_interval_of_no_width() -> None:
    """What is the same in every seed is known exactly."""
    assert 0.0 == mean_of([2.0, 2.0, 2.0]).half_width


def test_result_that_is_no_number_has_no_interval() -> None:
    """A load that did not drain in one seed has no mean drain time."""
    found = mean_of([1.0, math.inf])

    assert (math.inf, None) == (found.mean, found.half_width)


def test_mean_of_nothing_is_an_error() -> None:
    """There is no mean without values."""
    with pytest.raises(ValueError, match="values are empty"):
        mean_of([])
