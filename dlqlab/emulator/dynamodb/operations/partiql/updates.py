"""SET and REMOVE of a statement, as an update like that of an UpdateExpression."""

from collections.abc import Callable

from dlqlab.emulator.dynamodb import numeric
from dlqlab.emulator.dynamodb.conditions import Operand
from dlqlab.emulator.dynamodb.documents import put, remove
from dlqlab.emulator.dynamodb.grammar import Path, find
from dlqlab.emulator.dynamodb.operations.partiql import syntax
from dlqlab.emulator.dynamodb.stored import make
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from dlqlab.emulator.dynamodb.updates import Act, Action, Update, added, assignment, deleted, present_value, update_of
from dlqlab.emulator.dynamodb.values import SET_TYPES, Attributes, Make, Value, copy

_WRONG_TYPE = "An operand in the update expression has an incorrect data type"


def update(statement: syntax.Update) -> Update:
    """The update.

    Raises:
        InvalidError: DynamoDB refuses it.
    """
    actions = [_assignment(path, term) for path, term in statement.assigned]
    actions += [Action("REMOVE", path, _removal(path)) for path in statement.removed]
    return update_of(actions)


def _removal(path: Path) -> Act:
    return lambda _old, new, _values: remove(new, path, make)


def _assignment(path: Path, term: syntax.Term) -> Action:
    if isinstance(term, syntax.Call) and term.name in {"set_add", "set_delete"}:
        return _set_operation(path, term)
    return Action("SET", path, assignment(path, _operand(term), make))


def _set_operation(path: Path, call: syntax.Call) -> Action:
    target, members = call.arguments
    name = call.name.removeprefix("set_").upper()
    if target != syntax.Reference(path):
        raise InvalidError(f"The first argument to SET_{name} must equal the assignment value")
    if not isinstance(members, syntax.Literal) or members.value.type not in SET_TYPES:
        raise InvalidError(f"The second argument to SET_{name} must be a value with type SET")
    value = members.value
    change: Callable[[Value | None, Value, Make], Value | None] = added if name == "ADD" else deleted

    def act(old: Attributes, new: dict[str, Value], _values: Attributes) -> None:
        changed = change(find(old, path), value, make)
        if changed is not None:
            put(new, path, changed, make)
        elif find(old, path) is not None:
            remove(new, path, make)

    return Action(name, path, act)


def _operand(term: syntax.Term) -> Operand:
    if isinstance(term, syntax.Literal):
        value = term.value
        return lambda _old, _values: copy(value, make)
    if isinstance(term, syntax.Reference):
        path = term.path
        return lambda old, _values: _copied(find(old, path))
    if isinstance(term, syntax.Sum):
        return _sum(term)
    if term.name != "list_append":
        raise InvalidError(f"Unsupported operator in Update Expression. Operator: {term.name}")
    first, second = (_operand(argument) for argument in term.arguments)

    def appended(old: Attributes, values: Attributes) -> Value:
        one, other = present_value(first(old, values)), present_value(second(old, values))
        if one.type != "L" or other.type != "L":
            raise InvalidError(_WRONG_TYPE)
        return make("L", [*one.value, *other.value])

    return appended


def _copied(value: Value | None) -> Value | None:
    return None if value is None else copy(value, make)


def _sum(term: syntax.Sum) -> Operand:
    left, right = _operand(term.left), _operand(term.right)
    combine = numeric.add if term.sign == "+" else numeric.subtract

    def combined(old: Attributes, values: Attributes) -> Value:
        one, other = present_value(left(old, values)), present_value(right(old, values))
        if one.type != "N" or other.type != "N":
            raise InvalidError(_WRONG_TYPE)
        return make("N", combine(one.value, other.value))

    return combined
