"""DynamoDB's numbers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.dynamodb.numeric import add, canonical, subtract
from dlqlab.emulator.dynamodb.unsupported import UnsupportedError

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=6)


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("1", "1"),
        ("007", "7"),
        ("00", "0"),
        ("+3", "3"),
        ("1.0", "1"),
        ("100.000", "100"),
        ("0.10", "0.1"),
        ("001.230", "1.23"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("5.", "5"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0e5", "0"),
        ("1e3", "1000"),
        ("-3E+2", "-300"),
        ("123e-2", "1.23"),
        ("1e125", "1" + "0" * 125),
        ("1e-20", "0.00000000000000000001"),
        ("1750000000.123450", "1750000000.12345"),
        ("9" * 38, "9" * 38),
    ],
)
def test_a_number_has_one_text(given_text: str, expected: str) -> None:
    """Numbers come back in plain decimal, without zeros that mean nothing, as DynamoDB returns them."""
    assert expected == canonical(given_text)


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "abc", "1_000", "NaN", "Infinity", "٣", "1e", "1,5", "9" * 39, "1e126", "1e-131", "1e9999999"],
)
def test_what_is_no_number_of_dynamodb_is_refused(text: str) -> None:
    """No number, too many digits, or out of range."""
    with pytest.raises(UnsupportedError):
        canonical(text)


def test_arithmetic_is_exact() -> None:
    """A sum of binary fractions would be 0.30000000000000004, one in a double loses the last digit of the other."""
    assert add("0.1", "0.2") == "0.3"
    assert add("90071992547409930000000000000000000000", "1") == "90071992547409930000000000000000000001"
    assert subtract("0.3", "0.1") == "0.2"
    assert subtract("1", "1.0") == "0"


def test_arithmetic_beyond_38_digits_is_refused() -> None:
    """Nothing is rounded."""
    with pytest.raises(UnsupportedError):
        add("1e37", "0.1")
    with pytest.raises(UnsupportedError):
        subtract("9" * 38, "-5" + "0" * 36 + "3")


@given(NUMBERS, NUMBERS)
def test_sum_and_difference_are_those_of_decimals(one: Decimal, other: Decimal) -> None:
    """Any two numbers of up to 21 digits."""
    assert Decimal(add(str(one), str(other))) == one + other
    assert Decimal(subtract(str(one), str(other))) == one - other


@given(NUMBERS)
def test_canonical_text_is_its_own_canonical_text(number: Decimal) -> None:
    """And it is the same number."""
    text = canonical(str(number))

    assert text == canonical(text)
    assert number == Decimal(text)
