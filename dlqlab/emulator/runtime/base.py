"""The Lambda base: what AWS's Python runtime brings along and a bundle need not contain.

A folder of links to the installed awslambdaric and boto3 and what they need. It keeps the harness's other packages out
of sight: a dependency that is missing from the bundle fails here as it would on AWS.

For a Python of another version than the emulator's the same packages serve, as far as they are for it: without what is
compiled for one version only, of which all have an equal in Python but awslambdaric's transport, ``runtime_client``.
For a version that they no longer support there are earlier ones, which are fetched: ``locked_base``.
"""

import functools
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from dlqlab.emulator.runtime import network
from dlqlab.emulator.runtime.installing import InstallError
from dlqlab.emulator.runtime.locked_base import lock_of, locked_packages

RUNTIME_PACKAGES = ("awslambdaric", "boto3")
TRANSPORT = Path(__file__).with_name("runtime_client.py")
OWN_VERSION = ".".join(map(str, sys.version_info[:2]))


class UnsupportedPythonError(Exception):
    """The installed packages are not for this version of Python."""


@functools.cache
def build_base(folder: Path, version: str = OWN_VERSION) -> Path:
    """Fill the folder with links to the runtime's packages and their dependencies, once; returns the folder.

    Raises:
        UnsupportedPythonError: one of them does not support the version, and no earlier ones can be had.
    """
    links = [*_links(version), (network.MODULE.name, network.MODULE)]
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in links:
        link = folder / name
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(target)
    return folder


def _links(version: str) -> list[tuple[str, Path]]:
    try:
        links = [link for found in _closure(RUNTIME_PACKAGES, version) for link in _top_level(found)]
    except UnsupportedPythonError as error:
        return _locked(version, error)
    if version == OWN_VERSION:
        return links
    return [*(link for link in links if link[1].suffix != ".so"), (TRANSPORT.name, TRANSPORT)]


def _locked(version: str, why: UnsupportedPythonError) -> list[tuple[str, Path]]:
    """Of earlier releases, which are for that version alone, with what they have compiled."""
    lock = lock_of(version)
    if lock is None:
        raise why
    try:
        packages = locked_packages(version, lock)
    except InstallError as error:
        raise UnsupportedPythonError(f"{why}, and {error}") from error
    return [(path.name, path) for path in sorted(packages.iterdir()) if path.name != "bin"]


def _closure(names: tuple[str, ...], version: str) -> list[Distribution]:
    """The distributions and all that they require without extras."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = _distribution(name, version)
        for line in found[name].requires or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": "", "python_version": version}):
                waiting.append(requirement.name)
    return list(found.values())


def _distribution(name: str, version: str) -> Distribution:
    try:
        found = distribution(name)
    except PackageNotFoundError as error:
        if version == OWN_VERSION:
            raise
        raise UnsupportedPythonError(f"Python {version} needs {name}, which is not installed") from error
    supported = found.metadata.get("Requires-Python") or ""
    if not SpecifierSet(supported).contains(version):
        raise UnsupportedPythonError(f"{name} {found.version} is for Python {supported}")
    return found


def _top_level(found: Distribution) -> list[tuple[str, Path]]:
    """Name and place of each top-level file or folder that the distribution installed beside its metadata."""
    # RECORD itself: Distribution.files would look at every one of botocore's thousands of files.
    paths = [line.partition(",")[0] for line in (found.read_text("RECORD") or "").splitlines()]
    tops = {Path(path).parts[0] for path in paths if path} - {"..", "__pycache__"}
    return [(top, Path(str(found.locate_file(top)))) for top in sorted(tops)]
