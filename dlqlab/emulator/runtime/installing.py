"""The tools that bring packages and interpreters: uv where it is installed, else pip; each within a bound of time."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

INSTALL_WAITS_S = 300.0
_SAID_LINES = 4


class InstallError(Exception):
    """Something cannot be installed; says why, in the tool's words."""


def uv() -> str | None:
    """The uv beside this Python, else that on PATH."""
    return shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")


def pip(wanted: Sequence[str], python: str, folder: Path) -> list[str]:
    """The command that installs wheels for a version of Python into a folder; ``wanted``: requirements, options."""
    arguments = ["--target", str(folder), "--python-version", python, "--only-binary=:all:", *wanted]
    tool = uv()
    if tool:
        return [tool, "pip", "install", "--quiet", "--python", sys.executable, *arguments]
    return [sys.executable, "-m", "pip", "install", "--quiet", *arguments]


def run(command: Sequence[str], what: str, variables: Mapping[str, str] | None = None) -> None:
    """Run a tool to its end.

    Args:
        command: of the tool.
        what: it installs, for the error.
        variables: further ones of its environment.

    Raises:
        InstallError: it failed, could not be run, or did not end in time.
    """
    try:
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=INSTALL_WAITS_S,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(variables or {})},
        )
    except subprocess.TimeoutExpired as error:
        raise InstallError(f"{what} was not installed within {INSTALL_WAITS_S:g} s: is the registry there?") from error
    except OSError as error:
        raise InstallError(f"{what} cannot be installed: {command[0]}: {error}") from error
    if ended.returncode:
        said = " ".join((ended.stderr.strip() or ended.stdout.strip()).splitlines()[-_SAID_LINES:])
        raise InstallError(f"{what} cannot be installed by {Path(command[0]).name}: {said}")
