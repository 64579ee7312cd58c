"""Means over seeds carry their t interval, and say where they have none."""

import math

import pytest
from scipy import stats

from dlqlab.tune.intervals import Mean, mean_of
from dlqlab.tune.whatif import shown


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


@pytest.mark.parametrize("value", [0.1 + 0.2, 1 / 3, 7.3e-7])
def test_equal_results_have_no_width_of_rounding(value: float) -> None:
    """What differs by the rounding of a sum only is the same, and is said without an exponent."""
    mean = mean_of([value] * 7)

    assert 0.0 == mean.half_width
    assert "± 0 USD" == shown(mean, "USD")[1]


@pytest.mark.parametrize(
    ("mean", "unit", "expected"),
    [
        (Mean(mean=0.0000123, half_width=0.0000021, n=5), "USD", ("0.000012 USD", "± 0.000002 USD")),
        (Mean(mean=1.5, half_width=0.25, n=5), "USD", ("1.50 USD", "± 0.25 USD")),
        (Mean(mean=1e-9, half_width=1e-9, n=5), "ratio", ("under 0.000001 %", "± under 0.000001 pp")),
        (Mean(mean=123_456.0, half_width=1_234.0, n=5), "", ("123,456", "± 1,234")),
    ],
)
def test_means_are_said_without_exponents(mean: Mean, unit: str, expected: tuple[str, str]) -> None:
    """Small and large alike."""
    assert expected == shown(mean, unit)
