"""The order of records: newest first unless the query sorts them."""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dlqlab.insights.lines import Getter, Record
from dlqlab.insights.values import sort_key, text

type Step = Callable[[Iterable[Record]], Iterable[Record]]


@dataclass(frozen=True, slots=True)
class Order:
    """Sort keys, the most important first; each is a field and whether it descends."""

    keys: tuple[tuple[Getter, bool], ...] = ()
    newest_first: bool = True
    """Where there are no keys. Rows that ``stats`` made stay as they are."""

    def by(self, keys: Iterable[tuple[Getter, bool]]) -> "Order":
        """The order after one more ``sort``: what it leaves open is as it was before."""
        return Order((*keys, *self.keys), self.newest_first)

    def rank(self) -> Callable[[Record], tuple[Any, ...]]:
        """The function by whose result records are ordered.

        Lines of the same rank stay in the order in which they were written, or the reverse where the first key
        descends.
        """
        if not self.keys:
            return _newest_first if self.newest_first else lambda _record: ()
        keys = [(get, _descending if descending else sort_key) for get, descending in self.keys]
        sign = -1 if self.keys[0][1] else 1
        if not self.newest_first:
            sign = 1
        return lambda record: (*(rank(get(record)) for get, rank in keys), sign * record.number)


def top(order: Order, count: int) -> Step:
    """The first records in this order; no more than those are kept at any time."""
    rank = order.rank()
    return lambda records: heapq.nsmallest(count, records, key=rank)


def deduplicated(order: Order, fields: Sequence[Getter], count: int) -> Step:
    """The first record in this order for each combination of the fields' values, and those that lack one of them."""
    rank = order.rank()

    def step(records: Iterable[Record]) -> Iterable[Record]:
        best: dict[tuple[str, ...], tuple[tuple[Any, ...], Record]] = {}
        return heapq.nsmallest(count, _first_of_each(records, best), key=rank)

    def _first_of_each(
        records: Iterable[Record], best: dict[tuple[str, ...], tuple[tuple[Any, ...], Record]]
    ) -> Iterable[Record]:
        for record in records:
            values = tuple(said for get in fields if (said := text(get(record))) is not None)
            if len(values) < len(fields):
                yield record
                continue
            here = rank(record)
            known = best.get(values)
            if known is None or here < known[0]:
                best[values] = here, record
        yield from (record for _rank, record in best.values())

    return step


def _newest_first(record: Record) -> tuple[int, int]:
    assert record.line is not None
    return -record.line.timestamp_ms, -record.number


class _Reversed:
    """Compares the other way round."""

    __slots__ = ("key",)

    def __init__(self, key: tuple[Any, ...]) -> None:
        self.key = key

    def __lt__(self, other: "_Reversed") -> bool:
        return other.key < self.key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and other.key == self.key

    __hash__ = None  # type: ignore[assignment]  # keys are compared, never looked up


def _descending(value: Any) -> tuple[Any, ...]:
    kind, *key = sort_key(value)
    if kind == 2:  # noqa: PLR2004  (a number, see sort_key)
        return (-kind, -key[0])
    return (-kind, _Reversed(tuple(key)))
