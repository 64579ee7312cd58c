"""Which items have expired, without a table."""

import pytest

from dlqlab.emulator.core.spill_file import spill_file
from dlqlab.emulator.dynamodb import expiry
from dlqlab.emulator.dynamodb.stored import make, stored_item

NOW_S = 1_800_000_000.5
YEAR_S = 365 * 24 * 3600


@pytest.mark.parametrize(
    ("kind", "held", "is_over"),
    [
        ("N", "1800000000", True),
        ("N", "1800000000.6", False),
        ("N", "1800000001", False),
        ("N", str(1_800_000_000 - 5 * YEAR_S + 1), True),
        ("N", str(1_800_000_000 - 5 * YEAR_S - 1), False),
        ("N", "1E+38", False),
        ("S", "1800000000", False),
    ],
)
def test_item_expires_by_a_number_of_the_last_five_years(kind: str, held: str, is_over: bool) -> None:
    """Texts are no time, and what is older was never meant to expire."""
    assert is_over == expiry.is_over(kind, held, NOW_S)


@pytest.mark.parametrize("is_spilled", [False, True])
def test_items_without_the_attribute_stay(is_spilled: bool) -> None:
    """Only those are looked into that have it, wherever their attributes lie."""
    key = make("S", "k"), None
    items = [
        stored_item(key, {"id": key[0], **given}, 10)
        for given in ({}, {"until": make("N", "1799999999")}, {"until": make("M", {"N": make("N", "1")})})
    ]
    if is_spilled:
        for item in items:
            item.spill(spill_file())

    assert [items[1]] == expiry.expired(items, "until", NOW_S)


def test_looking_takes_a_hundredth_of_a_processor() -> None:
    """A table that takes long is looked at less often; one that takes no time once a second."""
    assert (1.0, 50.0) == (expiry.pause_s(0.0), expiry.pause_s(0.5))
