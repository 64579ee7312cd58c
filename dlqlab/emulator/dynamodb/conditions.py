"""ConditionExpression compiled to a function of an item and the request's values.

Grammar and meaning: "Condition and filter expressions, operators, and functions" of the DynamoDB developer guide. NOT
binds tighter than AND, AND tighter than OR. A comparison with an attribute that is not there, or of another type, does
not hold, except that such operands do differ (<>).
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlqlab.emulator.dynamodb.grammar import Path, Scope, Tokens, find
from dlqlab.emulator.dynamodb.unsupported import ExpressionError
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
    shown,
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
_SIZED = frozenset({"S", "B", "L", "M"}) | SET_TYPES
_NO_CONDITIONS = ("if_not_exists", "list_append")
"""Functions that only updates have."""


def compile_condition(text: str, scope: Scope) -> Check:
    """The condition.

    Raises:
        ExpressionError: DynamoDB refuses the condition.
        UnsupportedError: more parentheses and functions than are done here.
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
        opened = tokens.opened()
        check = _either(tokens, scope)
        tokens.close(opened)
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
    left = _operand(tokens, scope, None, "")
    if tokens.keyword("IN"):
        return _in(left, tokens, scope)
    sign = tokens.keyword("BETWEEN") or tokens.accept("=", "<>", *_ORDERS)
    if not sign:
        raise tokens.wrong()
    if tokens.peek() == first:
        raise same_operand(sign, first, scope)
    types = None if sign in {"=", "<>"} else ORDERED_TYPES
    if first[0] == "value":
        scope.value(first[1], types, sign)
    if sign == "BETWEEN":
        return _between(left, tokens, scope)
    return comparison(sign, left, _operand(tokens, scope, types, sign))


def same_operand(sign: str, operand: tuple[str, str], scope: Scope) -> ExpressionError:
    """That an operand is compared with itself."""
    shown_as = f"[{', '.join(map(str, scope.path(operand[1])))}]" if operand[0] == "path" else operand[1]
    return ExpressionError(
        "The first operand must be distinct from the remaining operands for this operator or function; "
        f"operator: {sign}, first operand: {shown_as}"
    )


def _operand(tokens: Tokens, scope: Scope, types: frozenset[str] | None, sign: str) -> Operand:
    """A path, a value (of one of the types, which the operator wants) or a size."""
    if tokens.function(("size",)):
        tokens.nest()
        sized = _operand(tokens, scope, _SIZED, "size")
        tokens.expect(")")
        return lambda item, values: size_value(sized(item, values))
    _refuse_function(tokens)
    kind, text = tokens.peek()
    if kind not in {"value", "path"}:
        raise tokens.wrong()
    tokens.take()
    if kind == "value":
        name = scope.value(text, types, sign)
        return lambda _item, values: values[name]
    return at(scope.path(text))


def _refuse_function(tokens: Tokens) -> None:
    """Raises:
    ExpressionError: a function that is not known, or that cannot stand where an operand does.
    """
    name = tokens.unknown_function()
    if name in _FUNCTIONS:
        raise ExpressionError(f"The function is not allowed to be used this way in an expression; function: {name}")
    if name in _NO_CONDITIONS:
        raise ExpressionError(f"The function is not allowed in a condition expression; function: {name}")
    if name and name.upper() not in {"IN", "AND", "OR", "NOT", "BETWEEN"}:
        raise ExpressionError(f"Invalid function name; function: {name}")


def at(path: Path) -> Operand:
    """What is at a path of the item."""
    if len(path) > 1:
        return lambda item, _values: find(item, path)
    name = str(path[0])
    return lambda item, _values: item.get(name)


def comparison(sign: str, left: Operand, right: Operand) -> Check:
    """Whether two values compare so; not if one is not there, except that they differ then."""
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
    first = tokens.peek()
    low = _operand(tokens, scope, ORDERED_TYPES, "BETWEEN")
    tokens.expect_word("AND")
    last = tokens.peek()
    high = _operand(tokens, scope, ORDERED_TYPES, "BETWEEN")
    if first[0] == last[0] == "value":
        scope.checks.append(lambda values: check_range(values[first[1]], values[last[1]]))

    return between(query, low, high)


def between(query: Operand, low: Operand, high: Operand) -> Check:
    """Whether a value lies between two others of its type, or is one of them."""

    def within(item: Attributes, values: Values) -> bool:
        least, found, most = low(item, values), query(item, values), high(item, values)
        if least is None or found is None or most is None or not found.type == least.type == most.type:
            return False
        return found.type in ORDERED_TYPES and bool(sort_key(least) <= sort_key(found) <= sort_key(most))

    return within


def check_range(low: Value, high: Value) -> None:
    """Refuse bounds of BETWEEN that hold nothing.

    Raises:
        ExpressionError: the bounds are of different types, or upside down.
    """
    bounds = f"lower bound operand: AttributeValue: {shown(low)}, upper bound operand: AttributeValue: {shown(high)}"
    if low.type != high.type:
        raise ExpressionError(f"The BETWEEN operator requires same data type for lower and upper bounds; {bounds}")
    if low.type in ORDERED_TYPES and sort_key(low) > sort_key(high):
        raise ExpressionError(
            f"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {bounds}"
        )


IN_MAX = 100
"""Operands of IN ("Quotas" of the developer guide)."""


def _in(query: Operand, tokens: Tokens, scope: Scope) -> Check:
    tokens.expect("(")
    operands = [_operand(tokens, scope, None, "IN")]
    while tokens.accept(","):
        operands.append(_operand(tokens, scope, None, "IN"))
    tokens.expect(")")
    if len(operands) > IN_MAX:
        raise ExpressionError(
            "The number of operands for operator or function exceeds the maximum; "
            f"operator or function: IN, number of operands: {len(operands) + 1}"
        )

    return among_operands(query, operands)


def among_operands(query: Operand, operands: Sequence[Operand]) -> Check:
    """Whether a value equals one of others."""

    def among(item: Attributes, values: Values) -> bool:
        found = query(item, values)
        candidates = (operand(item, values) for operand in operands)
        return found is not None and any(other is not None and equal(found, other) for other in candidates)

    return among


def _function(name: str, tokens: Tokens, scope: Scope) -> Check:
    """A function that is a condition, up to its closing parenthesis."""
    tokens.nest()
    if name in {"attribute_exists", "attribute_not_exists"}:
        path = _document_path(name, tokens, scope)
        if name == "attribute_exists":
            return lambda item, _values: find(item, path) is not None
        return lambda item, _values: find(item, path) is None
    first = tokens.peek()
    if name == "attribute_type":
        return _attribute_type(_operand(tokens, scope, None, name), tokens, scope)
    types = _BEGINNINGS if name == "begins_with" else None
    subject = _operand(tokens, scope, types, name)
    tokens.expect(",")
    if tokens.peek() == first:
        raise same_operand(name, first, scope)
    operand = _operand(tokens, scope, types, name)
    holds = begins if name == "begins_with" else contains
    return lambda item, values: holds(subject(item, values), operand(item, values))


def _document_path(name: str, tokens: Tokens, scope: Scope) -> Path:
    if tokens.peek()[0] == "value":
        raise ExpressionError(f"Operator or function requires a document path; operator or function: {name}")
    _refuse_function(tokens)
    return scope.path(tokens.expect_path())


def _attribute_type(subject: Operand, tokens: Tokens, scope: Scope) -> Check:
    tokens.expect(",")
    kind, text = tokens.peek()
    if kind != "value":
        raise tokens.wrong()
    tokens.take()
    wanted = scope.value(text, _TEXT, "attribute_type")
    scope.checks.append(lambda values: _check_type_name(values[wanted]))

    def is_of_type(item: Attributes, values: Values) -> bool:
        found = subject(item, values)
        return found is not None and found.type == values[wanted].value

    return is_of_type


def _check_type_name(wanted: Value) -> None:
    if wanted.value not in TYPES:
        raise ExpressionError(
            f"Invalid attribute type name found; type: {wanted.value}, valid types: {{{','.join(sorted(TYPES))}}}"
        )


def begins(found: Value | None, start: Value | None) -> bool:
    """Whether a text or binary begins with another."""
    if found is None or start is None or found.type != start.type or found.type not in _BEGINNINGS:
        return False
    if found.type == "B":
        return binary(found.value).startswith(binary(start.value))
    return bool(found.value.startswith(start.value))


def contains(found: Value | None, operand: Value | None) -> bool:
    """Whether a list or set has a member, or a text or binary a part."""
    if found is None or operand is None:
        return False
    if found.type == "L":
        return any(equal(child, operand) for child in found.value)
    if found.type in SET_TYPES:
        return found.type[0] == operand.type and sort_key(operand) in members(found)
    if found.type in {"S", "B"} and found.type == operand.type:
        return sort_key(operand) in sort_key(found)
    return False


def size_value(found: Value | None) -> Value | None:
    """Bytes of a text or binary, members of a set, children of a list or map; None for all else.

    Of a text: "an attribute's size in bytes" ("Using the SIZE function with PartiQL for Amazon DynamoDB").
    """
    if found is None or found.type not in _SIZED:
        return None
    held = found.value
    if found.type == "B":
        held = binary(held)
    elif found.type == "S" and not held.isascii():
        held = held.encode()
    return Computed("N", str(len(held)))
