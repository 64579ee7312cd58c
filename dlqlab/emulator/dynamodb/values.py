"""Attribute values: a type code (S, N, B, BOOL, NULL, L, M, SS, NS, BS) and what it holds.

Held are: text for S, N and B (base64), lists of text for sets, bool for BOOL and NULL, a list of values for L, a dict
of values for M. Values are never changed in place here: a changed list or map is a new one, so that the old and the
new state of an item can share what stays the same.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dlqlab.emulator.dynamodb.numeric import canonical, parse
from dlqlab.emulator.dynamodb.unsupported import InvalidError

NESTING_MAX = 32
"""Levels of lists and maps that DynamoDB stores ("Quotas" of the developer guide)."""
ORDERED_TYPES = frozenset({"S", "N", "B"})
SET_TYPES = frozenset({"SS", "NS", "BS"})
TYPES = frozenset({"S", "N", "B", "BOOL", "NULL", "L", "M"}) | SET_TYPES


class Value(Protocol):
    """An attribute value; moto's DynamoType is one."""

    type: str
    value: Any


Attributes = Mapping[str, Value]
Make = Callable[[str, Any], Value]
"""Makes a value of a type code and what it holds."""


@dataclass(slots=True)
class Computed:
    """A value that exists only while an expression is evaluated."""

    type: str
    value: Any


NESTED_TOO_DEEPLY = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)
_EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
_SEVERAL = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
)
_PARAMETERS = "One or more parameter values were invalid: "
_EMPTY_SETS = {
    "SS": "An string set  may not be empty",
    "NS": "An number set  may not be empty",
    "BS": "Binary sets should not be empty",
}


def read(wire: object, make: Make, depth: int = 1) -> Value:
    """The value of its JSON form, ``{"S": "text"}``; numbers become canonical.

    Raises:
        InvalidError: not a valid attribute value.
    """
    if not isinstance(wire, dict):
        raise InvalidError("Unexpected value type in payload", "SerializationException")
    if len(wire) != 1:
        raise InvalidError(_SEVERAL if wire else _EMPTY)
    kind, held = next(iter(wire.items()))
    if kind == "S" and isinstance(held, str):
        return make(kind, held)
    if kind == "N" and isinstance(held, str):
        return make(kind, canonical(held))
    if kind == "M" and isinstance(held, dict):
        _check_depth(depth)
        return make(kind, {name: read(child, make, depth + 1) for name, child in held.items()})
    if kind == "L" and isinstance(held, list):
        _check_depth(depth)
        return make(kind, [read(child, make, depth + 1) for child in held])
    return make(kind, _other(kind, held))


def _check_depth(depth: int) -> None:
    if depth >= NESTING_MAX:
        raise InvalidError(NESTED_TOO_DEEPLY)


def _other(kind: str, held: object) -> object:
    """What a value of one of the rarer types holds."""
    if kind == "BOOL" and isinstance(held, bool):
        return held
    if kind == "NULL" and isinstance(held, bool):
        if not held:
            raise InvalidError(f"{_PARAMETERS}Null attribute value types must have the value of true")
        return held
    if kind == "B" and isinstance(held, str):
        binary(held)
        return held
    if kind in SET_TYPES and isinstance(held, list):
        return _members(kind, held)
    if kind not in TYPES:
        raise InvalidError(_EMPTY)
    raise InvalidError("Unexpected value type in payload", "SerializationException")


def _members(kind: str, held: list[object]) -> list[str]:
    """The members of a set: at least one, all different."""
    members = []
    for member in held:
        if not isinstance(member, str):
            raise InvalidError("Unexpected value type in payload", "SerializationException")
        if kind == "BS":
            binary(member)
        members.append(canonical(member) if kind == "NS" else member)
    if not members:
        raise InvalidError(_PARAMETERS + _EMPTY_SETS[kind])
    if len(set(members)) < len(members):
        raise InvalidError(
            "Input collection contains duplicates"
            if kind == "NS"
            else f"{_PARAMETERS}Input collection [{', '.join(members)}]{'of type BS ' if kind == 'BS' else ' '}"
            "contains duplicates."
        )
    return members


def binary(text: object) -> bytes:
    """The bytes of a B value."""
    if isinstance(text, bytes):
        return text
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error as error:
        raise InvalidError("The value is not valid Base64", "SerializationException") from error


def shown(value: Value) -> str:
    """The value as DynamoDB's errors show it."""
    return f"{{{value.type}:{value.value}}}"


def write(value: Value) -> dict[str, Any]:
    """The JSON form."""
    kind, held = value.type, value.value
    if kind == "M":
        return {kind: write_map(held)}
    if kind == "L":
        return {kind: [write(child) for child in held]}
    if isinstance(held, list):
        return {kind: list(held)}
    if isinstance(held, bytes):
        return {kind: base64.b64encode(held).decode()}
    return {kind: held}


def write_map(attributes: Attributes) -> dict[str, Any]:
    """The JSON form of an item."""
    return {name: write(value) for name, value in attributes.items()}


def copy(value: Value, make: Make) -> Value:
    """A value that shares no list or dict with the given one."""
    kind, held = value.type, value.value
    if kind == "M":
        return make(kind, {name: copy(child, make) for name, child in held.items()})
    if kind == "L":
        return make(kind, [copy(child, make) for child in held])
    return make(kind, list(held)) if isinstance(held, list) else value


def equal(left: Value, right: Value) -> bool:
    """Whether two values are the same: of one type, numbers by value, sets in any order."""
    kind, one, other = left.type, left.value, right.value
    if kind != right.type:
        return False
    if kind in ORDERED_TYPES:
        return bool(one == other) or (kind != "S" and bool(sort_key(left) == sort_key(right)))
    if kind == "M":
        return one.keys() == other.keys() and all(equal(child, other[name]) for name, child in one.items())
    if kind == "L":
        return len(one) == len(other) and all(map(equal, one, other))
    if kind in SET_TYPES:
        return members(left) == members(right)
    return bool(one == other)


def members(value: Value) -> set[Any]:
    """The members of a set value, comparable."""
    held = value.value
    if value.type == "NS":
        return {parse(member) for member in held}
    return {binary(member) for member in held} if value.type == "BS" else set(held)


def sort_key(value: Value) -> Any:
    """What values of one ordered type are ordered by; texts by code point, which is the order of their UTF-8."""
    if value.type == "N":
        return parse(value.value)
    return binary(value.value) if value.type == "B" else value.value


def size_max(value: Value) -> int:
    """An upper bound of the value's size in bytes ("DynamoDB item sizes and formats" of the developer guide)."""
    kind, held = value.type, value.value
    if isinstance(held, str):
        return len(held) if held.isascii() else len(held.encode())
    if kind == "M":
        return item_size_max(held) + 3
    if kind == "L":
        return sum(map(size_max, held)) + len(held) + 3
    if kind in SET_TYPES:
        return sum(len(member if isinstance(member, bytes) else member.encode()) for member in held) + 3
    return len(held) if isinstance(held, bytes) else 1


def item_size_max(attributes: Attributes) -> int:
    """An upper bound of an item's or a map's size in bytes."""
    size = 0
    for name, value in attributes.items():
        size += (len(name) if name.isascii() else len(name.encode())) + size_max(value) + 1
    return size


def depth_of(value: Value) -> int:
    """Lists and maps of which one holds the other, the value itself counted."""
    if value.type not in {"L", "M"}:
        return 0
    held = value.value.values() if value.type == "M" else value.value
    return 1 + max(map(depth_of, held), default=0)


def size(value: Value) -> int:
    """The value's size in bytes ("DynamoDB item sizes and formats" of the developer guide).

    A number takes a byte for each two significant digits and one more, and a minus sign another; a list or map takes 3
    bytes, and one for each element.
    """
    kind, held = value.type, value.value
    if kind == "N":
        return _number_size(held)
    if kind == "NS":
        return sum(map(_number_size, held))
    if kind in {"B", "BS"}:
        return sum(len(binary(part)) for part in (held if kind == "BS" else [held]))
    if kind in {"S", "SS"}:
        return sum(len(part.encode()) for part in (held if kind == "SS" else [held]))
    if kind == "M":
        return item_size(held) + len(held) + 3
    return sum(map(size, held)) + len(held) + 3 if kind == "L" else 1


def item_size(attributes: Attributes) -> int:
    """An item's size in bytes: names and values."""
    return sum(len(name.encode()) + size(value) for name, value in attributes.items())


def _number_size(text: str) -> int:
    digits = canonical(text).lstrip("-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")
