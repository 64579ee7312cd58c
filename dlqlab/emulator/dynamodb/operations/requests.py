"""The expressions of a request, compiled and checked together, with DynamoDB's errors."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from dlqlab.emulator.dynamodb.conditions import Check, compile_condition
from dlqlab.emulator.dynamodb.grammar import Scope
from dlqlab.emulator.dynamodb.operations.key_conditions import KeyCondition, compile_key_condition
from dlqlab.emulator.dynamodb.operations.legacy import modern
from dlqlab.emulator.dynamodb.operations.names import (
    CONDITION,
    FILTER,
    KEY_CONDITION,
    NAMES,
    PROJECTION,
    UPDATE,
    VALUES,
)
from dlqlab.emulator.dynamodb.operations.projections import Projection, compile_projection
from dlqlab.emulator.dynamodb.stored import make
from dlqlab.emulator.dynamodb.unsupported import ExpressionError, InvalidError
from dlqlab.emulator.dynamodb.updates import Update, compile_update
from dlqlab.emulator.dynamodb.values import Attributes, Value, read

RESERVED: Collection[str] = frozenset(ReservedKeywords.get_reserved_keywords())
_NAME_KEY, _VALUE_KEY = re.compile(r"#[A-Za-z0-9_]+"), re.compile(r":[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressions:
    """The compiled expressions of a request, and its values."""

    values: Attributes
    update: Update | None = None
    condition: Check | None = None
    filter: Check | None = None
    filter_roots: frozenset[str] = frozenset()
    """The attributes that the filter looks at."""
    key_condition: KeyCondition | None = None
    projection: Projection | None = None

    def holds(self, attributes: Attributes) -> bool:
        """Whether the condition holds; no attributes mean that there is no item."""
        return self.condition is None or self.condition(attributes, self.values)


def attributes(members: Mapping[str, Any], name: str) -> dict[str, Value]:
    """A map of attribute values; empty where it is not given.

    Raises:
        InvalidError: a value or a name is not valid.
    """
    given = members.get(name) or {}
    if "" in given:
        raise InvalidError("One or more parameter values were invalid: An attribute name may not be empty")
    return {key: read(value, make) for key, value in given.items()}


def compile_request(members: Mapping[str, Any], *expected: str) -> Expressions:
    """The request's expressions.

    Args:
        members: the request.
        expected: the parameters of the operation that hold expressions, in the order in which they are read.

    Raises:
        InvalidError: DynamoDB refuses an expression, a name or a value.
    """
    members = modern(members, expected)
    given = [name for name in expected if members.get(name) is not None]
    names, values = _names(members, given), _values(members, given, expected)
    scope = Scope(names, RESERVED)
    compiled: dict[str, Any] = {}
    for name in given:
        before = len(scope.types), len(scope.checks)
        scope.roots.clear()
        try:
            compiled[name] = _COMPILERS[name](members[name], scope)
            _check_values(scope, values, before)
        except ExpressionError as error:
            raise InvalidError(f"Invalid {name}: {error.message}") from error
        if name == FILTER:
            compiled["roots"] = frozenset(scope.roots)
    _check_used(names, scope.names_used, NAMES)
    _check_used(values, scope.values_used, VALUES)
    return Expressions(
        values=values,
        update=compiled.get(UPDATE),
        condition=compiled.get(CONDITION),
        filter=compiled.get(FILTER),
        filter_roots=compiled.get("roots", frozenset()),
        key_condition=compiled.get(KEY_CONDITION),
        projection=compiled.get(PROJECTION),
    )


_COMPILERS: Mapping[str, Callable[[str, Scope], Any]] = {
    CONDITION: compile_condition,
    FILTER: compile_condition,
    UPDATE: lambda text, scope: compile_update(text, scope, make),
    KEY_CONDITION: compile_key_condition,
    PROJECTION: compile_projection,
}


def _names(members: Mapping[str, Any], given: list[str]) -> dict[str, str]:
    names = members.get(NAMES)
    if names is None:
        return {}
    if not given:
        raise InvalidError(f"{NAMES} can only be specified when using expressions")
    if not names:
        raise InvalidError(f"{NAMES} must not be empty")
    for key, name in names.items():
        if not _NAME_KEY.fullmatch(key):
            raise InvalidError(f'{NAMES} contains invalid key: Syntax error; key: "{key}"')
        if not name:
            raise InvalidError(f"{NAMES} contains invalid value: Attribute name must not be empty for key {key}")
    return dict(names)


def _values(members: Mapping[str, Any], given: list[str], expected: tuple[str, ...]) -> dict[str, Value]:
    values = members.get(VALUES)
    if values is None:
        return {}
    users = [name for name in expected if name != PROJECTION]
    if not any(name in given for name in users):
        verb = "is" if len(users) == 1 else "are"
        raise InvalidError(f"{VALUES} can only be specified when using expressions: {' and '.join(users)} {verb} null")
    if not values:
        raise InvalidError(f"{VALUES} must not be empty")
    found = {}
    for key, value in values.items():
        if not _VALUE_KEY.fullmatch(key):
            raise InvalidError(f'{VALUES} contains invalid key: Syntax error; key: "{key}"')
        try:
            found[key] = read(value, make)
        except InvalidError as error:
            raise InvalidError(f"{VALUES} contains invalid value: {error.message} for key {key}", error.code) from error
    return found


def _check_values(scope: Scope, values: Attributes, before: tuple[int, int]) -> None:
    """Refuse values that the expression read last cannot have."""
    for name in sorted(scope.values_used):
        if name not in values:
            raise ExpressionError(
                f"An expression attribute value used in expression is not defined; attribute value: {name}"
            )
    for name, types, operator in scope.types[before[0] :]:
        if values[name].type not in types:
            raise ExpressionError(
                "Incorrect operand type for operator or function; "
                f"operator or function: {operator}, operand type: {values[name].type}"
            )
    for check in scope.checks[before[1] :]:
        check(values)


def _check_used(given: Collection[str], used: Collection[str], name: str) -> None:
    unused = [key for key in given if key not in used]
    if unused:
        raise InvalidError(f"Value provided in {name} unused in expressions: keys: {{{', '.join(unused)}}}")
