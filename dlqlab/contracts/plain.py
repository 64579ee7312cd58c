"""Frozen dataclasses as plain values of JSON or TOML and back: types from the annotations, errors that name the field.

Known are dataclasses, ``str``, ``int``, ``float``, ``bool``, ``StrEnum``, ``object`` (taken as it is), ``X | None``,
``tuple[X, ...]`` and ``Mapping[str, X]``. A field's ``metadata["range"]`` holds the least and the greatest number that
it takes.
"""

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping
from enum import StrEnum


class ShapeError(ValueError):
    """A value that has not the shape of its field: ``field``, dotted, and ``trouble``, which is a clause after it."""

    def __init__(self, field: str, trouble: str) -> None:
        super().__init__(f"{field} {trouble}")
        self.field = field
        self.trouble = trouble


class UnknownFieldError(ShapeError):
    """A field that is none; ``known`` are those that there are."""

    def __init__(self, field: str, known: Iterable[str]) -> None:
        super().__init__(field, "is not known")
        self.known = tuple(known)


def to_plain(value: object) -> object:
    """What JSON can hold: dataclasses as objects with every field, tuples as arrays, numbers and texts as they are."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def from_plain[T](kind: type[T], value: object, where: str = "") -> T:
    """The dataclass of that value; ``where`` is the field that holds it. A field with a default may be missing.

    Raises:
        ShapeError: a field is unknown, is missing, or holds something else than its type says.
    """
    if not isinstance(value, Mapping):
        raise ShapeError(where or "it", f"is {value!r}: give a table of fields")
    hints = typing.get_type_hints(kind)
    prefix = f"{where}." if where else ""
    unknown = sorted(set(value) - set(hints))
    if unknown:
        raise UnknownFieldError(f"{prefix}{unknown[0]}", hints)
    read = {}
    for field in dataclasses.fields(typing.cast(typing.Any, kind)):
        if field.name in value:
            read[field.name] = _read(hints[field.name], value[field.name], prefix + field.name)
            _check_range(field.metadata.get("range"), read[field.name], prefix + field.name)
        elif _is_needed(field):
            raise ShapeError(f"{prefix}{field.name}", "is missing")
    return kind(**read)


def _is_needed(field: "dataclasses.Field[object]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _read(hint: typing.Any, value: object, where: str) -> object:
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(option for option in typing.get_args(hint) if option is not types.NoneType)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return tuple(_read(arguments[0], item, f"{where}[{n}]") for n, item in enumerate(_list(value, where)))
    if origin is Mapping:
        return {key: _read(arguments[1], item, f"{where}.{key}") for key, item in _object(value, where).items()}
    if dataclasses.is_dataclass(hint) and not isinstance(value, typing.cast(type, hint)):
        return from_plain(typing.cast(type, hint), value, where)
    return float(value) if hint is float and type(value) is int else _checked(hint, value, where)


def _checked(hint: type, value: object, where: str) -> object:
    if issubclass(hint, StrEnum):
        if value not in set(hint):
            raise ShapeError(where, f"is {value!r}: give one of {', '.join(hint)}")
        return hint(str(value))
    is_flag = isinstance(value, bool) and hint in {int, float}  # bool is an int in Python, and no count
    if is_flag or not isinstance(value, hint):
        raise ShapeError(where, f"is {value!r}: give {_NAMES.get(hint, hint)}")
    return value


def _check_range(limits: tuple[int, int] | None, value: object, where: str) -> None:
    if limits and isinstance(value, int | float) and not limits[0] <= value <= limits[1]:
        raise ShapeError(where, f"is {value}: give {limits[0]} to {limits[1]}")


_NAMES: Mapping[type, str] = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list | tuple):
        raise ShapeError(where, f"is {value!r}: give a list")
    return list(value)


def _object(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ShapeError(where, f"is {value!r}: give a table")
    return value
