"""Writing to document paths: the lists and maps on the way are replaced by changed copies."""

from dlqlab.emulator.dynamodb.grammar import Path
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from dlqlab.emulator.dynamodb.values import Make, Value

_INVALID = "The document path provided in the update expression is invalid for update"


def put(new: dict[str, Value], path: Path, value: Value, make: Make) -> None:
    """Write a value at a path.

    Raises:
        InvalidError: there is no list or map to write to.
    """
    name = str(path[0])
    new[name] = value if len(path) == 1 else _with(new.get(name), path[1:], value, make)


def _with(parent: Value | None, path: Path, value: Value, make: Make) -> Value:
    """A copy of the parent with the value at the path; an index beyond a list's end appends to it."""
    step, rest = path[0], path[1:]
    if parent is not None and isinstance(step, str) and parent.type == "M":
        children = dict(parent.value)
        children[step] = _with(children.get(step), rest, value, make) if rest else value
        return make("M", children)
    if parent is not None and isinstance(step, int) and parent.type == "L":
        elements = list(parent.value)
        present = elements[step] if step < len(elements) else None
        elements[step : step + 1] = [_with(present, rest, value, make) if rest else value]
        return make("L", elements)
    raise InvalidError(_INVALID)


def remove(new: dict[str, Value], path: Path, make: Make) -> None:
    """Remove what is at a path, if anything is.

    Raises:
        InvalidError: there is no list or map to remove from.
    """
    name = str(path[0])
    if len(path) == 1:
        new.pop(name, None)
    else:
        new[name] = _without(new.get(name), path[1:], make)


def _without(parent: Value | None, path: Path, make: Make) -> Value:
    """A copy of the parent without what is at the path."""
    step, rest = path[0], path[1:]
    if parent is not None and isinstance(step, str) and parent.type == "M":
        children = dict(parent.value)
        if rest:
            children[step] = _without(children.get(step), rest, make)
        else:
            children.pop(step, None)
        return make("M", children)
    if parent is not None and isinstance(step, int) and parent.type == "L":
        elements = list(parent.value)
        if rest:
            present = elements[step] if step < len(elements) else None
            elements[step : step + 1] = [_without(present, rest, make)]
        else:
            del elements[step : step + 1]
        return make("L", elements)
    raise InvalidError(_INVALID)
