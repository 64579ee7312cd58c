"""LocalStack's catalogue of AWS services, kept from one emulator to the next.

LocalStack makes it at its first start from the descriptions of all 400 services that botocore brings, 4 s of processor
time and 350 MB that stay, and stores it in its cache folder, which each of our emulators starts without. Its name holds
the versions of LocalStack and botocore: another version makes another file.
"""

import os
import shutil
from pathlib import Path

from dlqlab import paths

PATTERN = "service-catalog-*.dill"
KEPT = paths.STATE / "cache"
CACHE = Path("filesystem", "var", "lib", "localstack", "cache")
"""LocalStack's cache folder within the folder of an emulator, which is its FILESYSTEM_ROOT's parent."""


def give(state: Path, kept: Path = KEPT) -> None:
    """Put the kept catalogues into the folder of an emulator that is about to start."""
    for path in kept.glob(PATTERN):
        _copy(path, state / CACHE)


def keep(state: Path, kept: Path = KEPT) -> None:
    """Keep the catalogues that an emulator has made."""
    for path in (state / CACHE).glob(PATTERN):
        if not (kept / path.name).exists():
            _copy(path, kept)


def _copy(path: Path, folder: Path) -> None:
    """Whole or not at all: another emulator may start at this moment."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{path.name}.{os.getpid()}"
    shutil.copyfile(path, partial)
    partial.replace(folder / path.name)
