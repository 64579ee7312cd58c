"""What this package replaces in LocalStack and its libraries, or relies on: fingerprints of it, in ``pins.toml``.

A row there is the qualified name of a function or class (``module:name``), the fingerprint of its source, and the
modules of this package that rely on it. At the emulator's start the rows of every module that it loads are compared
before that module changes anything. ``dlqlab emulator pins`` compares all of them without a start.
"""

import ast
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("pins.toml")
DISTRIBUTION = "localstack-core"
_DIGITS = 12
_HEAD = """\
# What dlqlab replaces in LocalStack and its libraries, or relies on. Written by `dlqlab emulator pins --write`, which
# takes new fingerprints; rows, and who relies on them (modules of dlqlab.emulator), are kept by hand.
"""


@dataclass(frozen=True, slots=True)
class Pin:
    """One row."""

    name: str
    fingerprint: str
    used_by: tuple[str, ...]
    """Modules, by their names within ``dlqlab.emulator``."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that what is installed does not agree with; ``found`` is None where there is nothing of that name."""

    pin: Pin
    found: str | None

    def __str__(self) -> str:
        name = self.pin.name.replace(":", ".")
        if self.found is None:
            return f"{name} is gone"
        return f"{name} has changed (fingerprint {self.found}, expected {self.pin.fingerprint})"


@dataclass(frozen=True, slots=True)
class Table:
    """``localstack``: the version whose source the fingerprints were taken of."""

    localstack: str
    pins: tuple[Pin, ...]

    def text(self) -> str:
        """As the file has it: in the order of the names, so that a change shows as one line."""
        rows = [
            f'"{pin.name}" = {{ fingerprint = "{pin.fingerprint}", used_by = {_list(pin.used_by)} }}'
            for pin in sorted(self.pins, key=lambda pin: pin.name)
        ]
        return "\n".join((f'{_HEAD}\nlocalstack = "{self.localstack}"\n', "[pins]", *rows, ""))


def _list(names: Iterable[str]) -> str:
    return f"[{', '.join(f'"{name}"' for name in sorted(names))}]"


@functools.cache
def table() -> Table:
    """The file."""
    document = tomllib.loads(TABLE.read_text())
    rows = (Pin(name, row["fingerprint"], tuple(row["used_by"])) for name, row in document["pins"].items())
    return Table(document["localstack"], tuple(rows))


def localstack_version() -> str:
    """Which LocalStack this package is written for."""
    return table().localstack


# -- at the emulator's start: of what is loaded


def unlike_loaded() -> list[Difference]:
    """The differences of what modules rely on that were loaded since the last call.

    Looked at once each: later it may have been replaced, by whoever relied on it.
    """
    return [
        Difference(pin, found)
        for pin in _not_yet_compared()
        if (found := _fingerprint_of_loaded(pin.name)) != pin.fingerprint
    ]


_compared: set[str] = set()


def _not_yet_compared() -> Iterator[Pin]:
    for pin in table().pins:
        if pin.name not in _compared and any(f"{__package__}.{user}" in sys.modules for user in pin.used_by):
            _compared.add(pin.name)
            yield pin


def _fingerprint_of_loaded(name: str) -> str | None:
    module, _, path = name.partition(":")
    try:
        found: Any = functools.reduce(getattr, path.split("."), importlib.import_module(module))
    except (ImportError, AttributeError):
        return None
    if isinstance(found, property):
        found = found.fget
    return fingerprint(inspect.getsource(found))


def fingerprint(source: str) -> str:
    """The first 12 hex digits of SHA-256 over a source text."""
    return hashlib.sha256(source.encode()).hexdigest()[:_DIGITS]


# -- without a start: of the files that are installed


def differences() -> list[Difference]:
    """All rows that what is installed does not agree with. Reads source files and imports none."""
    return [
        Difference(pin, found) for pin in table().pins if (found := _fingerprint_in_file(pin.name)) != pin.fingerprint
    ]


def installed_version() -> str:
    """The LocalStack that is here."""
    return importlib.metadata.version(DISTRIBUTION)


def write() -> None:
    """Take the fingerprints and the version of what is installed.

    A row whose name is gone stays as it is, so that it is still told of.
    """
    rows = tuple(Pin(pin.name, _fingerprint_in_file(pin.name) or pin.fingerprint, pin.used_by) for pin in table().pins)
    TABLE.write_text(Table(installed_version(), rows).text())
    table.cache_clear()


def _fingerprint_in_file(name: str) -> str | None:
    """As of the loaded object: the lines from its first decorator to its end."""
    module, _, path = name.partition(":")
    file = _file_of(module)
    if file is None:
        return None
    lines, spans = _spans(file)
    return fingerprint("".join(inspect.getblock(lines[spans[path] :]))) if path in spans else None


def _file_of(module: str) -> Path | None:
    """Found without importing the packages above it, as ``find_spec`` of the whole name would."""
    package, *inner = module.split(".")
    spec = importlib.util.find_spec(package)
    for folder in spec.submodule_search_locations or () if spec else ():
        place = Path(folder, *inner)
        for file in (place.with_suffix(".py") if inner else place, place / "__init__.py"):
            if file.is_file():
                return file
    return None


@functools.lru_cache(256)
def _spans(file: Path) -> tuple[list[str], dict[str, int]]:
    """A file's lines, and the index of the first one of each function and class by its qualified name."""
    source = file.read_text()
    found: dict[str, int] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                first = min(one.lineno for one in (*node.decorator_list, node))
                found[f"{prefix}{node.name}"] = first - 1
                if isinstance(node, ast.ClassDef):
                    visit(node.body, f"{prefix}{node.name}.")

    visit(ast.parse(source).body, "")
    return source.splitlines(keepends=True), found
