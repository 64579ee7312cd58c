"""Which items have expired, without a table."""

import pytest

from dlqlab.emulator.dynamodb import expiry
from dlqlab.emulator.dynamodb.stored import make, stored_item
from dlqlab.emulator.dynamodb.values import Value

NOW_S = 1_800_000_000.5
YEAR_S = 365 * 24 * 3600


@pytest.mark.parametrize(
    ("value", "is_over"),
    [
        (make("N", "1800000000"), True),
        (make("N", "1800000000.6"), False),
        (make("N", "1800000001"), False),
        (make("N", str(1_800_000_000 - 5 * YEAR_S + 1)), True),
        (make("N", str(1_800_000_000 - 5 * YEAR_S - 1)), False),
        (make("N", "1E+38"), False),
        (make("S", "1800000000"), False),
        (None, False),
    ],
)
def test_item_expires_by_a_number_of_the_last_five_years(value: Value | None, is_over: bool) -> None:
    """Texts are no time, and what is older was never meant to expire."""
    assert is_over == expiry.is_over(value, NOW_S)


def test_items_without_the_attribute_stay() -> None:
    """Only those are looked into that have it."""
    key = make("S", "k"), None
    over = stored_item(key, {"id": key[0], "until": make("N", "1799999999")}, 10)
    without = stored_item(key, {"id": key[0]}, 10)

    assert [over] == expiry.expired([without, over], "until", NOW_S)


def test_looking_takes_a_hundredth_of_a_processor() -> None:
    """A table that takes long is looked at less often; one that takes no time once a second."""
    assert (1.0, 50.0) == (expiry.pause_s(0.0), expiry.pause_s(0.5))
