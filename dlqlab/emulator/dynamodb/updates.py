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
from dlqlab.emulator.dynamodb.unsupported import UnsupportedError
from dlqlab.emulator.dynamodb.values import SET_TYPES, Attributes, Make, Value, copy

Act = Callable[[Attributes, dict[str, Value], Values], None]
"""Reads the old attributes and the request's values, writes to the new attributes."""

_CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")
_SET_FUNCTIONS = ("if_not_exists", "list_append")
_NUMBER = frozenset({"N"})


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
        UnsupportedError: a syntax error, or something that is not done here.
    """
    tokens = Tokens(text)
    actions: list[Action] = []
    clauses: list[str] = []
    while clause := tokens.keyword(*_CLAUSES):
        if clause in clauses:
            raise UnsupportedError(f"{clause} twice")
        clauses.append(clause)
        actions.append(_action(clause, tokens, scope, make))
        while tokens.accept(","):
            actions.append(_action(clause, tokens, scope, make))
    tokens.end()
    if not actions:
        raise UnsupportedError("no action")
    _check_overlaps([action.path for action in actions])
    return Update(_in_order(actions), frozenset(str(action.path[0]) for action in actions))


def _action(clause: str, tokens: Tokens, scope: Scope, make: Make) -> Action:
    path = scope.path(tokens.expect_path())
    if clause == "REMOVE":
        return Action(clause, path, lambda _old, new, _values: remove(new, path, make))
    if clause == "SET":
        tokens.expect("=")
        operand = _assigned(path, tokens, scope, make)
        return Action(clause, path, lambda old, new, values: put(new, path, _present(operand(old, values)), make))
    kind, text = tokens.take()
    if kind != "value" or len(path) > 1:
        raise UnsupportedError(f"{clause} takes an attribute and a value")
    name, attribute = scope.value(text, SET_TYPES | _NUMBER if clause == "ADD" else SET_TYPES), str(path[0])
    if clause == "ADD":
        return Action(clause, path, lambda _old, new, values: _add(new, attribute, values[name], make))
    return Action(clause, path, lambda _old, new, values: _delete(new, attribute, values[name], make))


def _assigned(target: Path, tokens: Tokens, scope: Scope, make: Make) -> Operand:
    """What SET assigns: an operand, a sum or a difference."""
    left = _operand(target, tokens, scope, make)
    sign = tokens.accept("+", "-")
    if not sign:
        return left
    right = _operand(target, tokens, scope, make)
    combine = numeric.add if sign == "+" else numeric.subtract

    def combined(old: Attributes, values: Values) -> Value:
        one, other = _present(left(old, values)), _present(right(old, values))
        if one.type != "N" or other.type != "N":
            raise UnsupportedError("arithmetic without numbers")
        return make("N", combine(one.value, other.value))

    return combined


def _operand(target: Path, tokens: Tokens, scope: Scope, make: Make) -> Operand:
    """A path, a value, if_not_exists(path, operand) or list_append(operand, operand)."""
    function = tokens.function(_SET_FUNCTIONS)
    if function == "list_append":
        return _list_append(target, tokens, scope, make)
    if function:
        return _if_not_exists(target, tokens, scope, make)
    kind, text = tokens.take()
    if kind == "value":
        # A list or map that is used twice must not become one that two attributes share: moto changes them in place.
        is_first = text not in scope.values_used
        name = scope.value(text)
        return (lambda _old, values: values[name]) if is_first else (lambda _old, values: copy(values[name], make))
    if kind != "path":
        raise UnsupportedError(f"operand expected, found {text!r}")
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
    first = _operand(target, tokens, scope, make)
    tokens.expect(",")
    second = _operand(target, tokens, scope, make)
    tokens.expect(")")

    def appended(old: Attributes, values: Values) -> Value:
        one, other = _present(first(old, values)), _present(second(old, values))
        if one.type != "L" or other.type != "L":
            raise UnsupportedError("list_append without lists")
        return make("L", [*one.value, *other.value])

    return appended


def _present(value: Value | None) -> Value:
    if value is None:
        raise UnsupportedError("the expression refers to an attribute that does not exist")
    return value


def _add(new: dict[str, Value], name: str, value: Value, make: Make) -> None:
    present = new.get(name)
    if present is None:
        new[name] = copy(value, make)
    elif present.type != value.type:
        raise UnsupportedError("ADD to another type")
    elif value.type == "N":
        new[name] = make("N", numeric.add(present.value, value.value))
    else:
        known = set(_texts(present))
        new[name] = make(value.type, [*present.value, *(member for member in value.value if member not in known)])


def _delete(new: dict[str, Value], name: str, value: Value, make: Make) -> None:
    present = new.get(name)
    if present is None:
        return
    if present.type != value.type:
        raise UnsupportedError("DELETE from another type")
    unwanted = set(value.value)
    kept = [member for member, text in zip(present.value, _texts(present), strict=True) if text not in unwanted]
    if kept:
        new[name] = make(value.type, kept)
    else:
        del new[name]  # there are no empty sets


def _texts(members: Value) -> list[str]:
    """A stored set's members in the form of a request's; moto stores numbers as they come."""
    return [numeric.canonical(member) for member in members.value] if members.type == "NS" else members.value


def _check_overlaps(paths: list[Path]) -> None:
    for place, path in enumerate(paths):
        for other in paths[place + 1 :]:
            shared = min(len(path), len(other))
            if path[:shared] == other[:shared]:
                raise UnsupportedError("two document paths overlap")


def _in_order(actions: list[Action]) -> tuple[Action, ...]:
    """The actions so that every index means the element that it was before the update.

    Elements are removed from the last to the first, and new ones are appended in the order of their indexes.
    """
    lists = [action.path[:-1] for action in actions if action.clause == "REMOVE" and isinstance(action.path[-1], int)]
    for action in actions:
        for path in lists:
            is_removal = action.clause == "REMOVE" and action.path[:-1] == path
            if action.path[: len(path)] == path and not is_removal:
                raise UnsupportedError("other changes to a list from which elements are removed")

    def place(action: Action) -> int:
        last = action.path[-1]
        if not isinstance(last, int):
            return 0
        return last if action.clause == "SET" else -last

    return tuple(sorted(actions, key=place))
