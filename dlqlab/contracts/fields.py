"""Plain values, as TOML and JSON have them, to frozen dataclasses; an error names the field, its value, the remedy."""

import dataclasses
import types
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from dlqlab.errors import TopologyError

_PLAIN: Mapping[type, str] = {str: "a text", int: "a whole number", bool: "true or false"}


def parsed[T](kind: type[T], value: object, where: str) -> T:
    """A dataclass from a table of its fields: texts, whole numbers, flags, enumerations, other dataclasses, and lists.

    A field's ``metadata["range"]`` holds the least and the greatest number that it takes.

    Raises:
        TopologyError: a field is unknown or missing, or its value is none that it takes.
    """
    if not isinstance(value, Mapping):
        raise TopologyError(f"{where} is {value!r}: give a table of fields")
    known = {one.name: one for one in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    for name in value:
        if name not in known:
            raise TopologyError(f"{where}: {name} is no field: give {', '.join(known)}")
    for name, one in known.items():
        required = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        if required and value.get(name) is None:
            raise TopologyError(f"{where}: {name} is missing: give it")
    found = {name: _value(hints[name], item, f"{where}: {name}") for name, item in value.items()}
    for name, item in found.items():
        _check_range(known[name].metadata.get("range"), item, f"{where}: {name}")
    return kind(**found)


def _value(hint: Any, value: object, where: str) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):
        return None if value is None else _value(inner[0], value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise TopologyError(f"{where} is {value!r}: give a list")
        return tuple(_value(inner[0], item, f"{where}[{number}]") for number, item in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise TopologyError(f"{where} is {value!r}: give a table")
        return {str(key): _value(inner[1], item, f"{where}.{key}") for key, item in value.items()}
    if issubclass(hint, StrEnum):
        if value not in set(hint):
            raise TopologyError(f"{where} is {value!r}: give one of {', '.join(hint)}")
        return hint(value)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return parsed(hint, value, where)
    # Not isinstance: a bool is an int in Python.
    if type(value) is not hint or value == "":
        raise TopologyError(f"{where} is {value!r}: give {_PLAIN[hint]}")
    return value


def _check_range(limits: tuple[int, int] | None, value: object, where: str) -> None:
    if limits and isinstance(value, int) and not limits[0] <= value <= limits[1]:
        raise TopologyError(f"{where} is {value}: give {limits[0]} to {limits[1]}")
