"""Numbers as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.wording import DECIMALS_MAX, amount, count, number, percent, probability


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (0.0, 3, "0"),
        (7.7e-17, 2, "under 0.000001"),
        (0.0000123, 3, "0.000012"),
        (0.00123456, 3, "0.00123"),
        (0.25, 2, "0.25"),
        (1.5, 3, "1.5"),
        (99.96, 3, "100"),
        (1234.5, 3, "1,234"),
        (1_000_000.0, 3, "1,000,000"),
        (-0.5, 3, "-0.5"),
        (math.nan, 3, "unknown"),
        (math.inf, 3, "unbounded"),
    ],
)
def test_number_is_said_without_an_exponent(value: float, digits: int, expected: str) -> None:
    """So many digits as are known, and none that are not."""
    assert expected == number(value, digits)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 6))
def test_number_is_as_near_as_it_says(value: float, digits: int) -> None:
    """Whatever the value: no exponent, and read back within half of the last digit that is shown."""
    text = number(value, digits)

    assert "e" not in text.replace("under", "")
    if not text.startswith("under"):
        shown = float(text.replace(",", ""))
        scale = 10.0**-DECIMALS_MAX if value == 0 else 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
        assert abs(shown - value) <= max(scale, 10.0**-DECIMALS_MAX) * 0.5000001


@pytest.mark.parametrize(("p", "expected"), [(1e-17, "p under 0.0001"), (0.0312, "p = 0.031"), (1.0, "p = 1")])
def test_probability_is_not_said_to_seventeen_decimals(p: float, expected: str) -> None:
    """What lies below the approximation is said to be below it."""
    assert expected == probability(p)


def test_counts_have_their_noun() -> None:
    """One is alone; a plural that is not the noun with an s is given."""
    assert ["0 tasks", "1 task", "1,800 tasks", "2 retries"] == [
        count(0, "task"), count(1, "task"), count(1800, "task"), count(2, "retry", "retries"),
    ]  # fmt: skip


def test_percentages_have_a_decimal_where_they_need_it() -> None:
    """A setting is said as it is, a measured share with one decimal."""
    assert ["30 %", "29.6 %", "0 %", "100 %", "0.0 %"] == [percent(ratio) for ratio in (0.3, 0.2957, 0, 1, 0.0001)]


def test_amounts_are_in_their_unit() -> None:
    """Ratios become per cent; what has no unit has no space after it."""
    assert ["12.5 %", "1,200 ms", "0.4"] == [amount(0.125, "ratio"), amount(1200, "ms"), amount(0.4, "")]
