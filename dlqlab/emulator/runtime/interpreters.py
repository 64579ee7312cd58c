"""Which Python runs a function: the version that it declares where this machine has it, else the emulator's own.

Looked for where version managers put interpreters: on PATH, in pyenv's folder and in uv's; uv is asked for one that is
missing. Each candidate is asked what it is, because a name on PATH may be a shim that runs nothing.
"""

import functools
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dlqlab.emulator.runtime import installing
from dlqlab.emulator.runtime.installing import InstallError

_LOG = logging.getLogger(__name__)
_QUESTION = """
import os, sys
own = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
print(sys.implementation.name, "%d.%d" % sys.version_info[:2], os.path.realpath(sys.base_prefix), own, sep="\\n")
import ssl, zlib
"""
"""Asked of each candidate; without the two modules, which a poor build lacks, the AWS SDK does not work."""
_ANSWER_WAITS_S = 10.0
_RUNTIME = re.compile(r"python(3\.\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python outside of any virtual environment."""

    version: str
    """Major and minor number, such as ``3.13``."""
    executable: Path
    prefix: Path

    @property
    def inside(self) -> Path | None:
        """The executable's path below the prefix; None where it lies elsewhere."""
        return self.executable.relative_to(self.prefix) if self.executable.is_relative_to(self.prefix) else None


def declared(runtime: str | None) -> str | None:
    """The version that a Lambda runtime's name declares; None where it is not one of Python 3."""
    match = _RUNTIME.fullmatch(runtime or "")
    return match[1] if match else None


@functools.cache
def own() -> Interpreter:
    """The interpreter that runs the emulator."""
    executable = Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
    version = ".".join(map(str, sys.version_info[:2]))
    return Interpreter(version=version, executable=executable, prefix=Path(os.path.realpath(sys.base_prefix)))


@functools.cache
def find(version: str) -> Interpreter | None:
    """The first interpreter of a version that answers; None where this machine has none and uv brings none."""
    if version == own().version:
        return own()
    found = _first(version)
    return _first(version) if found is None and _brought(version) else found


def _first(version: str) -> Interpreter | None:
    answers = (_ask(candidate) for candidate in candidates(version, os.environ))
    return next((one for one in answers if one is not None and one.version == version), None)


def _brought(version: str) -> bool:
    """Whether uv has put an interpreter of a version into its folder; it leaves a line in the emulator's log if not."""
    tool = installing.uv()
    if tool is None:
        return False
    command = [tool, "python", "install", "--quiet", "--no-bin", version]
    try:
        installing.run(command, f"Python {version}", {"UV_HTTP_RETRIES": "0"})  # whoever creates a function waits
    except InstallError as error:
        _LOG.warning("%s", error)
        return False
    return True


def candidates(version: str, environ: Mapping[str, str]) -> Iterator[Path]:
    """Files that may be an interpreter of a version, best first."""
    name = f"python{version}"
    home = Path(environ.get("HOME") or "/nonexistent")
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    folders = [Path(folder) for folder in environ.get("PATH", "").split(os.pathsep) if folder]
    folders += _newest_first(Path(environ.get("PYENV_ROOT") or home / ".pyenv") / "versions", f"{version}.*")
    folders += _newest_first(
        Path(environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python"), f"cpython-{version}.*"
    )
    for folder in folders:
        path = folder / name
        if os.access(path, os.X_OK) and not path.is_dir():
            yield path


def _newest_first(folder: Path, pattern: str) -> list[Path]:
    def patch_number(path: Path) -> int:
        match = re.match(r"\D*\d+\.\d+\.(\d+)", path.name)
        return int(match[1]) if match else -1

    return [path / "bin" for path in sorted(folder.glob(pattern), key=patch_number, reverse=True)]


def _ask(candidate: Path) -> Interpreter | None:
    try:
        answer = subprocess.run(
            [candidate, "-I", "-S", "-c", _QUESTION],
            capture_output=True,
            text=True,
            timeout=_ANSWER_WAITS_S,
            check=True,
        ).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return None  # a shim without a version behind it, a program that only has the name
    if len(answer) != 4 or answer[0] != "cpython":  # noqa: PLR2004  (what the question prints)
        return None
    return Interpreter(version=answer[1], prefix=Path(answer[2]), executable=Path(answer[3]))
