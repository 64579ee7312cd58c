"""Durations as text."""

import math

import pytest

from dlqlab.durations import duration


@pytest.mark.parametrize(
    ("value_s", "said"),
    [
        (0.0, "0 s"),
        (0.0004, "0.4 ms"),
        (0.0042, "4.2 ms"),
        (0.0123, "12 ms"),
        (-0.0123, "-12 ms"),
        (0.0999, "100 ms"),
        (0.2051, "0.21 s"),
        (6.3, "6.30 s"),
        (75.24, "75.2 s"),
        (1200.4, "1,200 s"),
        (math.nan, "-"),
        (math.inf, "-"),
    ],
)
def test_two_or_three_digits_that_matter(value_s: float, said: str) -> None:
    """Small durations are said in milliseconds: none but zero reads as zero."""
    assert said == duration(value_s)
