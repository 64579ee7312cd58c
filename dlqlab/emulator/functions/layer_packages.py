"""Folders with the content of layers, made of packages or archives, once for a requirement, runtime and machine.

They lie in the user's cache folder, for every later emulator. Packages of PyPI come by uv where it is installed, else
by pip, as wheels for the runtime's version of Python; packages of npm by npm, without their scripts.
"""

import hashlib
import platform
import re
import shutil
import sys
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path

from dlqlab.contracts.function_needs import NPM, is_path
from dlqlab.emulator.runtime import installing
from dlqlab.emulator.runtime.caches import cache_root, filled
from dlqlab.emulator.runtime.installing import InstallError

_LOCK = threading.Lock()


class LayerError(Exception):
    """The content of a layer cannot be had; says why, and what to do."""


def content(source: str, *, python: str | None, project: Path | None) -> Path:
    """The folder that stands at /opt.

    Args:
        source: as the project file has it.
        python: the version that the function runs on, such as ``3.13``; None where it is no Python function.
        project: the project file, from whose folder paths are meant.

    Raises:
        LayerError: a folder or archive is not there, or a package cannot be installed.
    """
    if is_path(source):
        return _given(source, project)
    if not source.startswith(NPM) and python is None:
        raise LayerError(f"{source} is of PyPI, and the function's runtime is not Python: give npm:NAME, or a path")
    key = "\n".join((source, "" if source.startswith(NPM) else str(python), platform.machine(), sys.platform))
    folder = cache_root() / "layers" / _key(source, key)
    with _LOCK:  # a client that gave up waiting asks again: the second call waits for the first one
        return filled(folder, lambda new: _install(source, python, new))


def _key(source: str, text: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", source.removeprefix(NPM).lower()).strip("-")
    return f"{name[:40]}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _given(source: str, project: Path | None) -> Path:
    path = Path(source).expanduser()
    if not path.is_absolute() and project is not None:
        path = project.parent / path
    if path.is_dir():
        return path.resolve()
    if not path.is_file():
        raise LayerError(f"{path} is not there: give a folder or a zip file, from the project file's folder")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with _LOCK:
        return filled(cache_root() / "layers" / _key(path.name, digest), lambda new: _unzip(path, new))


def _unzip(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                placed = Path(archive.extract(entry, folder))
                if mode := (entry.external_attr >> 16) & 0o777:  # which the library leaves out
                    placed.chmod(mode | 0o400)
    except (zipfile.BadZipFile, OSError) as error:
        raise LayerError(f"{path} cannot be unzipped: {error}") from error


def _install(source: str, python: str | None, folder: Path) -> None:
    if source.startswith(NPM):
        (folder / "nodejs").mkdir()
        command = _npm(source.removeprefix(NPM).split(), folder / "nodejs")
    else:
        command = installing.pip(source.split(), str(python), folder / "python")
    try:
        installing.run(command, source)
    except InstallError as error:
        raise LayerError(str(error)) from error


def _npm(names: Sequence[str], folder: Path) -> list[str]:
    npm = shutil.which("npm")
    if npm is None:
        raise LayerError(f"{' '.join(names)} needs npm, which is not on PATH: install Node.js, or give a folder")
    options = ("--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--omit=dev")
    return [npm, "install", "--prefix", str(folder), *options, *names]
