"""Requests checked against the API's model, with the errors of AWS's own check.

The model is botocore's, as LocalStack loads it. Every violated constraint is named, up to ten.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from dlqlab.emulator.dynamodb.unsupported import InvalidError

VIOLATIONS_MAX = 10
_SHOWN_MAX = 2000
_SERIALIZATION = "SerializationException"
_OPAQUE = frozenset({"AttributeValue"})
"""Structures whose check is their reader's (dlqlab.emulator.dynamodb.values)."""
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
    "timestamp": (int, float, str),
    "blob": (str,),
}
_ENUMERATIONS: Mapping[str, tuple[str, ...]] = {
    "ReturnValue": ("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"),
    "ScalarAttributeType": ("B", "N", "S"),
    "Select": ("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"),
}
"""In the order of AWS's errors, where it is not the model's."""
_OWN = frozenset({"BatchGetRequestMap", "BatchWriteItemRequestMap", "KeyList"})
"""Lengths whose errors are the operation's own."""
_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_ARN = re.compile(r"arn:[a-z0-9-]+:dynamodb:.+")


def check(shape: Any, members: Mapping[str, Any]) -> None:
    """Refuse members that the operation's input does not have so.

    Args:
        shape: the operation's input.
        members: the request.

    Raises:
        InvalidError: SerializationException for a wrong type, ValidationException for a violated constraint.
    """
    _check_own(shape.name, members)
    found = list(_structure(shape, members, ""))[:VIOLATIONS_MAX]
    if found:
        raise InvalidError(f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: {'; '.join(found)}")


def _check_own(name: str, members: Mapping[str, Any]) -> None:
    """Violations that operations word in their own way."""
    limit = members.get("Limit")
    if name == "QueryInput" and isinstance(limit, int) and limit < 1:
        raise InvalidError(
            "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value "
            "greater than or equal to 1"
        )
    if name == "CreateTableInput" and "TableName" not in members:
        raise InvalidError("The parameter 'TableName' is required but was not present in the request")


def _violations(shape: Any, value: Any, path: str) -> Iterable[str]:
    kinds = _TYPES.get(shape.type_name)
    wrong = kinds is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds))
    if wrong:
        raise InvalidError(_mismatch(value, shape.type_name), _SERIALIZATION)
    if shape.name in _OPAQUE:
        return
    if shape.type_name == "structure":
        yield from _structure(shape, value, path)
    elif shape.type_name == "list":
        yield from _bounds(shape, len(value), value, path)
        for place, element in enumerate(value, start=1):
            yield from _violations(shape.member, element, f"{path}.{place}.member")
    elif shape.type_name == "map":
        yield from _bounds(shape, len(value), value, path)
        yield from _map_values(shape, value, path)
    elif shape.type_name == "string":
        yield from _string(shape, value, path)
    elif shape.type_name in {"integer", "long"}:
        yield from _number(shape, value, path)


def _structure(shape: Any, members: Mapping[str, Any], path: str) -> Iterable[str]:
    for name, member in shape.members.items():
        here = f"{path}.{_lower(name)}" if path else _lower(name)
        value = members.get(name)
        if value is not None:
            yield from _violations(member, value, here)
        elif name in shape.required_members:
            yield f"Value null at '{here}' failed to satisfy constraint: Member must not be null"


def _map_values(shape: Any, value: Mapping[str, Any], path: str) -> Iterable[str]:
    inner = shape.value.metadata
    for name, held in value.items():
        if held is None:
            yield f"Value null at '{path}.{name}.member' failed to satisfy constraint: Member must not be null"
            continue
        if shape.value.type_name == "list" and isinstance(held, list):
            low, high = inner.get("min", 0), inner.get("max", len(held))
            if not low <= len(held) <= high:
                yield (
                    f"Value '{_shown(value)}' at '{path}' failed to satisfy constraint: Map value must satisfy "
                    f"constraint: [Member must have length less than or equal to {high}, Member must have length "
                    f"greater than or equal to {low}]"
                )
                continue
        yield from _violations(shape.value, held, f"{path}.{name}.member")


def _bounds(shape: Any, size: int, value: Any, path: str) -> Iterable[str]:
    if shape.name in _OWN:
        return
    for bound, word, broken in (("min", "greater", int.__lt__), ("max", "less", int.__gt__)):
        limit = shape.metadata.get(bound)
        if limit is not None and broken(size, limit):
            yield (
                f"Value '{_shown(value)}' at '{path}' failed to satisfy constraint: Member must have length {word} "
                f"than or equal to {limit}"
            )


def _string(shape: Any, value: str, path: str) -> Iterable[str]:
    if shape.name == "TableArn" and not _ARN.fullmatch(value):
        if not value:
            yield (
                f"Value '' at '{path}' failed to satisfy constraint: Member must have length greater than or equal to 1"
            )
        elif len(value) > 255:  # noqa: PLR2004  ("Supported data types and naming rules")
            yield (
                f"Value '{value}' at '{path}' failed to satisfy constraint: Member must have length less than or equal "
                "to 255"
            )
        elif not _TABLE_NAME.fullmatch(value):
            yield _pattern(value, path, _TABLE_NAME.pattern)
        return
    yield from _bounds(shape, len(value), value, path)
    pattern, enum = shape.metadata.get("pattern"), shape.metadata.get("enum")
    if pattern and not re.fullmatch(pattern, value):
        yield _pattern(value, path, pattern)
    if enum and value not in enum:
        yield (
            f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{', '.join(_ENUMERATIONS.get(shape.name, enum))}]"
        )


def _pattern(value: str, path: str, pattern: str) -> str:
    constraint = f"Member must satisfy regular expression pattern: {pattern}"
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


def _number(shape: Any, value: int, path: str) -> Iterable[str]:
    for bound, word, broken in (("min", "greater", int.__lt__), ("max", "less", int.__gt__)):
        limit = shape.metadata.get(bound)
        if limit is not None and broken(value, limit):
            yield _value_bound(value, path, word, limit)


def _value_bound(value: object, path: str, word: str, limit: int) -> str:
    constraint = f"Member must have value {word} than or equal to {limit}"
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


def _mismatch(value: Any, wanted: str) -> str:
    if isinstance(value, dict):
        return "Start of structure or map found where not expected."
    if isinstance(value, list):
        return "Unexpected field type" if wanted != "string" else "Start of list found where not expected"
    found = {bool: "TRUE_VALUE" if value is True else "FALSE_VALUE", int: "NUMBER_VALUE", float: "DECIMAL_VALUE"}
    names = {"integer": "Integer", "long": "Long", "boolean": "Boolean", "string": "String"}
    if wanted in {"list", "map", "structure"}:
        return "Unexpected field type"
    return f"{found.get(type(value), 'STRING_VALUE')} cannot be converted to {names.get(wanted, wanted)}"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _shown(value: Any) -> str:
    """The value as a Java collection writes itself, shortened."""
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{name}={_shown(held)}" for name, held in value.items()) + "}"
    elif isinstance(value, list):
        text = "[" + ", ".join(map(_shown, value)) + "]"
    else:
        text = str(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}...{text[-2:]}"
