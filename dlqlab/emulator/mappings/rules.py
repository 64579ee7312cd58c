"""The rules of an event filter: what a single value must be.

Sources: "Filter rule syntax" of "Lambda event filtering" (AWS Lambda developer guide) and "Comparison operators for use
in event patterns" (Amazon EventBridge user guide), whose further operators are taken as well.
"""

import ipaddress
from collections.abc import Callable
from typing import Any

Test = Callable[[Any], bool]
"""Whether a value is what a rule asks for. A value is a string, a number, a boolean or None."""

_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
}
_LOWER, _UPPER = {">", ">="}, {"<", "<="}
_RANGE_LENGTH = 4


class PatternError(ValueError):
    """A filter's pattern is not one that Lambda takes."""


def test_of(rule: Any) -> Test:
    """The test of one rule of a list, ``exists`` apart.

    Raises:
        PatternError: there is no such rule.
    """
    if not isinstance(rule, dict):
        return _equals(rule)
    operator, operand = _only_item(rule)
    if operator not in _OPERATORS:
        raise PatternError(f"unrecognized match type {operator}")
    return _OPERATORS[operator](operand)


def _only_item(rule: dict[str, Any]) -> tuple[str, Any]:
    if len(rule) != 1:
        raise PatternError("only one key is allowed in a match expression")
    return next(iter(rule.items()))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equals(wanted: Any) -> Test:
    if isinstance(wanted, bool) or wanted is None:
        return lambda value: value is wanted
    if isinstance(wanted, str):
        return lambda value: isinstance(value, str) and value == wanted
    if _is_number(wanted):
        return lambda value: _is_number(value) and value == wanted
    raise PatternError("a match value must be a string, number, true, false or null")


def _string(operand: Any) -> str:
    if not isinstance(operand, str):
        raise PatternError("a match pattern must be a string")
    return operand


def _of_strings(matches: Callable[[str], bool]) -> Test:
    return lambda value: isinstance(value, str) and matches(value)


def _affix(method: Callable[[str, str], bool]) -> Callable[[Any], Test]:
    """Prefix or suffix, with letters of either case where it is wrapped in equals-ignore-case."""

    def build(operand: Any) -> Test:
        if not isinstance(operand, dict):
            wanted = _string(operand)
            return _of_strings(lambda value: method(value, wanted))
        operator, inner = _only_item(operand)
        if operator != "equals-ignore-case":
            raise PatternError(f"unrecognized match type {operator}")
        lower = _string(inner).lower()
        return _of_strings(lambda value: method(value.lower(), lower))

    return build


def _equals_ignore_case(operand: Any) -> Test:
    lower = _string(operand).lower()
    return _of_strings(lambda value: value.lower() == lower)


def _numeric(operand: Any) -> Test:
    if not isinstance(operand, list) or len(operand) not in {2, _RANGE_LENGTH}:
        raise PatternError("numeric must be an array of an operator and a number, or of two of each")
    operators, bounds = operand[::2], operand[1::2]
    if not all(isinstance(one, str) and one in _NUMERIC for one in operators) or not all(map(_is_number, bounds)):
        raise PatternError("numeric must hold operators, each with its number")
    if len(operators) > 1 and (operators[0] not in _LOWER or operators[1] not in _UPPER or bounds[0] >= bounds[1]):
        raise PatternError("a numeric range goes from its bottom to its top")
    checks = [(_NUMERIC[one], bound) for one, bound in zip(operators, bounds, strict=True)]
    return lambda value: _is_number(value) and all(check(value, bound) for check, bound in checks)


def _wildcard(operand: Any) -> Test:
    """``*`` stands for any number of characters, also none."""
    if "\\" in _string(operand):
        raise PatternError("escapes in a wildcard are not known here")
    first, *middle = operand.split("*")
    if "" in middle[:-1]:
        raise PatternError("consecutive wildcard characters")
    if not middle:
        return _equals(first)
    last = middle.pop()

    def matches(value: str) -> bool:
        start, end = len(first), len(value) - len(last)
        if not value.startswith(first) or not value.endswith(last):
            return False
        for part in middle:
            found = value.find(part, start, end)
            if found < 0:
                return False
            start = found + len(part)
        return start <= end

    return _of_strings(matches)


def _cidr(operand: Any) -> Test:
    try:
        network = ipaddress.ip_network(_string(operand), strict=False)
    except ValueError as error:
        raise PatternError("cidr must be a block of addresses") from error

    def contains(value: str) -> bool:
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return _of_strings(contains)


def _anything_but(operand: Any) -> Test:
    unwanted = _unwanted(operand)
    return lambda value: not any(test(value) for test in unwanted)


def _unwanted(operand: Any) -> list[Test]:
    if isinstance(operand, dict):
        operator, inner = _only_item(operand)
        if operator not in _NEGATABLE:
            raise PatternError(f"unsupported anything-but pattern {operator}")
        return [_OPERATORS[operator](one) for one in (inner if isinstance(inner, list) else [inner])]
    values = operand if isinstance(operand, list) else [operand]
    if not values or not (all(isinstance(one, str) for one in values) or all(map(_is_number, values))):
        raise PatternError("anything-but must be a string, a number, or an array of strings or of numbers")
    return [_equals(one) for one in values]


_OPERATORS: dict[str, Callable[[Any], Test]] = {
    "prefix": _affix(str.startswith),
    "suffix": _affix(str.endswith),
    "equals-ignore-case": _equals_ignore_case,
    "numeric": _numeric,
    "anything-but": _anything_but,
    "wildcard": _wildcard,
    "cidr": _cidr,
}
_NEGATABLE = frozenset({"prefix", "suffix", "equals-ignore-case", "wildcard"})
