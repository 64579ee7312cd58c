"""A function, queue or topic that is made or deleted fails no call or invocation that is under way.

LocalStack's services loop over their tables of such things while other calls add to them, and Python ends a loop over a
dictionary that changes with an error. So a deployment could fail the invocation of another function, whose concurrency
was just being counted, and with it a delivery of a mapping. Here a loop has the table as it was at its beginning.
"""

import functools
from collections.abc import Iterator
from typing import Any

from localstack.services.stores import BaseStore, CrossAccountAttribute, CrossRegionAttribute, LocalAttribute

_KINDS = (LocalAttribute, CrossRegionAttribute, CrossAccountAttribute)


class SteadyDict(dict[Any, Any]):
    """A dictionary whose values and items can be looped over while other threads change it."""

    # Each is copied in one step, which no other thread comes between. Iteration over names is left alone: a dictionary
    # that changes it is no longer copied in one step by dict().

    def values(self) -> list[Any]:  # type: ignore[override]
        return list(super().values())

    def items(self) -> list[tuple[Any, Any]]:  # type: ignore[override]
        return list(super().items())


def _steady(attribute: Any) -> None:
    if attribute.default is dict:
        attribute.default = SteadyDict


def _stores(kind: type = BaseStore) -> Iterator[type]:
    """The classes of stores that are loaded."""
    stores: list[type] = kind.__subclasses__()
    for each in stores:
        yield each
        yield from _stores(each)


def patch() -> None:

    for store in _stores():
        for attribute in vars(store).values():
            if isinstance(attribute, _KINDS):
                _steady(attribute)
    for kind in _KINDS:
        _make_steady_from_now(kind)


def _make_steady_from_now(kind: Any) -> None:
    """In stores whose services are loaded later."""
    original = kind.__set_name__

    @functools.wraps(original)
    def set_name(self: Any, owner: type, name: str) -> None:
        _steady(self)
        original(self, owner, name)

    kind.__set_name__ = set_name
