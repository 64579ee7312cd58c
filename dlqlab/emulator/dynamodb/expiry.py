"""Which items have expired; no services.

Source: "Using time to live (TTL) in DynamoDB" (developer guide): the attribute is a number, seconds since 1970; an item
that expired more than five years ago stays.
"""

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Any

from dlqlab.emulator.dynamodb.stored import StoredItem
from dlqlab.emulator.dynamodb.tables import has

EXPIRED_MAX_S = 5 * 365 * 24 * 3600
SLICE = 50
"""Items that are looked at while nobody else reads or writes: well below a millisecond."""
PAUSE_MIN_S = 1.0
_SHARE = 0.01
"""Of a processor, which all looking may take."""


def is_over(kind: str, held: Any, now_s: float) -> bool:
    """Whether an item has expired whose TTL attribute is of this type and holds this."""
    return kind == "N" and now_s - EXPIRED_MAX_S <= float(held) <= now_s


def expired(items: Iterable[Any], attribute: str, now_s: float) -> list[Any]:
    """Those that have expired, as moto keeps them."""
    return [one for one in items if has(one, attribute) and is_over(*_peek(one, attribute), now_s)]


def _peek(item: Any, attribute: str) -> tuple[str, Any]:
    found = item.peek(attribute) if isinstance(item, StoredItem) else None
    if found is None:
        value = item.attrs[attribute]
        return value.type, value.value
    return found


def slices(items: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """A few items at a time."""
    return batched(items, SLICE, strict=False)


def pause_s(took_s: float) -> float:
    """How long to wait after looking at all items took so long."""
    return max(PAUSE_MIN_S, took_s / _SHARE)
