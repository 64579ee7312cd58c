"""UpdateExpression compiled to a function from an item's old attributes to its new ones.

Grammar and meaning: "Update expressions" of the DynamoDB developer guide. Every operand is read from the item as it was
before the update. The old attributes are not changed: changed lists and maps are new ones, so an update that turns out
to be wrong half-way has done nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from dlqlab.emulator.dynamodb import numeric
from dlqlab.emulator.dynamodb.conditions import Operand, Values
from dlqlab.emulator.dynamodb.documents import put, remove
from dlqlab.emulator.dynamodb.grammar import Path, Scope, Tokens, find
from dlqlab.emulator.dynamodb.unsupported import ExpressionError, InvalidError
from dlqlab.emulator.dynamodb.values import NESTING_MAX, SET_TYPES, Attributes, Make, Value, copy, depth_of

Act = Callable[[Attributes, dict[str, Value], Values], None]
"""Reads the old attributes and the request's values, writes to the new attributes."""

_CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")
_SET_FUNCTIONS = ("if_not_exists", "list_append")
_NUMBER = frozenset({"N"})
_LIST = frozenset({"L"})
_NO_UPDATES = ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size")
"""Functions that only conditions have."""
_WRONG_TYPE = "An operand in the update expression has an incorrect data type"
TYPE_NAMES = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "BOOL": "BOOLEAN",
    "NULL": "NULL",
    "L": "LIST",
    "M": "MAP",
    "SS": "STRING SET",
    "NS": "NUMBER SET",
    "BS": "BINARY SET",
}
"""Types as DynamoDB's errors call them."""


@dataclass(frozen=True, slots=True)
class Action:
    """One assignment or removal."""

    clause: str
    path: Path
    act: Act


@dataclass(frozen=True, slots=True)
class Update:
    """A compiled UpdateExpression."""

    actions: tuple[Action, ...]
    roots: frozenset[str]
    """The attributes that are written."""

    @property
    def makes_item(self) -> bool:
        """Whether the update may make an item where there is none: it gives a value to an attribute."""
        return any(action.clause in {"SET", "ADD"} for action in self.actions)

    def apply(self, old: Attributes, values: Values) -> dict[str, Value]:
        """The new attributes.

        Raises:
            UnsupportedError: the update does not fit the item.
        """
        new = dict(old)
        for action in self.actions:
            action.act(old, new, values)
        return new


def compile_update(text: str, scope: Scope, make: Make) -> Update:
    """The update.

    Raises:
        ExpressionError: DynamoDB refuses the update.
        UnsupportedError: more functions than are done here.
    """
    tokens = Tokens(text)
    actions: list[Action] = []
    clauses: list[str] = []
    while clause := tokens.keyword(*_CLAUSES):
        if clause in clauses:
            raise ExpressionError(f'The "{clause}" section can only be used once in an update expression;')
        clauses.append(clause)
        actions.append(_action(clause, tokens, scope, make))
        while tokens.accept(","):
            actions.append(_action(clause, tokens, scope, make))
    tokens.end()
    return update_of(actions)


def update_of(actions: list[Action]) -> Update:
    """The update of some actions.

    Raises:
        ExpressionError: two of them write to the same place.
    """
    _check_overlaps([action.path for action in actions])
    return Update(_in_order(actions), frozenset(str(action.path[0]) for action in actions))


def _action(clause: str, tokens: Tokens, scope: Scope, make: Make) -> Action:
    path = scope.path(tokens.expect_path())
    if clause == "REMOVE":
        return Action(clause, path, lambda _old, new, _values: remove(new, path, make))
    if clause == "SET":
        tokens.expect("=")
        return Action(clause, path, assignment(path, _assigned(path, tokens, scope, make), make))
    kind, text = tokens.peek()
    if kind != "value":
        raise tokens.wrong()
    tokens.take()
    name = scope.value(text)
    scope.checks.append(lambda values: _check_operand(clause, values[name]))
    change = added if clause == "ADD" else deleted

    def act(_old: Attributes, new: dict[str, Value], values: Values) -> None:
        changed = change(find(new, path), values[name], make)
        if changed is not None:
            put(new, path, changed, make)
        elif find(new, path) is not None:
            remove(new, path, make)

    return Action(clause, path, act)


def assignment(path: Path, operand: Operand, make: Make) -> Act:
    """What assigns an operand to a path."""
    above = len(path) - 1

    def assign(old: Attributes, new: dict[str, Value], values: Values) -> None:
        value = present_value(operand(old, values))
        if above and value.type in {"L", "M"} and above + depth_of(value) >= NESTING_MAX:
            raise InvalidError("Nesting Levels have exceeded supported limits")
        put(new, path, value, make)

    return assign


def _check_operand(clause: str, value: Value) -> None:
    if value.type not in SET_TYPES and (clause != "ADD" or value.type != "N"):
        raise ExpressionError(
            f"Incorrect operand type for operator or function; operator: {clause}, "
            f"operand type: {TYPE_NAMES[value.type]}, typeSet: ALLOWED_FOR_{clause}_OPERAND"
        )


def _assigned(target: Path, tokens: Tokens, scope: Scope, make: Make) -> Operand:
    """What SET assigns: an operand, a sum or a difference."""
    first = tokens.peek()
    left = _operand(target, tokens, scope, make)
    sign = tokens.accept("+", "-")
    if not sign:
        return left
    second = tokens.peek()
    right = _operand(target, tokens, scope, make)
    for kind, text in (first, second):
        if kind == "value":
            scope.value(text, _NUMBER, sign)
    combine = numeric.add if sign == "+" else numeric.subtract

    def combined(old: Attributes, values: Values) -> Value:
        one, other = present_value(left(old, values)), present_value(right(old, values))
        if one.type != "N" or other.type != "N":
            raise InvalidError(_WRONG_TYPE)
        return make("N", combine(one.value, other.value))

    return combined


def _operand(target: Path, tokens: Tokens, scope: Scope, make: Make) -> Operand:
    """A path, a value, if_not_exists(path, operand) or list_append(operand, operand)."""
    function = tokens.function(_SET_FUNCTIONS)
    if function == "list_append":
        return _list_append(target, tokens, scope, make)
    if function:
        return _if_not_exists(target, tokens, scope, make)
    name = tokens.unknown_function()
    if name:
        known = (
            "The function is not allowed in an update expression" if name in _NO_UPDATES else "Invalid function name"
        )
        raise ExpressionError(f"{known}; function: {name}")
    kind, text = tokens.peek()
    if kind not in {"value", "path"}:
        raise tokens.wrong()
    tokens.take()
    if kind == "value":
        # A list or map that is used twice must not become one that two attributes share: moto changes them in place.
        is_first = text not in scope.values_used
        name = scope.value(text)
        return (lambda _old, values: values[name]) if is_first else (lambda _old, values: copy(values[name], make))
    return _read(target, scope.path(text), scope, make)


def _read(target: Path, source: Path, scope: Scope, make: Make) -> Operand:
    """What is at a path: itself where it is to stay there, once; otherwise a copy."""
    if source == target and source not in scope.kept:
        scope.kept.add(source)
        return lambda old, _values: find(old, source)

    def copied(old: Attributes, _values: Values) -> Value | None:
        found = find(old, source)
        return None if found is None else copy(found, make)

    return copied


def _if_not_exists(target: Path, tokens: Tokens, scope: Scope, make: Make) -> Operand:
    tokens.nest()
    if tokens.peek()[0] == "value":
        raise ExpressionError("Operator or function requires a document path; operator or function: if_not_exists")
    present = _read(target, scope.path(tokens.expect_path()), scope, make)
    tokens.expect(",")
    otherwise = _operand(target, tokens, scope, make)
    tokens.expect(")")

    def either(old: Attributes, values: Values) -> Value | None:
        found = present(old, values)
        return otherwise(old, values) if found is None else found

    return either


def _list_append(target: Path, tokens: Tokens, scope: Scope, make: Make) -> Operand:
    tokens.nest()
    starts = [tokens.peek()]
    first = _operand(target, tokens, scope, make)
    if tokens.accept(")"):
        raise ExpressionError(
            "Incorrect number of operands for operator or function; "
            "operator or function: list_append, number of operands: 1"
        )
    tokens.expect(",")
    starts.append(tokens.peek())
    second = _operand(target, tokens, scope, make)
    tokens.expect(")")
    for kind, text in starts:
        if kind == "value":
            scope.value(text, _LIST, "list_append")

    def appended(old: Attributes, values: Values) -> Value:
        one, other = present_value(first(old, values)), present_value(second(old, values))
        if one.type != "L" or other.type != "L":
            raise InvalidError(_WRONG_TYPE)
        return make("L", [*one.value, *other.value])

    return appended


def present_value(value: Value | None) -> Value:
    """The value.

    Raises:
        InvalidError: there is none.
    """
    if value is None:
        raise InvalidError("The provided expression refers to an attribute that does not exist in the item")
    return value


def added(present: Value | None, value: Value, make: Make) -> Value:
    """The sum of two numbers, or the union of two sets."""
    if present is None:
        return copy(value, make)
    if present.type != value.type:
        raise InvalidError(_WRONG_TYPE)
    if value.type == "N":
        return make("N", numeric.add(present.value, value.value))
    known = set(_texts(present))
    return make(value.type, [*present.value, *(member for member in value.value if member not in known)])


def deleted(present: Value | None, value: Value, make: Make) -> Value | None:
    """The set without the members; None where nothing is left: there are no empty sets."""
    if present is None:
        return None
    if present.type != value.type:
        raise InvalidError(_WRONG_TYPE)
    unwanted = set(value.value)
    kept = [member for member, text in zip(present.value, _texts(present), strict=True) if text not in unwanted]
    return make(value.type, kept) if kept else None


def _texts(members: Value) -> list[str]:
    """A stored set's members in the form of a request's; moto stores numbers as they come."""
    return [numeric.canonical(member) for member in members.value] if members.type == "NS" else members.value


def _check_overlaps(paths: list[Path]) -> None:
    for place, path in enumerate(paths):
        for other in paths[place + 1 :]:
            apart = next((pair for pair in zip(path, other, strict=False) if pair[0] != pair[1]), None)
            if apart is None or type(apart[0]) is not type(apart[1]):
                relation = "overlap" if apart is None else "conflict"
                raise ExpressionError(
                    f"Two document paths {relation} with each other; must remove or rewrite one of these paths; "
                    f"path one: {_shown(path)}, path two: {_shown(other)}"
                )


def _shown(path: Path) -> str:
    return f"[{', '.join(f'[{step}]' if isinstance(step, int) else step for step in path)}]"


def _in_order(actions: list[Action]) -> tuple[Action, ...]:
    """The actions so that every index means the element that it was before the update.

    New elements are appended in the order of their indexes, and elements are removed last, from the last to the first.
    """
    changes = [action for action in actions if action.clause in {"SET", "ADD"}]
    removals = [action for action in actions if action.clause in {"REMOVE", "DELETE"}]
    changes.sort(key=lambda action: action.path)
    removals.sort(key=lambda action: action.path, reverse=True)
    return (*changes, *removals)
