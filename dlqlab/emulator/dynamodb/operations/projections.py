"""ProjectionExpression: which attributes, and parts of them, an answer has ("Projection expressions")."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dlqlab.emulator.dynamodb.grammar import Path, Scope, Tokens
from dlqlab.emulator.dynamodb.stored import make
from dlqlab.emulator.dynamodb.unsupported import ExpressionError
from dlqlab.emulator.dynamodb.values import Attributes, Value

Tree = dict[str | int, Any]
"""Steps of paths; an empty tree means all that is there."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Document paths."""

    paths: tuple[Path, ...]

    @property
    def roots(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(path[0]) for path in self.paths))

    def of(self, attributes: Attributes) -> Attributes:
        """The attributes at the paths, each where it was; elements of a list move up."""
        return _children(attributes, _tree(self.paths))


def compile_projection(text: str, scope: Scope) -> Projection:
    """The projection.

    Raises:
        ExpressionError: DynamoDB refuses it.
    """
    tokens = Tokens(text)
    paths = [scope.path(tokens.expect_path())]
    while tokens.accept(","):
        paths.append(scope.path(tokens.expect_path()))
    tokens.end()
    check_apart(paths)
    return Projection(tuple(paths))


def check_apart(paths: Sequence[Path]) -> None:
    """Refuse paths of which one holds another.

    Raises:
        ExpressionError: two overlap.
    """
    for place, path in enumerate(paths):
        for other in paths[place + 1 :]:
            shared = min(len(path), len(other))
            if path[:shared] == other[:shared]:
                raise ExpressionError(
                    "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                    f"path one: {shown(path)}, path two: {shown(other)}"
                )


def shown(path: Path) -> str:
    """The path as DynamoDB's errors show it."""
    return f"[{', '.join(f'[{step}]' if isinstance(step, int) else step for step in path)}]"


def _tree(paths: Iterable[Path]) -> Tree:
    tree: Tree = {}
    for path in paths:
        place = tree
        for step in path:
            place = place.setdefault(step, {})
    return tree


def _children(attributes: Attributes, tree: Tree) -> dict[str, Value]:
    found = {}
    for name, below in tree.items():
        value = attributes.get(str(name)) if isinstance(name, str) else None
        part = None if value is None else _part(value, below)
        if part is not None:
            found[str(name)] = part
    return found


def _part(value: Value, tree: Tree) -> Value | None:
    """What the tree takes of a value; None where nothing is there."""
    if not tree:
        return value
    if value.type == "M":
        children = _children(value.value, tree)
        return make("M", children) if children else None
    if value.type == "L":
        wanted = sorted(step for step in tree if isinstance(step, int) and step < len(value.value))
        parts = [part for step in wanted if (part := _part(value.value[step], tree[step])) is not None]
        return make("L", parts) if parts else None
    return None
