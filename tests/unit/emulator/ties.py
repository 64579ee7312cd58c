"""What a module of the emulator takes from the insides of LocalStack and its libraries, as far as its source tells."""

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import dlqlab.emulator
from dlqlab.emulator import pins

ROOT = Path(dlqlab.emulator.__file__).parent
LIBRARIES = frozenset({"localstack", "moto", "rolo", "werkzeug", "botocore", "samtranslator", "awslambdaric"})
OPEN = (
    "localstack.aws.api",  # generated from AWS's API models
    "localstack.aws.connect",
    "localstack.aws.spec",
    "localstack.config",
    "localstack.http",
    "localstack.state",
    "localstack.utils",
    "botocore.exceptions",
)
"""What is there to be used: of it only what is replaced must be pinned."""


def files() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def module_of(path: Path) -> str:
    """By its name within ``dlqlab.emulator``."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@functools.cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


_LOOKED_AT = (ast.ImportFrom, ast.Attribute, ast.FunctionDef, ast.Assign)


@functools.cache
def _nodes(file: Path) -> tuple[ast.AST, ...]:
    """The nodes of the kinds that are looked at, of one walk: a walk takes longer than to parse."""
    return tuple(node for node in ast.walk(_tree(file)) if isinstance(node, _LOOKED_AT))


def needed(path: Path) -> dict[str, frozenset[str]]:
    """What a file imports, uses by its module, or replaces -> the names in its library that may stand for it.

    A class is pinned by itself or by any of its functions.
    """
    nodes = _nodes(path)
    imported = dict(_imports(nodes))
    found: dict[str, frozenset[str]] = {}
    for name, origin in [*imported.items(), *_attributes(nodes, imported)]:
        if not _is_open(origin) and (resolved := _defined(origin)):
            found[name] = _stands_for(resolved)
    return found | dict(_replaced(nodes, imported))


def _imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Name in the file -> its dotted origin."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in LIBRARIES:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _attributes(nodes: Iterable[ast.AST], imported: dict[str, str]) -> Iterator[tuple[str, str]]:
    """``provider.poll_condition``, where ``provider`` is a module."""
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
            module = imported[node.value.id]
            if pins.file_of(module):
                yield ast.unparse(node), f"{module}.{node.attr}"


def _is_open(origin: str) -> bool:
    return any(f"{origin}.".startswith(f"{prefix}.") for prefix in OPEN)


@functools.cache
def _defined(origin: str) -> str | None:
    """``module:name`` of the function or class that a dotted name means; None for constants, objects, errors, enums."""
    module, _, name = origin.rpartition(".")
    file = pins.file_of(module)
    if file is None:
        return None
    if name in pins.definitions(file):
        return None if _is_plain(file, name) else f"{module}:{name}"
    for node in _tree(file).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            source = node.module if not node.level else _absolute(module, file, node)
            for alias in node.names:
                if name == (alias.asname or alias.name) and source.split(".")[0] in LIBRARIES:
                    found = f"{source}.{alias.name}"
                    return None if _is_open(found) else _defined(found)
    return None


def _absolute(module: str, file: Path, node: ast.ImportFrom) -> str:
    parts = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    return ".".join([*parts[: len(parts) - node.level + 1], node.module or ""])


def _is_plain(file: Path, name: str) -> bool:
    """Whether it is an error or an enumeration, which are used by their names alone."""
    for node in _tree(file).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            bases = " ".join(ast.unparse(base) for base in node.bases)
            return name.endswith(("Exception", "Error")) or any(
                word in bases for word in ("Exception", "Error", "Enum", "StrEnum")
            )
    return False


def _stands_for(resolved: str) -> frozenset[str]:
    module, _, name = resolved.partition(":")
    file = pins.file_of(module)
    members = pins.definitions(file) if file else frozenset()
    return frozenset({f"{module}:{each}" for each in members if f"{each}.".startswith(f"{name}.")})


def _replaced(nodes: Iterable[ast.AST], imported: dict[str, str]) -> Iterator[tuple[str, frozenset[str]]]:
    """What is written over, by LocalStack's decorator or by an assignment -> what may stand for it."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "replace":
                    yield ast.unparse(decorator), _replaceable(decorator.args[0], imported)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                origin = imported.get(ast.unparse(target).split(".")[0])
                if isinstance(target, ast.Attribute) and origin not in {None, "localstack.config"}:
                    yield ast.unparse(node), _replaceable(target, imported)


def _replaceable(target: ast.expr, imported: dict[str, str]) -> frozenset[str]:
    """The function itself where its library defines it there; else anything of its class or module, which calls it."""
    owner, _, name = ast.unparse(target).rpartition(".")
    origin = imported.get(owner)
    if origin is None:  # a variable: known by the function's name only
        return frozenset({name})
    if resolved := _defined(origin):
        members = _stands_for(resolved)
        return frozenset({f"{resolved}.{name}"}) & members or members
    file = pins.file_of(origin)
    own = pins.definitions(file) if file else frozenset()
    return frozenset({f"{origin}:{name}"} if name in own else {f"{origin}:{each}" for each in own})


def takes_from_inside(path: Path) -> bool:
    """Whether a file imports anything that is not open and no error."""
    origins = dict(_imports(_nodes(path))).values()
    return any(not _is_open(origin) and not _is_error(origin) for origin in origins)


def _is_error(origin: str) -> bool:
    module, _, name = origin.rpartition(".")
    file = pins.file_of(module)
    return file is not None and _is_plain(file, name)
