"""The order of the emulator's folders: whoever imports stands above what it imports."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import dlqlab.emulator

PACKAGE = dlqlab.emulator.__name__
ROOT = Path(dlqlab.emulator.__file__).parent
LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(layer.split())
    for layer in (
        "boot plugins",
        "startup host",
        "injection owed xray",
        "recorder latency limits",
        "pipes firehose",
        "mappings schedules",
        "httpapi",
        "sqs dynamodb kinesis apigateway alarms cloudformation events iam",
        "logs.insights logs.metrics logs.subscriptions",
        "logs",
        "logs.patterns metrics gateway",
        "functions",
        "runtime",
        "core",
        "patches",
        "pins settings",
    )
)
"""From the top; what stands in one layer knows nothing of its neighbours."""

LEVELS = {name: level for level, layer in enumerate(LAYERS) for name in layer}


def place_of(module: str) -> str:
    """The folder of a module, or the module itself where it lies in none; ``module`` without the package's name."""
    parts = module.split(".")
    return next(name for end in range(len(parts), 0, -1) if (name := ".".join(parts[:end])) in LEVELS)


def imports_of(tree: ast.AST) -> Iterator[str]:
    """The modules of the emulator that a file imports anywhere in it, without the package's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and f"{node.module}.".startswith(f"{PACKAGE}."):
            inner = node.module.removeprefix(PACKAGE).lstrip(".")
            yield from [inner] if inner else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (
                alias.name.removeprefix(f"{PACKAGE}.") for alias in node.names if alias.name.startswith(f"{PACKAGE}.")
            )


@cache
def imported_by(path: Path) -> frozenset[str]:
    """What the file imports, read once for all tests."""
    return frozenset(imports_of(ast.parse(path.read_text())))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


def test_every_module_has_a_place() -> None:
    """A new folder is put into the order, and one that is gone is taken out."""
    assert set(LEVELS) == {place_of(module_of(path)) for path in FILES}


def test_imports_go_downwards() -> None:
    """Within a folder as it likes; else only from a higher layer to a lower one."""
    upwards = [
        (module, name)
        for path in FILES
        for name in imported_by(path)
        if (here := place_of(module := module_of(path))) != (there := place_of(name)) and LEVELS[there] <= LEVELS[here]
    ]

    assert [] == upwards


def test_patches_are_imported_by_nobody_below_the_start() -> None:
    """Code of a service knows nothing of patches as such: not their list, not how they are applied."""
    users = {place_of(module_of(path)) for path in FILES if "patches" in imported_by(path)}

    assert {"startup", "host"} == users
