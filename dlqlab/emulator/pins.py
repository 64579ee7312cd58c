"""What this package replaces in LocalStack and its libraries, or relies on: fingerprints of it, in ``pins.toml``.

A row there is the qualified name of a function or class (``module:name``), the fingerprint of its source, and the
modules of this package that rely on it. At the emulator's start the rows of every module that it loads are compared
before that module changes anything. ``dlqlab emulator pins`` compares all of them without a start.

Source files are read and never imported. The table also has a fingerprint of each file as a whole: where that is the
same, which takes a fraction of a millisecond to see, so are its functions.
"""

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
import inspect
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("pins.toml")
DISTRIBUTION = "localstack-core"
_MAIN = "boot"
"""The module of this package that is LocalStack's main module, and so not loaded under its own name."""
_DIGITS = 12
_HEAD = """\
# What dlqlab replaces in LocalStack and its libraries, or relies on. Rows of [pins], and which modules of
# dlqlab.emulator rely on them, are kept by hand; all else is written by `dlqlab emulator pins --write`.
"""


@dataclass(frozen=True, slots=True)
class Pin:
    """One row."""

    name: str
    fingerprint: str
    used_by: tuple[str, ...]
    """Modules, by their names within ``dlqlab.emulator``."""

    @property
    def module(self) -> str:
        """Whose file it is in."""
        return self.name.partition(":")[0]


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
    """``localstack``: the version that the fingerprints were taken of. ``files``: module -> fingerprint of its file."""

    localstack: str
    files: Mapping[str, str]
    pins: tuple[Pin, ...]

    def text(self) -> str:
        """As the file has it: in the order of the names, so that a change shows as one line."""
        files = [f'"{module}" = "{digest}"' for module, digest in sorted(self.files.items())]
        rows = [
            f'"{pin.name}" = {{ fingerprint = "{pin.fingerprint}", used_by = {_list(pin.used_by)} }}'
            for pin in sorted(self.pins, key=lambda pin: pin.name)
        ]
        return "\n".join((_HEAD, f'localstack = "{self.localstack}"', "", "[files]", *files, "", "[pins]", *rows, ""))


def _list(names: Iterable[str]) -> str:
    return f"[{', '.join(f'"{name}"' for name in sorted(names))}]"


@functools.cache
def table() -> Table:
    """The file."""
    document = tomllib.loads(TABLE.read_text())
    rows = (Pin(name, row["fingerprint"], tuple(row["used_by"])) for name, row in document["pins"].items())
    return Table(document["localstack"], document["files"], tuple(rows))


def localstack_version() -> str:
    """Which LocalStack this package is written for."""
    return table().localstack


def installed_version() -> str:
    """The LocalStack that is here."""
    return importlib.metadata.version(DISTRIBUTION)


def differences(is_wanted: Callable[[Pin], bool] = lambda _pin: True) -> list[Difference]:
    """All rows, or those that are wanted, that what is installed does not agree with."""
    is_same = {module: _digest(module) == digest for module, digest in table().files.items()}
    return [
        Difference(pin, found)
        for pin in table().pins
        if is_wanted(pin) and not is_same.get(pin.module) and (found := current(pin.name)) != pin.fingerprint
    ]


def unlike_loaded() -> list[Difference]:
    """The differences of what modules rely on that were loaded since the last call."""
    new = {pin.name for pin in table().pins if pin.name not in _compared and any(map(_is_loaded, pin.used_by))}
    _compared.update(new)
    return differences(lambda pin: pin.name in new) if new else []


_compared: set[str] = set()


def _is_loaded(user: str) -> bool:
    return user == _MAIN or f"{__package__}.{user}" in sys.modules


def write() -> None:
    """Take the fingerprints and the version of what is installed.

    A row whose name is gone stays as it is, so that it is still told of.
    """
    found = {pin.name: current(pin.name) for pin in table().pins}
    rows = tuple(Pin(pin.name, found[pin.name] or pin.fingerprint, pin.used_by) for pin in table().pins)
    is_short = {pin.module for pin in rows if found[pin.name] is None}
    files = {pin.module: digest for pin in rows if pin.module not in is_short and (digest := _digest(pin.module))}
    TABLE.write_text(Table(installed_version(), files, rows).text())
    table.cache_clear()


def fingerprint(source: str) -> str:
    """The first 12 hex digits of SHA-256 over a source text."""
    return hashlib.sha256(source.encode()).hexdigest()[:_DIGITS]


def current(name: str) -> str | None:
    """The fingerprint of what is installed: of the lines from the first decorator to the end; None where it is gone."""
    module, _, path = name.partition(":")
    file = file_of(module)
    if file is None:
        return None
    lines, first = _definitions(file)
    return fingerprint("".join(inspect.getblock(lines[first[path] :]))) if path in first else None


def definitions(file: Path) -> frozenset[str]:
    """The qualified names of a file's functions and classes."""
    return frozenset(_definitions(file)[1])


def file_of(module: str) -> Path | None:
    """A module's source, found without importing the packages above it, as ``find_spec`` of the whole name would."""
    package, *inner = module.split(".")
    for folder in _folders_of(package):
        place = Path(folder, *inner)
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                return file
    return None


@functools.cache
def _folders_of(package: str) -> tuple[str, ...]:
    spec = importlib.util.find_spec(package)
    return tuple(spec.submodule_search_locations or ()) if spec else ()


@functools.cache
def _digest(module: str) -> str | None:
    file = file_of(module)
    return hashlib.sha256(file.read_bytes()).hexdigest()[:_DIGITS] if file else None


@functools.lru_cache(256)
def _definitions(file: Path) -> tuple[list[str], dict[str, int]]:
    """A file's lines, and the index of the first one of each function and class by its qualified name."""
    source = file.read_text()
    found: dict[str, int] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found[f"{prefix}{node.name}"] = min(one.lineno for one in (*node.decorator_list, node)) - 1
                if isinstance(node, ast.ClassDef):
                    visit(node.body, f"{prefix}{node.name}.")

    visit(ast.parse(source).body, "")
    return source.splitlines(keepends=True), found
