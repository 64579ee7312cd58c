"""moto's tables as the operations see them: any key, any index, with or without a stream."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.limits import HASH_KEY_MAX_LENGTH, RANGE_KEY_MAX_LENGTH
from moto.dynamodb.models import dynamodb_backends

from dlqlab.emulator.dynamodb.stored import StoredItem, stored_item
from dlqlab.emulator.dynamodb.tables import attributes_of
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from dlqlab.emulator.dynamodb.values import Attributes, Value, item_size, item_size_max, size

ITEM_SIZE_MAX = 409_600
"""Bytes ("Quotas" of the developer guide: 400 KB)."""
NOT_FOUND = "ResourceNotFoundException"
NOT_VALID = "One or more parameter values are not valid. "
"""How refusals of empty keys begin."""
_PARAMETERS = "One or more parameter values were invalid: "
_EMPTY_KEY = "The AttributeValue for a key attribute cannot contain an empty string value."
_EMPTY_BINARY_KEY = "The AttributeValue for a key attribute cannot contain an empty binary value."

Key = tuple[Value, Value | None]


@dataclass(frozen=True, slots=True)
class KeyAttribute:
    """A part of a key: its name and type (S, N or B)."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class KeySchema:
    """The keys of a table or an index."""

    hash: KeyAttribute
    range: KeyAttribute | None

    @property
    def parts(self) -> tuple[KeyAttribute, ...]:
        return (self.hash,) if self.range is None else (self.hash, self.range)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts)


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index."""

    name: str
    keys: KeySchema
    is_global: bool
    projected: frozenset[str] | None
    """The attributes that it holds; None for all."""

    def holds(self, attributes: Attributes) -> bool:
        """Whether an item is in the index: it has the index's keys."""
        return all(name in attributes for name in self.keys.names)

    def of(self, attributes: Attributes) -> Attributes:
        """What the index holds of an item."""
        if self.projected is None:
            return attributes
        return {name: value for name, value in attributes.items() if name in self.projected}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of moto."""

    moto: Any
    name: str
    keys: KeySchema
    indexes: Mapping[str, Index]

    def find(self, key: Key) -> Any | None:
        """The item as moto keeps it, or None."""
        found = self.moto.items.get(key[0])
        return found if found is None or key[1] is None else found.get(key[1])

    def attributes(self, key: Key) -> Attributes | None:
        """The item's attributes, not to be changed; None where there is no item."""
        item = self.find(key)
        return None if item is None else attributes_of(item)

    def all(self) -> Iterator[Any]:
        """Every item as moto keeps it, in no particular order."""
        for held in list(self.moto.items.values()):
            if self.keys.range is None:
                yield held
            else:
                yield from list(held.values())

    def key_of(self, given: Attributes) -> Key:
        """The key that a request names.

        Raises:
            InvalidError: it is not a key of the table.
        """
        mismatch = InvalidError("The provided key element does not match the schema")
        if given.keys() != set(self.keys.names):
            raise mismatch
        if any(given[part.name].type != part.type for part in self.keys.parts):
            raise mismatch
        for part in self.keys.parts:
            _check_key_value(part, given[part.name], is_hash=part is self.keys.hash)
        return given[self.keys.hash.name], None if self.keys.range is None else given[self.keys.range.name]

    def key_in(self, item: Attributes) -> Key:
        """The key of an item that is to be written.

        Raises:
            InvalidError: it lacks a key, or one is not valid.
        """
        for part in self.keys.parts:
            if part.name not in item:
                raise InvalidError(f"{_PARAMETERS}Missing the key {part.name} in the item")
        for part in self.keys.parts:
            value = item[part.name]
            if value.type != part.type:
                raise InvalidError(
                    f"{_PARAMETERS}Type mismatch for key {part.name} expected: {part.type} actual: {value.type}"
                )
            _check_key_value(part, value, is_hash=part is self.keys.hash)
        return item[self.keys.hash.name], None if self.keys.range is None else item[self.keys.range.name]

    def check_item(self, item: Attributes, *, is_update: bool = False) -> int:
        """Refuse an item that the table or an index cannot hold; its size in bytes.

        Raises:
            InvalidError: as described.
        """
        for index in self.indexes.values():
            for part in index.keys.parts:
                value = item.get(part.name)
                if value is not None:
                    _check_index_value(index, part, value)
        found = item_size(item)
        if found > ITEM_SIZE_MAX:
            raise InvalidError(f"Item size {'to update ' if is_update else ''}has exceeded the maximum allowed size")
        return found

    def put(self, key: Key, attributes: Attributes) -> None:
        """Write the item, which has been checked."""
        old = self.find(key)
        if isinstance(old, StoredItem) and self.moto.stream_shard is None:
            old.write(attributes, item_size_max(attributes))
            return
        new = stored_item(key, attributes, item_size_max(attributes))
        if key[1] is None:
            self.moto.items[key[0]] = new
        else:
            self.moto.items[key[0]][key[1]] = new
        if self.moto.stream_shard is not None and (old is None or attributes_of(old) != attributes):
            self.moto.stream_shard.add(old, new)

    def delete(self, key: Key, *, has_expired: bool = False) -> None:
        """Remove the item, if there is one; ``has_expired`` where its TTL does it, for streams that can tell."""
        old = self.find(key)
        if old is None:
            return
        if key[1] is None:
            del self.moto.items[key[0]]
        else:
            held = self.moto.items[key[0]]
            del held[key[1]]
            if not held:
                del self.moto.items[key[0]]
        if self.moto.stream_shard is not None:
            self.moto.stream_shard.add(old, None, **({"has_expired": True} if has_expired else {}))

    def index(self, name: str | None) -> Index | None:
        """The index of that name; None without a name.

        Raises:
            InvalidError: there is none of that name.
        """
        if name is None:
            return None
        if name not in self.indexes:
            raise InvalidError(f"The table does not have the specified index: {name}")
        return self.indexes[name]


Find = Callable[[str], Table]
"""The table of a name or ARN; raises InvalidError where there is none."""


def find_table(account_id: str, region: str, name: str) -> Table:
    """The table of a name or ARN.

    Raises:
        InvalidError: there is no such table.
    """
    short = name.rpartition(":table/")[2] if name.startswith("arn:") else name
    found = dynamodb_backends[account_id][region].tables.get(short)
    if found is None:
        raise InvalidError("Requested resource not found", NOT_FOUND)
    types = {definition["AttributeName"]: definition["AttributeType"] for definition in found.attr}
    keys = _schema(found.schema, types)
    indexes = {}
    for index, is_global in (
        *((each, True) for each in found.global_indexes),
        *((each, False) for each in found.indexes),
    ):
        own = _schema(index.schema, types)
        indexes[index.name] = Index(index.name, own, is_global, _projected(index.projection or {}, keys, own))
    return Table(found, short, keys, indexes)


def _schema(parts: list[dict[str, str]], types: Mapping[str, str]) -> KeySchema:
    named = {part["KeyType"]: KeyAttribute(part["AttributeName"], types[part["AttributeName"]]) for part in parts}
    return KeySchema(named["HASH"], named.get("RANGE"))


def _projected(projection: Mapping[str, Any], keys: KeySchema, own: KeySchema) -> frozenset[str] | None:
    if projection.get("ProjectionType", "ALL") == "ALL":
        return None
    return frozenset({*keys.names, *own.names, *projection.get("NonKeyAttributes", ())})


def _check_key_value(part: KeyAttribute, value: Value, *, is_hash: bool) -> None:
    if part.type in {"S", "B"} and not value.value:
        text = _EMPTY_KEY if part.type == "S" else _EMPTY_BINARY_KEY
        raise InvalidError(f"{NOT_VALID}{text} Key: {part.name}")
    if is_hash and size(value) > HASH_KEY_MAX_LENGTH:
        raise InvalidError(
            f"{_PARAMETERS}Size of hashkey has exceeded the maximum size limit of{HASH_KEY_MAX_LENGTH} bytes"
        )
    if not is_hash and size(value) > RANGE_KEY_MAX_LENGTH:
        raise InvalidError(
            f"{_PARAMETERS}Aggregated size of all range keys has exceeded the size limit of "
            f"{RANGE_KEY_MAX_LENGTH} bytes"
        )


def _check_index_value(index: Index, part: KeyAttribute, value: Value) -> None:
    if value.type != part.type:
        raise InvalidError(
            f"{_PARAMETERS}Type mismatch for Index Key {part.name} Expected: {part.type} Actual: {value.type} "
            f"IndexName: {index.name}"
        )
    if part.type in {"S", "B"} and not value.value:
        raise InvalidError(
            f"{NOT_VALID}A value specified for a secondary index key is not supported. "
            f"{_EMPTY_KEY if part.type == 'S' else _EMPTY_BINARY_KEY} IndexName: {index.name}, IndexKey: {part.name}"
        )
    limit = HASH_KEY_MAX_LENGTH if part is index.keys.hash else RANGE_KEY_MAX_LENGTH
    if size(value) > limit:
        kind = "hashkey" if part is index.keys.hash else "rangekey"
        raise InvalidError(f"{_PARAMETERS}Size of {kind} has exceeded the maximum size limit of {limit} bytes")
