"""Items that the fast path writes: moto's, with their attributes in the spill file unless they were written lately.

As objects the attributes of one of the app's tasks take some 5 KB, and each collection of garbage looks at all of them.
The items that are being worked on stay objects, and so do those that moto has looked at: it changes them in place.

All of it is done under the provider's lock.
"""

import marshal
from collections import OrderedDict
from collections.abc import Collection
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

from dlqlab.emulator.core.spill_file import SpillFile, spill_file
from dlqlab.emulator.dynamodb.values import Attributes, Value

LIVE_MAX = 2_000
"""Items written last whose attributes stay objects: some 10 MB. More than are worked on at a time."""


def make(kind: str, held: Any) -> Value:
    """A value as moto keeps it; without its constructor, which converts what is converted already."""
    value: Value = object.__new__(DynamoType)
    value.type = kind
    value.value = held
    return value


class StoredItem(Item):  # type: ignore[misc]
    """An item with its attributes, or with the place where they lie."""

    hash_key: Value
    range_key: Value | None
    size_max: int
    """Bytes at most, as of the last write here."""
    _live: LimitedSizeDict | None
    _shelved: tuple[int, int, tuple[str, ...]]
    """Place and size in the spill file, and the attributes' names."""

    @property
    def attrs(self) -> LimitedSizeDict:
        """The attributes for moto, which may change them: from now on they are kept here."""
        if self._live is None:
            self._live = _dict(self.read())
        return self._live

    def read(self) -> Attributes:
        """The attributes, not to be changed."""
        if self._live is not None:
            attributes: Attributes = self._live
            return attributes
        place, size, _ = self._shelved
        return {name: _object(plain) for name, plain in marshal.loads(spill_file().get(place, size)).items()}  # noqa: S302  (written by this process, into a file without a name)

    def peek(self, name: str) -> tuple[str, Any] | None:
        """Type and value of an attribute that is no document, without making objects of the others; None for none."""
        if self._live is not None:
            value = self._live.get(name)
            return None if value is None else (value.type, value.value)
        place, size, _ = self._shelved
        found: tuple[str, Any] | None = marshal.loads(spill_file().get(place, size)).get(name)  # noqa: S302  (as above)
        return found

    def names(self) -> Collection[str]:
        """The attributes' names, which cost nothing."""
        return self._shelved[2] if self._live is None else self._live

    def write(self, attributes: Attributes, size_max: int) -> None:
        """Give the item these attributes, of this size in bytes at most."""
        self.size_max = size_max
        self._live = _dict(attributes)
        _live.written(self)

    def spill(self, where: SpillFile) -> None:
        """Put the attributes in the spill file, if they are not there."""
        if self._live is not None:
            piece = marshal.dumps({name: _plain(value) for name, value in self._live.items()})
            names = tuple(self._live)
            self._shelved = where.put(piece), len(piece), _NAMES.setdefault(names, names)
            self._live = None


class _Live:
    """The items that were written last."""

    def __init__(self) -> None:
        self._items: OrderedDict[int, StoredItem] = OrderedDict()

    def written(self, item: StoredItem) -> None:
        self._items[id(item)] = item
        self._items.move_to_end(id(item))
        while len(self._items) > LIVE_MAX:
            self._items.popitem(last=False)[1].spill(spill_file())


_live = _Live()
_NAMES: dict[tuple[str, ...], tuple[str, ...]] = {}
"""The sets of attributes that items have, each once."""


def stored_item(key: tuple[Value, Value | None], attributes: Attributes, size_max: int) -> StoredItem:
    """A new item; without moto's constructor, which converts what is converted already."""
    item: StoredItem = object.__new__(StoredItem)
    item.hash_key, item.range_key = key
    item.write(attributes, size_max)
    return item


def _dict(attributes: Attributes) -> LimitedSizeDict:
    found = LimitedSizeDict()
    dict.update(found, attributes)  # its own setter sums up all sizes for each attribute
    return found


def _plain(value: Value) -> tuple[str, Any]:
    """The value as a pair of its type and what it holds."""
    kind, held = value.type, value.value
    if kind == "M":
        return kind, {name: _plain(child) for name, child in held.items()}
    return kind, [_plain(child) for child in held] if kind == "L" else held


def _object(plain: tuple[str, Any]) -> Value:
    kind, held = plain
    if kind == "M":
        return make(kind, {name: _object(child) for name, child in held.items()})
    return make(kind, [_object(child) for child in held] if kind == "L" else held)
