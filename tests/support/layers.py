"""Which package of a source tree imports which: statements wherever they stand, and names of modules in strings."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_MODULE = re.compile(r"(?P<path>\w+(?:\.\w+)+)(?::\w+)?")
_NAMING = frozenset({ast.Import, ast.ImportFrom, ast.JoinedStr, ast.Constant})
"""The nodes that can name a module, a small part of a tree: all others are passed over at once."""
UNKNOWN = "a name that is put together"


@dataclass(frozen=True, slots=True)
class Arrow:
    """An import of another part: a package or module right below the root, by its name; ``where`` is file and line."""

    source: str
    target: str
    where: str


def parts(root: Path) -> frozenset[str]:
    """Packages and modules right below the root, and the root's own ``__init__`` by its name."""
    packages = {path.parent.name for path in root.glob("*/__init__.py")}
    modules = {path.stem for path in root.glob("*.py")} - {"__init__"}
    return frozenset({root.name, *packages, *modules})


@cache
def arrows(root: Path) -> tuple[Arrow, ...]:
    """Every import of one part by another; a tree is read once."""
    return tuple(_arrows(root))


def _arrows(root: Path) -> Iterator[Arrow]:
    known = parts(root)
    for path in sorted(root.rglob("*.py")):
        names = path.relative_to(root.parent).with_suffix("").parts
        source = names[1] if names[1] != "__init__" else root.name
        package = names[:-1]
        for node in ast.walk(ast.parse(path.read_text())):
            if type(node) not in _NAMING:
                continue
            for module in _named(node, root.name, package):
                if isinstance(node, ast.Constant) and module.split(".")[1] not in known:
                    continue  # a name of something else, such as a logger
                target = _part(module, root.name, known)
                if target != source:
                    yield Arrow(source, target, f"{path.relative_to(root.parent)}:{getattr(node, 'lineno', 0)}")


def _named(node: ast.AST, root: str, package: tuple[str, ...]) -> Iterator[str]:
    """Modules of the root that a node names, dotted; what is put together at run time as far as it is known."""
    match node:
        case ast.Import(names):
            yield from (alias.name for alias in names if _is_of(alias.name, root))
        case ast.ImportFrom(module, names, level):
            base = ".".join([*package[: len(package) - level + 1], *([module] if module else [])]) if level else module
            if base and _is_of(base, root):
                yield from (f"{base}.{alias.name}" for alias in names) if base == root else (base,)
        case ast.JoinedStr([ast.Constant(str(text)), *_]) if text.startswith(f"{root}."):
            complete = text.split(".")[:-1]
            yield ".".join(complete) if len(complete) > 1 else f"{root}.{UNKNOWN}"
        case ast.Constant(str(text)) if (found := _MODULE.fullmatch(text)) and _is_of(found["path"], root):
            yield found["path"]
        case _:
            pass


def _is_of(module: str, root: str) -> bool:
    return module == root or module.startswith(f"{root}.")


def _part(module: str, root: str, known: frozenset[str]) -> str:
    """What stands right below the root in the name; the root for a name that its ``__init__`` defines."""
    below = module.split(".")[1:2]
    return below[0] if below and below[0] in {*known, UNKNOWN} else root
