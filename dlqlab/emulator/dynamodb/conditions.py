"""ConditionExpression compiled to a function of an item and the request's values.

Grammar and meaning: "Condition and filter expressions, operators, and functions" of the DynamoDB developer guide. NOT
binds tighter than AND, AND tighter than OR. A comparison with an attribute that is not there, or of another type, does
not hold, except that such operands do differ (<>).
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from dlqlab.emulator.dynamodb.grammar import Path, Scope, Tokens, find
from dlqlab.emulator.dynamodb.unsupported import UnsupportedError
from dlqlab.emulator.dynamodb.values import (
    ORDERED_TYPES,
    SET_TYPES,
    TYPES,
    Attributes,
    Computed,
    Value,
    binary,
    equal,
    members,
    sort_key,
)

Values = Mapping[str, Value]
Check = Callable[[Attributes, Values], bool]
Operand = Callable[[Attributes, Values], Value | None]

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FUNCTIONS = ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains")
_TEXT = frozenset({"S"})
_BEGINNINGS = frozenset({"S", "B"})


def compile_condition(text: str, scope: Scope) -> Check:
    """The condition.

    Raises:
        UnsupportedError: a syntax error, or something that is not done here. The compiled condition raises it too,
            where only the values show it.
    """
    tokens = Tokens(text)
    check = _either(tokens, scope)
    tokens.end()
    return check


def _either(tokens: Tokens, scope: Scope) -> Check:
    checks = [_both(tokens, scope)]
    while tokens.keyword("OR"):
        checks.append(_both(tokens, scope))
    if len(checks) == 1:
        return checks[0]

    def any_holds(item: Attributes, values: Values) -> bool:
        for check in checks:  # noqa: SIM110  (a generator costs twice the time)
            if check(item, values):
                return True
        return False

    return any_holds


def _both(tokens: Tokens, scope: Scope) -> Check:
    checks = [_negated(tokens, scope)]
    while tokens.keyword("AND"):
        checks.append(_negated(tokens, scope))
    if len(checks) == 1:
        return checks[0]

    def all_hold(item: Attributes, values: Values) -> bool:
        for check in checks:  # noqa: SIM110  (a generator costs twice the time)
            if not check(item, values):
                return False
        return True

    return all_hold


def _negated(tokens: Tokens, scope: Scope) -> Check:
    if not tokens.keyword("NOT"):
        return _single(tokens, scope)
    tokens.nest()
    check = _negated(tokens, scope)
    return lambda item, values: not check(item, values)


def _single(tokens: Tokens, scope: Scope) -> Check:
    """A condition in parentheses, a function, or a comparison."""
    if tokens.accept("("):
        tokens.nest()
        check = _either(tokens, scope)
        tokens.expect(")")
        return check
    function = tokens.function(_FUNCTIONS)
    if function:
        check = _function(function, tokens, scope)
        tokens.expect(")")
        return check
    return _compared(tokens, scope)


def _compared(tokens: Tokens, scope: Scope) -> Check:
    """A comparison, BETWEEN or IN."""
    first = tokens.peek()
    left, is_size = _operand(tokens, scope, None)
    if tokens.keyword("IN"):
        return _in(left, tokens, scope)
    sign = tokens.keyword("BETWEEN") or tokens.accept("=", "<>", *_ORDERS)
    if not sign:
        raise UnsupportedError(f"comparison expected, found {tokens.peek()[1]!r}")
    if tokens.peek() == first:
        raise UnsupportedError("an operand is compared with itself")
    types = None if sign in {"=", "<>"} else ORDERED_TYPES
    if first[0] == "value":
        scope.value(first[1], types)
    if sign == "BETWEEN":
        return _between(left, tokens, scope)
    right, is_size_too = _operand(tokens, scope, types)
    if sign == "<>" and (is_size or is_size_too):
        raise UnsupportedError("<> with a size")  # what a missing attribute means there is not documented
    return _comparison(sign, left, right)


def _operand(tokens: Tokens, scope: Scope, types: frozenset[str] | None) -> tuple[Operand, bool]:
    """A path, a value (of one of the types) or a size; and whether it is a size."""
    if tokens.function(("size",)):
        tokens.nest()
        path = scope.path(tokens.expect_path())
        tokens.expect(")")
        return lambda item, _values: _size(find(item, path)), True
    kind, text = tokens.take()
    if kind == "value":
        name = scope.value(text, types)
        return lambda _item, values: values[name], False
    if kind != "path":
        raise UnsupportedError(f"operand expected, found {text!r}")
    return _at(scope.path(text)), False


def _at(path: Path) -> Operand:
    if len(path) > 1:
        return lambda item, _values: find(item, path)
    name = str(path[0])
    return lambda item, _values: item.get(name)


def _comparison(sign: str, left: Operand, right: Operand) -> Check:
    if sign in _ORDERS:
        holds = _ORDERS[sign]

        def in_order(item: Attributes, values: Values) -> bool:
            one, other = left(item, values), right(item, values)
            if one is None or other is None or one.type != other.type or one.type not in ORDERED_TYPES:
                return False
            return holds(sort_key(one), sort_key(other))

        return in_order

    def same(item: Attributes, values: Values) -> bool:
        one, other = left(item, values), right(item, values)
        return one is not None and other is not None and equal(one, other)

    return same if sign == "=" else lambda item, values: not same(item, values)


def _between(query: Operand, tokens: Tokens, scope: Scope) -> Check:
    low, _ = _operand(tokens, scope, ORDERED_TYPES)
    tokens.expect_word("AND")
    high, _ = _operand(tokens, scope, ORDERED_TYPES)

    def within(item: Attributes, values: Values) -> bool:
        least, found, most = low(item, values), query(item, values), high(item, values)
        if least is None or found is None or most is None:
            return False
        if least.type != most.type or sort_key(least) > sort_key(most):
            raise UnsupportedError("BETWEEN has no range")
        return found.type == least.type and sort_key(least) <= sort_key(found) <= sort_key(most)

    return within


def _in(query: Operand, tokens: Tokens, scope: Scope) -> Check:
    tokens.expect("(")
    operands = [_operand(tokens, scope, None)[0]]
    while tokens.accept(","):
        operands.append(_operand(tokens, scope, None)[0])
    tokens.expect(")")

    def among(item: Attributes, values: Values) -> bool:
        found = query(item, values)
        candidates = (operand(item, values) for operand in operands)
        return found is not None and any(other is not None and equal(found, other) for other in candidates)

    return among


def _function(name: str, tokens: Tokens, scope: Scope) -> Check:
    """A function that is a condition, up to its closing parenthesis."""
    tokens.nest()
    path = scope.path(tokens.expect_path())
    if name == "attribute_exists":
        return lambda item, _values: find(item, path) is not None
    if name == "attribute_not_exists":
        return lambda item, _values: find(item, path) is None
    tokens.expect(",")
    if name == "contains":
        operand, _ = _operand(tokens, scope, None)
        return lambda item, values: _contains(find(item, path), operand(item, values))
    kind, text = tokens.take()
    if kind != "value":
        raise UnsupportedError(f"{name} takes a value, found {text!r}")
    if name == "attribute_type":
        wanted = scope.value(text, _TEXT)
        return lambda item, values: _is_of_type(find(item, path), values[wanted])
    start = scope.value(text, _BEGINNINGS)
    return lambda item, values: _begins(find(item, path), values[start])


def _is_of_type(found: Value | None, wanted: Value) -> bool:
    if wanted.value not in TYPES:
        raise UnsupportedError(f"type {wanted.value}")
    return found is not None and found.type == wanted.value


def _begins(found: Value | None, start: Value) -> bool:
    if found is None or found.type != start.type:
        return False
    if found.type == "B":
        return binary(found.value).startswith(binary(start.value))
    return bool(found.value.startswith(start.value))


def _contains(found: Value | None, operand: Value | None) -> bool:
    if found is None or operand is None:
        return False
    if found.type == "L":
        return any(equal(child, operand) for child in found.value)
    if found.type in SET_TYPES:
        return found.type[0] == operand.type and sort_key(operand) in members(found)
    if found.type in {"S", "B"} and found.type == operand.type:
        return sort_key(operand) in sort_key(found)
    return False


def _size(found: Value | None) -> Value | None:
    """Length of a text or binary, members of a set, children of a list or map; None where there is no attribute."""
    if found is None:
        return None
    if found.type == "B":
        return Computed("N", str(len(binary(found.value))))
    if found.type in {"N", "BOOL", "NULL"} or (found.type == "S" and not found.value.isascii()):
        raise UnsupportedError("size of such a value")
    return Computed("N", str(len(found.value)))
