"""moto's tables, as the fast path sees them.

A table keeps its items in ``Table.items``: by hash key, then by range key where there is one. An item has its keys and
``attrs``, a dict of attribute values. Scans, queries, batches and transactions read the same objects.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.limits import HASH_KEY_MAX_LENGTH, RANGE_KEY_MAX_LENGTH
from moto.dynamodb.models import dynamodb_backends

from dlqlab.emulator.dynamodb.stored import StoredItem, stored_item
from dlqlab.emulator.dynamodb.unsupported import UnsupportedError
from dlqlab.emulator.dynamodb.values import Attributes, Value, item_size_max, size_max

ITEM_SIZE_MAX = 380_000
"""Bytes, by an upper bound, above which the exact size decides, which the full path knows; the limit is 400 KiB."""


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A table on which the fast path works: keys of texts, no stream."""

    items: Any
    hash_name: str
    range_name: str | None
    index_keys: Mapping[str, tuple[str, int]]
    """Key attributes of the indexes: type and size in bytes at most."""

    def key_of(self, attributes: Attributes, *, exact: bool) -> tuple[Value, Value | None]:
        """The key of an item, or of a request (``exact``), which has no other attributes.

        Raises:
            UnsupportedError: a key attribute is missing or invalid.
        """
        if exact and len(attributes) != (1 if self.range_name is None else 2):
            raise UnsupportedError("the key does not match the schema")
        first = _key_value(attributes.get(self.hash_name), HASH_KEY_MAX_LENGTH)
        if self.range_name is None:
            return first, None
        return first, _key_value(attributes.get(self.range_name), RANGE_KEY_MAX_LENGTH)

    def key_in(self, item: Attributes) -> Attributes:
        """The key attributes of an item, which has them."""
        names = (self.hash_name,) if self.range_name is None else (self.hash_name, self.range_name)
        return {name: item[name] for name in names}

    def find(self, key: tuple[Value, Value | None]) -> Any | None:
        """The item as moto keeps it, or None."""
        found = self.items.get(key[0])
        return found if found is None or key[1] is None else found.get(key[1])

    def write(self, key: tuple[Value, Value | None], attributes: Attributes, size: int, *, old: Any | None) -> None:
        """Put the attributes, of this size in bytes at most, into the place of the item that is there, if one is."""
        if isinstance(old, StoredItem):
            old.write(attributes, size)
        elif key[1] is None:
            self.items[key[0]] = stored_item(key, attributes, size)
        else:
            self.items[key[0]][key[1]] = stored_item(key, attributes, size)

    def delete(self, key: tuple[Value, Value | None]) -> None:
        """Remove the item, which is there."""
        if key[1] is None:
            del self.items[key[0]]
        else:
            del self.items[key[0]][key[1]]

    def check(self, attributes: Attributes) -> int:
        """An upper bound of the item's size in bytes; refuses attributes that do not make an item.

        Raises:
            UnsupportedError: an index key has the wrong type, is empty or too long, or the item may be too large.
        """
        for name, (kind, size) in self.index_keys.items():
            value = attributes.get(name)
            if value is not None and (value.type != kind or not value.value or size_max(value) > size):
                raise UnsupportedError(f"index key {name}")
        size = item_size_max(attributes)
        if size > ITEM_SIZE_MAX:
            raise UnsupportedError("item near the size limit")
        return size


def attributes_of(item: Any) -> Attributes:
    """The attributes of an item, not to be changed."""
    attributes: Attributes = item.read() if isinstance(item, StoredItem) else item.attrs
    return attributes


def has(item: Any, name: str) -> bool:
    """Whether the item has an attribute of that name; does not look at the attributes."""
    return name in (item.names() if isinstance(item, StoredItem) else item.attrs)


def size_of(item: Any) -> int:
    """An upper bound of the size of the item in bytes: kept since it was written here, else summed up.

    What moto has changed in it since is not counted.
    """
    return item.size_max if isinstance(item, StoredItem) else item_size_max(item.attrs)


def plain_table(account_id: str, region: str, name: str) -> PlainTable:
    """The table.

    Raises:
        UnsupportedError: unknown, or not plain.
    """
    accounts = dynamodb_backends
    if account_id not in accounts or region not in accounts[account_id]:
        raise UnsupportedError("no such account or region")
    table = accounts[account_id][region].tables.get(name)
    if table is None:
        raise UnsupportedError("no such table")
    types = {definition["AttributeName"]: definition["AttributeType"] for definition in table.attr}
    if table.stream_shard is not None or table.hash_key_type != "S" or table.range_key_type not in {None, "S"}:
        raise UnsupportedError("stream, or a key that is not text")
    index_keys: dict[str, tuple[str, int]] = {}
    for index in (*table.global_indexes, *table.indexes):
        for part in index.schema:
            attribute, is_hash = part["AttributeName"], part["KeyType"] == "HASH"
            kind = types.get(attribute)
            # moto compares hash keys as texts, so a number would have to stay as it came.
            if kind not in ({"S"} if is_hash else {"S", "N"}):
                raise UnsupportedError("index key of another type")
            size = HASH_KEY_MAX_LENGTH if is_hash else RANGE_KEY_MAX_LENGTH
            index_keys[attribute] = kind, min(size, index_keys.get(attribute, (kind, size))[1])
    return PlainTable(table.items, table.hash_key_attr, table.range_key_attr, index_keys)


@dataclass(frozen=True, slots=True)
class Index:
    """A global index on a text, with a range key; it holds the keys only, or whole items."""

    hash_name: str
    range_name: str
    range_type: str
    keys_only: bool


def find_index(account_id: str, region: str, table_name: str, name: str) -> Index:
    """The index of a table that is plain.

    Raises:
        UnsupportedError: there is none of that name, or it is of another kind.
    """
    table = dynamodb_backends[account_id][region].tables[table_name]
    found = next((index for index in table.global_indexes if index.name == name), None)
    if found is None:
        raise UnsupportedError("no such global index")
    keys = {part["KeyType"]: part["AttributeName"] for part in found.schema}
    projection = (found.projection or {}).get("ProjectionType")
    if keys.keys() != {"HASH", "RANGE"} or projection not in {"KEYS_ONLY", "ALL"}:
        raise UnsupportedError("index without a range key, or with some attributes")
    types = {definition["AttributeName"]: definition["AttributeType"] for definition in table.attr}
    return Index(keys["HASH"], keys["RANGE"], types[keys["RANGE"]], projection == "KEYS_ONLY")


def _key_value(value: Value | None, size_bytes: int) -> Value:
    if value is None or value.type != "S" or not value.value or size_max(value) > size_bytes:
        raise UnsupportedError("key value")
    return value
