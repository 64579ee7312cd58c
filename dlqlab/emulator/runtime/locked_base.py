"""AWS's runtime client and SDK for a version of Python that the installed ones no longer support.

Locked versions, with their hashes, from the package registry: fetched once into the user's cache folder.
"""

import platform
from pathlib import Path

from dlqlab.emulator.runtime.caches import cache_root, filled
from dlqlab.emulator.runtime.installing import InstallError, pip, run

_LOCKS = Path(__file__).with_name("locks")


def lock_of(version: str) -> Path | None:
    """The locked packages for a version of Python; None where there are none."""
    path = _LOCKS / f"python{version}.txt"
    return path if path.is_file() else None


def locked_packages(version: str, lock: Path) -> Path:
    """The folder with them.

    Raises:
        InstallError: they are not there yet, and cannot be fetched.
    """
    what = f"the runtime client for Python {version}"
    wanted = ["--require-hashes", "--no-deps", "-r", str(lock)]
    folder = cache_root() / "runtimes" / f"python{version}-{platform.machine()}-{_stamp(lock)}"
    return filled(folder, lambda new: run(pip(wanted, version, new), what))


def _stamp(lock: Path) -> str:
    """The locked version of the client, by which a later dlqlab knows its own."""
    line = next((line for line in lock.read_text().splitlines() if line.startswith("awslambdaric==")), "")
    if not line:
        raise InstallError(f"{lock.name} locks no awslambdaric")
    return line.removeprefix("awslambdaric==").rstrip(" \\")
