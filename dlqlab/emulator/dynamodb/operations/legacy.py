"""Parameters from before expressions, as expressions ("Legacy conditional parameters" of the developer guide).

Names and values get placeholders that no request can have, so that all checks are those of expressions.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from dlqlab.emulator.dynamodb.operations.names import (
    CONDITION,
    FILTER,
    KEY_CONDITION,
    NAMES,
    PROJECTION,
    UPDATE,
    VALUES,
)
from dlqlab.emulator.dynamodb.unsupported import InvalidError

LEGACY = (
    "AttributesToGet",
    "AttributeUpdates",
    "ConditionalOperator",
    "Expected",
    "KeyConditions",
    "QueryFilter",
    "ScanFilter",
)
_PARAMETERS = "One or more parameter values were invalid: "
_SIGNS = {"EQ": "=", "NE": "<>", "LE": "<=", "LT": "<", "GE": ">=", "GT": ">"}
_FUNCTIONS = {"BEGINS_WITH": "begins_with({}, {})", "CONTAINS": "contains({}, {})"}
_ARGUMENTS = {"NULL": 0, "NOT_NULL": 0, "BETWEEN": 2}


class _Placeholders:
    """Names and values with their placeholders."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def name(self, attribute: str) -> str:
        self.names[f"#legacy{len(self.names)}"] = attribute
        return f"#legacy{len(self.names) - 1}"

    def value(self, value: Any) -> str:
        self.values[f":legacy{len(self.values)}"] = value
        return f":legacy{len(self.values) - 1}"


def modern(members: Mapping[str, Any], expected: Collection[str]) -> Mapping[str, Any]:
    """The request with expressions in the place of older parameters; itself where it has none.

    Args:
        members: the request.
        expected: the parameters of the operation that hold expressions.

    Raises:
        InvalidError: there are expressions too, or DynamoDB refuses a condition or an action.
    """
    legacy = [name for name in LEGACY if members.get(name) is not None]
    if not legacy:
        return members
    given = [name for name in expected if members.get(name) is not None]
    if given:
        raise InvalidError(
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: "
            f"{{{', '.join(legacy)}}} Expression parameters: {{{', '.join(given)}}}"
        )
    held = _Placeholders()
    word = f" {members.get('ConditionalOperator') or 'AND'} "
    made: dict[str, str] = {}
    for name, expression, read in _READERS:
        older = members.get(name)
        if older:
            made[expression] = read(older, held, " AND " if name == "KeyConditions" else word)
    rest = {name: value for name, value in members.items() if name not in LEGACY}
    names, values = {NAMES: held.names} if held.names else {}, {VALUES: held.values} if held.values else {}
    return {**rest, **made, **names, **values}


def _projection(attributes: list[str], held: _Placeholders, _word: str) -> str:
    return ", ".join(held.name(attribute) for attribute in dict.fromkeys(attributes))


def _update(updates: Mapping[str, Any], held: _Placeholders, _word: str) -> str:
    clauses: dict[str, list[str]] = {}
    for attribute, update in updates.items():
        action, name = update.get("Action", "PUT"), held.name(attribute)
        value = held.value(update["Value"]) if update.get("Value") is not None else None
        if action == "DELETE" and value is None:
            clauses.setdefault("REMOVE", []).append(name)
        elif value is None:
            raise InvalidError(f"{_PARAMETERS}Only DELETE action is allowed when no attribute value is specified")
        elif action == "PUT":
            clauses.setdefault("SET", []).append(f"{name} = {value}")
        else:
            clauses.setdefault(action, []).append(f"{name} {value}")
    return " ".join(f"{clause} {', '.join(parts)}" for clause, parts in clauses.items())


def _expected(expected: Mapping[str, Any], held: _Placeholders, word: str) -> str:
    return word.join(_expectation(attribute, each, held) for attribute, each in expected.items())


def _expectation(attribute: str, each: Mapping[str, Any], held: _Placeholders) -> str:
    if "ComparisonOperator" in each:
        arguments = each.get("AttributeValueList", [each["Value"]] if "Value" in each else [])
        return _condition(attribute, each["ComparisonOperator"], arguments, held)
    exists = each.get("Exists", True)
    if not exists and "Value" in each:
        raise InvalidError(f"{_PARAMETERS}Value cannot be used when Exists is set to false for Attribute: {attribute}")
    if exists and "Value" not in each:
        raise InvalidError(f"{_PARAMETERS}Value must be provided when Exists is set to true for Attribute: {attribute}")
    if not exists:
        return f"attribute_not_exists({held.name(attribute)})"
    return f"{held.name(attribute)} = {held.value(each['Value'])}"


def _conditions(conditions: Mapping[str, Any], held: _Placeholders, word: str) -> str:
    return word.join(
        _condition(attribute, each["ComparisonOperator"], each.get("AttributeValueList") or [], held)
        for attribute, each in conditions.items()
    )


def _condition(attribute: str, operator: str, arguments: list[Any], held: _Placeholders) -> str:
    wanted = _ARGUMENTS.get(operator, 1)
    if (operator == "IN" and not arguments) or (operator != "IN" and len(arguments) != wanted):
        raise InvalidError(f"{_PARAMETERS}Invalid number of argument(s) for the {operator} ComparisonOperator")
    name, values = held.name(attribute), [held.value(argument) for argument in arguments]
    write: Mapping[str, Callable[[], str]] = {
        "NULL": lambda: f"attribute_not_exists({name})",
        "NOT_NULL": lambda: f"attribute_exists({name})",
        "IN": lambda: f"{name} IN ({', '.join(values)})",
        "BETWEEN": lambda: f"{name} BETWEEN {' AND '.join(values)}",
        "NOT_CONTAINS": lambda: f"(attribute_exists({name}) AND NOT contains({name}, {values[0]}))",
    }
    if operator in write:
        return write[operator]()
    if operator in _FUNCTIONS:
        return _FUNCTIONS[operator].format(name, values[0])
    return f"{name} {_SIGNS[operator]} {values[0]}"


_READERS: tuple[tuple[str, str, Callable[[Any, _Placeholders, str], str]], ...] = (
    ("AttributesToGet", PROJECTION, _projection),
    ("AttributeUpdates", UPDATE, _update),
    ("Expected", CONDITION, _expected),
    ("KeyConditions", KEY_CONDITION, _conditions),
    ("QueryFilter", FILTER, _conditions),
    ("ScanFilter", FILTER, _conditions),
)
"""Older parameters, the expressions that take their place, and how they are read."""
