"""The functions of the query language over values (AWS, "Boolean, comparison, numeric, datetime, and other functions").

Text in, nothing where there is no text; numbers in, nothing where there is no number or the result is none.
"""

import ipaddress
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dlqlab.insights.times import Timestamp
from dlqlab.insights.values import FoundFloat, Number, Value, is_true, number, text

type Apply = Callable[..., Value]


@dataclass(frozen=True, slots=True)
class Function:
    """What a function does, and how many arguments it takes; ``most`` None for any number of them."""

    apply: Apply
    least: int
    most: int | None


def calculate(operator: str, left: Value, right: Value) -> Value:
    """``+ - * / % ^``; None where a side is not a number, or nothing finite comes out."""
    first, second = number(left), number(right)
    if first is None or second is None:
        return None
    try:
        return plain(_OPERATIONS[operator](first, second))
    except (ArithmeticError, ValueError):
        return None


def plain(found: Any) -> Number | None:
    """A finite real number, whole where it is exactly that; None for anything else."""
    if isinstance(found, int):
        return int(found) if abs(found) < _WHOLE_MAX else float(found)
    if not isinstance(found, float) or not math.isfinite(found):
        return None
    return int(found) if found.is_integer() and abs(found) < _WHOLE_MAX else float(found)


_WHOLE_MAX = 2**63
_OPERATIONS: Mapping[str, Callable[[Number, Number], Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": math.fmod,
    "^": math.pow,
}


def _of_number(calculation: Callable[[Number], Number]) -> Apply:
    def apply(value: Value) -> Value:
        found = number(value)
        try:
            return None if found is None else plain(calculation(found))
        except (ArithmeticError, ValueError):
            return None

    return apply


def _of_numbers(choice: Callable[[list[Number]], Number]) -> Apply:
    def apply(*values: Value) -> Value:
        found = [one for one in map(number, values) if one is not None]
        return plain(choice(found)) if found else None

    return apply


def _of_text(change: Callable[..., Value]) -> Apply:
    def apply(*values: Value) -> Value:
        texts = [text(value) for value in values]
        return None if None in texts else change(*texts)

    return apply


def _substr(value: Value, start: Value, length: Value = None) -> Value:
    said, first, count = text(value), number(start), number(length)
    if said is None or first is None or (length is not None and count is None):
        return None
    begin = max(int(first), 0)
    return said[begin:] if count is None else said[begin : begin + max(int(count), 0)]


def _coalesce(*values: Value) -> Value:
    return next((value for value in values if value is not None), None)


def _is_address(version: int | None) -> Apply:
    return lambda value: (found := _address(value)) is not None and version in {None, found.version}


def _in_subnet(version: int | None) -> Apply:
    def apply(value: Value, subnet: Value) -> Value:
        found = _address(value)
        try:
            network = ipaddress.ip_network(text(subnet) or "", strict=False)
        except ValueError:
            return False
        return found is not None and version in {None, found.version} and found in network

    return apply


def _address(value: Value) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text(value) or "")
    except ValueError:
        return None


def _json_parse(value: Value) -> Value:
    try:
        found = json.loads(text(value) or "", parse_float=FoundFloat)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _from_millis(value: Value) -> Value:
    found = number(value)
    return None if found is None else Timestamp(int(found))


def _to_millis(value: Value) -> Value:
    found = number(value)
    return None if found is None else int(found)


FUNCTIONS: Mapping[str, Function] = {
    "abs": Function(_of_number(abs), 1, 1),
    "ceil": Function(_of_number(math.ceil), 1, 1),
    "floor": Function(_of_number(math.floor), 1, 1),
    "greatest": Function(_of_numbers(max), 1, None),
    "least": Function(_of_numbers(min), 1, None),
    "log": Function(_of_number(math.log), 1, 1),
    "sqrt": Function(_of_number(math.sqrt), 1, 1),
    "ispresent": Function(lambda value: value is not None, 1, 1),
    "coalesce": Function(_coalesce, 1, None),
    "if": Function(lambda condition, yes, no: yes if is_true(condition) else no, 3, 3),
    "isempty": Function(lambda value: not text(value), 1, 1),
    "isblank": Function(lambda value: not (text(value) or "").strip(), 1, 1),
    "concat": Function(lambda *values: "".join(text(value) or "" for value in values), 1, None),
    "ltrim": Function(_of_text(str.lstrip), 1, 2),
    "rtrim": Function(_of_text(str.rstrip), 1, 2),
    "trim": Function(_of_text(str.strip), 1, 2),
    "strlen": Function(_of_text(len), 1, 1),
    "toupper": Function(_of_text(str.upper), 1, 1),
    "tolower": Function(_of_text(str.lower), 1, 1),
    "substr": Function(_substr, 2, 3),
    "replace": Function(_of_text(str.replace), 3, 3),
    "strcontains": Function(lambda value, wanted: int((text(wanted) or "") in (text(value) or "")), 2, 2),
    "frommillis": Function(_from_millis, 1, 1),
    "tomillis": Function(_to_millis, 1, 1),
    "jsonparse": Function(_json_parse, 1, 1),
    "jsonstringify": Function(lambda value: None if value is None else text(value), 1, 1),
    "isvalidip": Function(_is_address(None), 1, 1),
    "isvalidipv4": Function(_is_address(4), 1, 1),
    "isvalidipv6": Function(_is_address(6), 1, 1),
    "isipinsubnet": Function(_in_subnet(None), 2, 2),
    "isipv4insubnet": Function(_in_subnet(4), 2, 2),
    "isipv6insubnet": Function(_in_subnet(6), 2, 2),
}
"""By their names in lower case. Functions of time that need a period, and those of ``stats``, are elsewhere."""
