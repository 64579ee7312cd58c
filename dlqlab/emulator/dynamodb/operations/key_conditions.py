"""KeyConditionExpression: one hash key, and a range of range keys.

Rules: "Key condition expressions for the Query operation" of the developer guide.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dlqlab.emulator.dynamodb.conditions import check_range
from dlqlab.emulator.dynamodb.grammar import Scope, Tokens
from dlqlab.emulator.dynamodb.operations.tables import KeyAttribute, KeySchema
from dlqlab.emulator.dynamodb.unsupported import ExpressionError, InvalidError
from dlqlab.emulator.dynamodb.values import Attributes, Value, binary, equal, sort_key

_OPERATORS = ("=", "<", "<=", ">", ">=", "<>")
_FUNCTIONS = ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size")
_BEGINNINGS = frozenset({"S", "B"})
_HOLDS: Mapping[str, Callable[[Value, list[Value]], bool]] = {
    "=": lambda found, bounds: equal(found, bounds[0]),
    "<": lambda found, bounds: sort_key(found) < sort_key(bounds[0]),
    "<=": lambda found, bounds: sort_key(found) <= sort_key(bounds[0]),
    ">": lambda found, bounds: sort_key(found) > sort_key(bounds[0]),
    ">=": lambda found, bounds: sort_key(found) >= sort_key(bounds[0]),
    "BETWEEN": lambda found, bounds: sort_key(bounds[0]) <= sort_key(found) <= sort_key(bounds[1]),
    "begins_with": lambda found, bounds: _begins(found, bounds[0]),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One condition: an attribute, an operator, and the placeholders of its values."""

    name: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """What a query finds: a hash key, and which range keys; no test means all."""

    hash: Value
    test: Callable[[Value], bool] | None


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """One or two conditions on keys."""

    parts: tuple[Part, ...]

    def of(self, keys: KeySchema, values: Attributes) -> Range:
        """What the condition means for the keys of a table or an index.

        Raises:
            InvalidError: it is not a condition on these keys.
        """
        named = {part.name: part for part in self.parts}
        first = named.pop(keys.hash.name, None)
        if first is None:
            raise InvalidError(f"Query condition missed key schema element: {keys.hash.name}")
        if first.operator != "=":
            raise InvalidError("Query key condition not supported")
        second = None
        if named:
            if keys.range is None or keys.range.name not in named:
                raise InvalidError(
                    f"Query condition missed key schema element: {keys.range.name}"
                    if keys.range
                    else "Query key condition not supported"
                )
            second = named[keys.range.name]
        hash_value = _bound(keys.hash, first, values)[0]
        if second is None or keys.range is None:
            return Range(hash_value, None)
        bounds, holds = _bound(keys.range, second, values), _HOLDS[second.operator]
        return Range(hash_value, lambda found: holds(found, bounds))


def compile_key_condition(text: str, scope: Scope) -> KeyCondition:
    """The condition.

    Raises:
        ExpressionError: DynamoDB refuses it.
    """
    tokens = Tokens(text)
    parts = _conjunction(tokens, scope)
    tokens.end()
    names = [part.name for part in parts]
    if len(set(names)) < len(names):
        raise ExpressionError("KeyConditionExpressions must only contain one condition per key")
    if len(parts) > 2:  # noqa: PLR2004  (hash and range)
        raise InvalidError("Conditions can be of length 1 or 2 only")
    return KeyCondition(tuple(parts))


def _conjunction(tokens: Tokens, scope: Scope) -> list[Part]:
    parts = _single(tokens, scope)
    while tokens.keyword("AND"):
        parts += _single(tokens, scope)
    if tokens.keyword("OR"):
        raise _operator("OR")
    return parts


def _single(tokens: Tokens, scope: Scope) -> list[Part]:
    if tokens.keyword("NOT"):
        raise _operator("NOT")
    if tokens.accept("("):
        tokens.nest()
        opened = tokens.opened()
        parts = _conjunction(tokens, scope)
        tokens.close(opened)
        return parts
    function = tokens.function(_FUNCTIONS)
    if function == "begins_with":
        name = _attribute(tokens, scope)
        tokens.expect(",")
        value = _value(tokens, scope, function, _BEGINNINGS)
        tokens.expect(")")
        return [Part(name, function, (value,))]
    if function:
        raise _operator(function)
    unknown = tokens.unknown_function()
    if unknown:
        raise ExpressionError(f"Invalid function name; function: {unknown}")
    return [_comparison(tokens, scope)]


def _comparison(tokens: Tokens, scope: Scope) -> Part:
    name = _attribute(tokens, scope)
    if tokens.keyword("BETWEEN"):
        low = _value(tokens, scope, "BETWEEN")
        tokens.expect_word("AND")
        high = _value(tokens, scope, "BETWEEN")
        scope.checks.append(lambda values: check_range(values[low], values[high]))
        return Part(name, "BETWEEN", (low, high))
    if tokens.keyword("IN"):
        raise _operator("IN")
    sign = tokens.accept(*_OPERATORS)
    if not sign:
        raise tokens.wrong()
    if sign == "<>":
        raise _operator(sign)
    return Part(name, sign, (_value(tokens, scope, sign),))


def _attribute(tokens: Tokens, scope: Scope) -> str:
    path = scope.path(tokens.expect_path())
    if len(path) > 1:
        raise ExpressionError("KeyConditionExpressions cannot have conditions on nested attributes")
    return str(path[0])


def _value(tokens: Tokens, scope: Scope, operator: str, types: frozenset[str] | None = None) -> str:
    kind, text = tokens.peek()
    if kind == "path":
        raise ExpressionError("Multiple attribute names used in one condition")
    if kind != "value":
        raise tokens.wrong()
    tokens.take()
    return scope.value(text, types, operator)


def _operator(name: str) -> ExpressionError:
    return ExpressionError(f"Invalid operator used in KeyConditionExpression: {name}")


def _bound(key: KeyAttribute, part: Part, values: Attributes) -> list[Value]:
    """The values of a condition on a key."""
    bounds = [values[name] for name in part.values]
    for bound in bounds:
        if bound.type != key.type:
            raise InvalidError(
                "One or more parameter values were invalid: Condition parameter type does not match schema type"
            )
        if not bound.value and bound.type != "N":
            kind = "string" if bound.type == "S" else "binary"
            raise InvalidError(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
                f"empty {kind} value. Key: {key.name}"
            )
    return bounds


def _begins(found: Value, start: Value) -> bool:
    if found.type == "B":
        return binary(found.value).startswith(binary(start.value))
    return bool(found.value.startswith(start.value))
