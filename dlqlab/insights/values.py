"""Values in a query: text, numbers, true and false, times, and structures that a query made of JSON. None is missing.

Two texts are equal as they stand. Where one side is a number, the other is read as one, so that ``status = 200``,
``status = "200"`` and a status that ``parse`` took out of a text all work.
"""

import json
import math
import re
import sys
from typing import Any

from dlqlab.insights.times import Timestamp

type Value = str | float | bool | dict[str, Any] | list[Any] | None
type Number = int | float

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DIGITS_EXACT = 18
"""Whole numbers of so many digits are kept as they are; longer ones are floating point, as JSON's numbers are."""
_DECIMALS = 4
"""Decimals of what a query calculated, as Logs Insights shows them."""
_DIGITS = re.compile(r"[0-9]+")


class FoundFloat(float):
    """A number with decimals as a log line says it; what is calculated with it is a plain float."""

    __slots__ = ()


def number(value: Value) -> Number | None:
    """The value as a number; None where it is none."""
    kind = type(value)
    if kind is int or kind is float or kind is FoundFloat:
        return value  # type: ignore[return-value]
    if kind is str:
        return _read(value)  # type: ignore[arg-type]
    return int(value) if isinstance(value, int) else None  # true, false and times


def _read(said: str) -> Number | None:
    if not said or said[-1] not in "0123456789." or not _NUMBER.fullmatch(said):
        return None
    if len(said) <= _DIGITS_EXACT and said.lstrip("+-").isdigit():
        return int(said)
    found = float(said)
    return found if math.isfinite(found) else None


def text(value: Value) -> str | None:
    """The value as text, as results show it: true is 1, a number has no decimals that say nothing."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Timestamp):
        return str(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _shown(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _shown(value: float) -> str:
    if value.is_integer() and abs(value) < 10**_DIGITS_EXACT:
        return str(int(value))
    if type(value) is FoundFloat:
        return float.__repr__(value)
    rounded = round(value, _DECIMALS)
    if not rounded:
        return f"{value:.{_DECIMALS}g}"  # small, but not nothing
    return str(int(rounded)) if rounded.is_integer() and abs(rounded) < 10**_DIGITS_EXACT else float.__repr__(rounded)


def is_true(value: Value) -> bool:
    """What ``filter``, ``and``, ``or`` and ``not`` take a value for: a number that is not 0."""
    if value is True or value is False:
        return value
    return bool(number(value))


def equal(left: Value, right: Value) -> bool:
    """``=``: nothing is equal to a missing value."""
    if left is None or right is None:
        return False
    if type(left) is str and type(right) is str:
        return left == right
    for one, other in ((left, right), (right, left)):
        if isinstance(one, bool) and type(other) is str and other.lower() in {"true", "false"}:
            return one is (other.lower() == "true")
    first, second = number(left), number(right)
    if first is not None and second is not None:
        return first == second
    return text(left) == text(right)


def order(left: Value, right: Value) -> int | None:
    """Below, equal, above as -1, 0, 1; None where the two cannot be compared: missing, or a number and a word."""
    if left is None or right is None:
        return None
    first, second = number(left), number(right)
    if first is not None and second is not None:
        return (first > second) - (first < second)
    if type(left) is str and type(right) is str:
        return (left > right) - (left < right)
    return None


def sort_key(value: Value) -> tuple[Any, ...]:
    """The rank of a value in an ascending sort (AWS, page "sort"): missing, then words, then numbers.

    Words compare by Unicode, but digits in a row by their number and then their value: 5A comes before 111A.
    """
    if value is None:
        return (0,)
    found = number(value)
    if found is not None:
        return (2, found)
    return (1, _DIGITS.sub(_by_length, text(value) or ""))


def _by_length(digits: re.Match[str]) -> str:
    """Begins like a digit, so that signs and letters come before or after it as they do for digits."""
    return f"0{chr(min(len(digits[0]), sys.maxunicode))}{digits[0]}"
