"""How a function's declared runtime is served on this machine, and what must be said where that differs from AWS."""

import functools
import json
import logging
import platform
import threading
from dataclasses import dataclass
from pathlib import Path

from dlqlab.emulator.runtime import filesystem
from dlqlab.emulator.runtime.base import UnsupportedPythonError, build_base
from dlqlab.emulator.runtime.interpreters import declared, find, own
from dlqlab.emulator.runtime.node import fetch, supply
from dlqlab.emulator.runtime.node import find as nodes
from dlqlab.emulator.runtime.node.find import Node
from dlqlab.emulator.runtime.programs import Program, Provided, identifier, title

RECORD = "lambda-runtime.json"
"""File in the emulator's folder that tells its starter what is in force."""
_ARM = {"aarch64", "arm64"}
SERVED = "python3.x, nodejs18.x to nodejs24.x, provided.al2 or provided.al2023"
_PROVIDED = {"provided.al2", "provided.al2023"}
_LOCK = threading.Lock()
_FOUND: dict[tuple[str | None, tuple[str, ...], Path], "Served"] = {}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What runs a function."""

    program: Program
    base: Path
    """What the function finds as /var/runtime, but for what its bundle's own imports ask for."""
    notes: tuple[str, ...] = ()
    """Sentences for the user: in the function's state, in its log at each init, and in the emulator's log."""

    def runtime_folder(self, state: Path, task: Path, opt: Path | None) -> Path:
        """What the function finds as /var/runtime.

        Args:
            state: the emulator's folder.
            task: the function's code.
            opt: the content of its layers.

        Raises:
            FetchError: the bundle needs something that cannot be fetched.
        """
        return supply.runtime_folder(self.program, state, task, opt) if isinstance(self.program, Node) else self.base


def refusal(package_type: str | None, runtime: str | None) -> str | None:
    """Why a function cannot be served at all; None where it can."""
    if package_type == "Image":
        return f"PackageType Image: container images are not run here; give a zip file and a runtime: {SERVED}"
    if declared(runtime) is not None or runtime in _PROVIDED:
        return None
    major = nodes.declared(runtime)
    if major is None and not (runtime or "").startswith("nodejs"):
        return f"Value {runtime} at 'runtime': functions of other languages do not run here; give one of {SERVED}"
    if major is None or major not in nodes.VERSIONS:
        return f"Value {runtime} at 'runtime': AWS creates no functions of it; give one of {SERVED}"
    try:
        fetch.runtime_client(_node(major)[0])
    except fetch.FetchError as error:
        return f"Value {runtime} at 'runtime': {error}"
    return None


def served(runtime: str | None, architectures: tuple[str, ...], state: Path) -> Served:
    """The program and packages for a runtime that ``refusal`` allows, found once; says in the log what differs.

    Args:
        runtime: such as ``python3.12``.
        architectures: as declared; an empty one stands for Lambda's default.
        state: the emulator's folder.

    Raises:
        FetchError: it is not on this machine and cannot be fetched.
    """
    key = (runtime, architectures, state)
    if key not in _FOUND:  # nobody waits for the search for another runtime
        with _LOCK:
            if key not in _FOUND:
                _FOUND[key] = _search(runtime, architectures, state)
    return _FOUND[key]


def _search(runtime: str | None, architectures: tuple[str, ...], state: Path) -> Served:
    program, base, reason = _program(runtime, state)
    notes = _notes(runtime, program, reason, architectures)
    for note in notes:
        _LOG.warning("%s", note)
    found = Served(program=program, base=base, notes=notes)
    _record(found, runtime or "", state)
    return found


def _program(runtime: str | None, state: Path) -> tuple[Program, Path, str | None]:
    """What runs a runtime, its packages, and why it is not the declared version."""
    if runtime in _PROVIDED:
        base = state / "lambda-provided"
        base.mkdir(parents=True, exist_ok=True)
        return Provided(), base, None
    major = nodes.declared(runtime)
    if major is not None:
        node, reason = _node(major)
        return node, supply.bare(node, state), reason
    return _python(declared(runtime) or own().version, state)


@functools.cache
def _node(major: int) -> tuple[Node, str | None]:
    """The declared version, of this machine or fetched, else what the machine has, with the reason."""
    if (found := nodes.find(major)) is not None:
        return found, None
    try:
        return fetch.node_of(major), None
    except fetch.FetchError as error:
        if (other := nodes.find_nearest(major)) is None:
            raise
        return other, f"{error}; nor is it on PATH, in nvm, fnm, volta, asdf or mise"


def _python(version: str, state: Path) -> tuple[Program, Path, str | None]:
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
    return interpreter, base, reason


def _notes(
    runtime: str | None, program: Program, reason: str | None, architectures: tuple[str, ...]
) -> tuple[str, ...]:
    notes = []
    if reason:
        notes.append(f"declared {runtime} runs on {title(program)}: {reason}")
    machine = platform.machine().lower()
    if "arm64" in architectures and machine not in _ARM:
        what = "a bootstrap" if isinstance(program, Provided) else "what is"
        notes.append(f"declared arm64 runs on {machine}: {what} compiled for arm64 does not run")
    return tuple(notes)


def record(state: Path) -> dict[str, dict[str, str]]:
    """What is in force, by declared runtime: the ``program`` that serves it, the runtime that this ``is``, and
    ``files`` (empty where they are Lambda's).
    """
    try:
        return dict(json.loads((state / RECORD).read_text()))
    except FileNotFoundError:
        return {}


def _record(found: Served, runtime: str, state: Path) -> None:
    trouble = filesystem.trouble(found.program, found.base, state / "lambda-tmp") or ""
    is_runtime = identifier(found.program) or runtime
    known = record(state) | {runtime: {"program": title(found.program), "is": is_runtime, "files": trouble}}
    temporary = state / f"{RECORD}.{runtime}"
    temporary.write_text(json.dumps(known))
    temporary.replace(state / RECORD)
