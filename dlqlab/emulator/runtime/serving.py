"""How a function's declared runtime is served on this machine, and what must be said where that differs from AWS."""

import json
import logging
import platform
import threading
from dataclasses import dataclass
from pathlib import Path

from dlqlab.emulator.runtime import filesystem
from dlqlab.emulator.runtime.base import UnsupportedPythonError, build_base
from dlqlab.emulator.runtime.interpreters import Interpreter, declared, find, own

RECORD = "lambda-runtime.json"
"""File in the emulator's folder that tells its starter what is in force."""
_ARM = {"aarch64", "arm64"}
_LOCK = threading.Lock()
_FOUND: dict[tuple[str | None, tuple[str, ...], Path], "Served"] = {}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What runs a function."""

    interpreter: Interpreter
    base: Path
    notes: tuple[str, ...] = ()
    """Sentences for the user: in the function's state, in its log at each init, and in the emulator's log."""


def refusal(package_type: str | None, runtime: str | None) -> str | None:
    """Why a function cannot be served at all; None where it can."""
    if package_type == "Image":
        return "PackageType Image: container images are not run here; give a zip file and a runtime python3.x"
    if declared(runtime) is None:
        return f"Value {runtime} at 'runtime': only Python functions run here; give one of python3.x"
    return None


def served(runtime: str | None, architectures: tuple[str, ...], state: Path) -> Served:
    """The interpreter and packages for a runtime that ``refusal`` allows, found once; says in the log what differs.

    Args:
        runtime: such as ``python3.12``.
        architectures: as declared; an empty one stands for Lambda's default.
        state: the emulator's folder.
    """
    key = (runtime, architectures, state)
    if key not in _FOUND:  # nobody waits for the search for another runtime
        with _LOCK:
            if key not in _FOUND:
                _FOUND[key] = _search(runtime, architectures, state)
    return _FOUND[key]


def _search(runtime: str | None, architectures: tuple[str, ...], state: Path) -> Served:
    version = declared(runtime) or own().version
    reason = None
    interpreter = find(version)
    base = state / ("lambda-base" if version == own().version else f"lambda-base-{version}")
    if interpreter is None:
        reason = f"this machine has no Python {version} on PATH, in pyenv or in uv, and uv brought none"
    else:
        try:
            build_base(base, version)
        except UnsupportedPythonError as error:
            reason = str(error)
    if reason or interpreter is None:
        interpreter, base = own(), build_base(state / "lambda-base")
    notes = _notes(runtime, reason, architectures)
    for note in notes:
        _LOG.warning("%s", note)
    found = Served(interpreter=interpreter, base=base, notes=notes)
    _record(found, runtime or "", state)
    return found


def _notes(runtime: str | None, reason: str | None, architectures: tuple[str, ...]) -> tuple[str, ...]:
    notes = []
    if reason:
        notes.append(f"declared {runtime} runs on Python {own().version}: {reason}")
    machine = platform.machine().lower()
    if "arm64" in architectures and machine not in _ARM:
        notes.append(f"declared arm64 runs on {machine}: what is compiled for arm64 cannot be imported")
    return tuple(notes)


def record(state: Path) -> dict[str, dict[str, str]]:
    """What is in force, by declared runtime: ``python`` that serves it, ``files`` (empty where they are Lambda's)."""
    try:
        return dict(json.loads((state / RECORD).read_text()))
    except FileNotFoundError:
        return {}


def _record(found: Served, runtime: str, state: Path) -> None:
    trouble = filesystem.trouble(found.interpreter, found.base, state / "lambda-tmp") or ""
    known = record(state) | {runtime: {"python": found.interpreter.version, "files": trouble}}
    temporary = state / f"{RECORD}.{runtime}"
    temporary.write_text(json.dumps(known))
    temporary.replace(state / RECORD)
