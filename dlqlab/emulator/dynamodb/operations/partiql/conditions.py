"""WHERE: the condition on items, and the keys that it names."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass

from dlqlab.emulator.dynamodb import conditions
from dlqlab.emulator.dynamodb.conditions import Check, Operand, check_range
from dlqlab.emulator.dynamodb.grammar import find
from dlqlab.emulator.dynamodb.operations.partiql import syntax
from dlqlab.emulator.dynamodb.operations.tables import Index, Key, KeySchema, Table
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from dlqlab.emulator.dynamodb.values import ORDERED_TYPES, SET_TYPES, TYPES, Attributes, Value

NO_FULL_KEY = "Where clause does not contain a mandatory equality on all key attributes"
_BEGINNINGS = frozenset({"S", "B"})
_SIZED = frozenset({"S", "B", "L", "M"}) | SET_TYPES
_RANGES = ("=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Where:
    """A condition, and what of it is about keys."""

    check: Check | None
    keys: Check | None
    """The part that keys alone decide: what fails it is not looked at."""
    hashes: tuple[Value, ...] | None
    """The hash keys that are asked for; None for all."""


def holds_always(_item: Attributes, _values: Attributes) -> bool:
    """The condition of a statement without one."""
    return True


def check_of(condition: syntax.Condition | None) -> Check:
    """The condition as a function of an item.

    Raises:
        InvalidError: DynamoDB refuses it.
    """
    if condition is None:
        return holds_always
    if isinstance(condition, syntax.Joined):
        return _joined(condition)
    if isinstance(condition, syntax.Negated):
        inner = check_of(condition.condition)
        return lambda item, values: not inner(item, values)
    return _single(condition)


def _joined(condition: syntax.Joined) -> Check:
    checks = [check_of(each) for each in condition.conditions]
    join: Callable[[Iterable[bool]], bool] = all if condition.word == "AND" else any
    return lambda item, values: join(check(item, values) for check in checks)


def _single(condition: syntax.Predicate) -> Check:
    if isinstance(condition, syntax.Compared):
        return _compared(condition)
    if isinstance(condition, syntax.Between):
        return _between(condition)
    if isinstance(condition, syntax.Among):
        return _among(condition)
    return _of_type(condition) if isinstance(condition, syntax.OfType) else _called(condition)


def operand_of(term: syntax.Term) -> Operand:
    """The term as a function of an item.

    Raises:
        InvalidError: no operand of a condition.
    """
    if isinstance(term, syntax.Literal):
        value = term.value
        return lambda _item, _values: value
    if isinstance(term, syntax.Reference):
        path = term.path
        return lambda item, _values: find(item, path)
    if isinstance(term, syntax.Call) and term.name == "size":
        _check_type(term.arguments[0], _SIZED, "size")
        sized = operand_of(term.arguments[0])
        return lambda item, values: conditions.size_value(sized(item, values))
    shown = term.name if isinstance(term, syntax.Call) else term.sign
    raise InvalidError(f"Unsupported operator in Condition Expression. Operator: {shown}")


def _check_type(term: syntax.Term, types: frozenset[str], operator: str) -> None:
    if isinstance(term, syntax.Literal) and term.value.type not in types:
        raise InvalidError(
            "Incorrect operand type for operator or function; "
            f"operator or function: {operator}, operand type: {term.value.type}"
        )


def _compared(condition: syntax.Compared) -> Check:
    if condition.sign not in {"=", "<>"}:
        for term in (condition.left, condition.right):
            _check_type(term, ORDERED_TYPES, condition.sign)
    return conditions.comparison(condition.sign, operand_of(condition.left), operand_of(condition.right))


def _between(condition: syntax.Between) -> Check:
    for term in (condition.low, condition.high):
        _check_type(term, ORDERED_TYPES, "BETWEEN")
    if isinstance(condition.low, syntax.Literal) and isinstance(condition.high, syntax.Literal):
        check_range(condition.low.value, condition.high.value)
    return conditions.between(operand_of(condition.term), operand_of(condition.low), operand_of(condition.high))


def _among(condition: syntax.Among) -> Check:
    if not isinstance(condition.term, syntax.Reference):
        raise InvalidError(
            "IN operator must have a left hand argument of type Variable Reference and right hand argument of type Seq "
            "with at least one member"
        )
    return conditions.among_operands(operand_of(condition.term), [operand_of(term) for term in condition.terms])


def _of_type(condition: syntax.OfType) -> Check:
    found, kind = operand_of(condition.term), condition.type

    def is_of_type(item: Attributes, values: Attributes) -> bool:
        value = found(item, values)
        return value is None if kind == "MISSING" else value is not None and value.type == kind

    return is_of_type


def _called(call: syntax.Call) -> Check:
    subject = operand_of(call.arguments[0])
    if call.name in {"attribute_exists", "attribute_not_exists"}:
        wanted = call.name == "attribute_exists"
        return lambda item, values: (subject(item, values) is not None) == wanted
    if call.name == "attribute_type":
        return _attribute_type(subject, call.arguments[1])
    if call.name == "begins_with":
        _check_type(call.arguments[1], _BEGINNINGS, "begins_with")
    holds = conditions.begins if call.name == "begins_with" else conditions.contains
    other = operand_of(call.arguments[1])
    return lambda item, values: holds(subject(item, values), other(item, values))


def _attribute_type(subject: Operand, wanted: syntax.Term) -> Check:
    if not isinstance(wanted, syntax.Literal) or wanted.value.type != "S" or wanted.value.value not in TYPES:
        shown = wanted.value.value if isinstance(wanted, syntax.Literal) else "an attribute"
        raise InvalidError(
            f"Invalid attribute type name found; type: {shown}, valid types: {{{','.join(sorted(TYPES))}}}"
        )
    kind = wanted.value.value

    def is_of_type(item: Attributes, values: Attributes) -> bool:
        value = subject(item, values)
        return value is not None and value.type == kind

    return is_of_type


def conjuncts(condition: syntax.Condition | None) -> list[syntax.Condition]:
    """The conditions that must all hold."""
    if condition is None:
        return []
    if isinstance(condition, syntax.Joined) and condition.word == "AND":
        return [part for each in condition.conditions for part in conjuncts(each)]
    return [condition]


def full_key(table: Table, condition: syntax.Condition | None) -> tuple[Key, list[syntax.Condition]] | None:
    """The one key that a condition names, and the rest of the condition; None where it names none, or several.

    Raises:
        InvalidError: a key of another type.
    """
    named: dict[str, Value] = {}
    rest = []
    for part in conjuncts(condition):
        name, value = _equality(part)
        if name in table.keys.names and name not in named and value is not None:
            named[name] = value
        elif name in table.keys.names:
            raise InvalidError(
                f"Multiple conditions on same key {name}. Only single item Update/Insert/Delete are supported"
            )
        else:
            rest.append(part)
    if named.keys() != set(table.keys.names):
        return None
    _check_key_types(table.keys, named.items())
    return table.key_of(named), rest


def where_of(condition: syntax.Condition | None, keys: KeySchema) -> Where:
    """The condition of a SELECT of a table or an index with these keys.

    Raises:
        InvalidError: DynamoDB refuses it.
    """
    check = check_of(condition)
    parts = conjuncts(condition)
    hashes = next((found for part in parts if (found := _hashes(part, keys.hash.name)) is not None), None)
    if hashes is None:
        return Where(check, None, None)
    _check_key_types(keys, [(keys.hash.name, value) for value in hashes])
    of_keys = [part for part in parts if _is_of_keys(part, keys)]
    return Where(check, check_of(syntax.Joined("AND", tuple(of_keys))), hashes)


def _hashes(part: syntax.Condition, name: str) -> tuple[Value, ...] | None:
    """The hash keys that a condition allows; None where it is about something else."""
    equal, value = _equality(part)
    if equal == name and value is not None:
        return (value,)
    if isinstance(part, syntax.Among) and part.term == syntax.Reference((name,)):
        found = [term.value for term in part.terms if isinstance(term, syntax.Literal)]
        return tuple(found) if len(found) == len(part.terms) else None
    return None


def _is_of_keys(part: syntax.Condition, keys: KeySchema) -> bool:
    """Whether it is a condition that a query can have on its keys."""
    if _hashes(part, keys.hash.name) is not None:
        return True
    if keys.range is None:
        return False
    reference = syntax.Reference((keys.range.name,))
    if isinstance(part, syntax.Compared):
        return part.left == reference and part.sign in _RANGES and isinstance(part.right, syntax.Literal)
    if isinstance(part, syntax.Between):
        bounds = (part.low, part.high)
        return part.term == reference and all(isinstance(bound, syntax.Literal) for bound in bounds)
    return (
        isinstance(part, syntax.Call)
        and part.name == "begins_with"
        and part.arguments[0] == reference
        and isinstance(part.arguments[1], syntax.Literal)
    )


def _equality(part: syntax.Condition) -> tuple[str, Value | None]:
    """The attribute and the value of ``attribute = value``, either way round; no name for all else."""
    if isinstance(part, syntax.Compared) and part.sign == "=":
        for one, other in ((part.left, part.right), (part.right, part.left)):
            if isinstance(one, syntax.Reference) and isinstance(other, syntax.Literal) and len(one.path) == 1:
                return str(one.path[0]), other.value
    return "", None


def _check_key_types(keys: KeySchema, named: Iterable[tuple[str, Value]]) -> None:
    types = {part.name: part.type for part in keys.parts}
    for name, value in named:
        if value.type != types[name]:
            raise InvalidError(f"Key attribute's data type should match its data type in table's schema: Key {name}")


def check_projected(index: Index, condition: syntax.Condition | None) -> None:
    """Refuse a condition on what the index does not hold, beside one on its hash key.

    Raises:
        InvalidError: as described.
    """
    if index.projected is None:
        return
    lacking = sorted({root for root in _roots(condition) if root not in index.projected})
    if lacking:
        raise InvalidError(
            f"One or more parameter values were invalid: Secondary index {index.name} does not project one or more "
            f"filter attributes: [{', '.join(lacking)}]"
        )


def _roots(part: object) -> Iterable[str]:
    """The attributes that a condition, or what it is made of, looks at."""
    if isinstance(part, syntax.Reference):
        yield str(part.path[0])
    elif isinstance(part, tuple):
        for each in part:
            yield from _roots(each)
    elif is_dataclass(part) and not isinstance(part, syntax.Literal):
        yield from _roots(tuple(getattr(part, field.name) for field in fields(part)))
