"""The folders of emulators: one each under ``.dlqlab``, named after its port."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from dlqlab import paths
from dlqlab.emulator.host import service_catalog_cache

KEPT_S = 86_400.0
"""How long the folder of an emulator that has ended is kept, for its log."""
_PREFIX = "emulator-"


def folder_of(port: int, root: Path = paths.STATE) -> Path:
    return root / f"{_PREFIX}{port}"


def ports(root: Path = paths.STATE) -> list[int]:
    """The ports that there are folders of, in order."""
    return sorted(int(path.name.removeprefix(_PREFIX)) for path in root.glob(f"{_PREFIX}*"))


def new_folder(port: int, root: Path, is_running: Callable[[int], bool]) -> Path:
    """An empty folder for the emulator's files, in place of what one before it left on this port.

    Folders of ended emulators are removed after a day: those on free ports leave a new folder each.
    """
    for other in ports(root):
        if _age_s(folder_of(other, root)) > KEPT_S and not is_running(other):
            shutil.rmtree(folder_of(other, root), ignore_errors=True)
    folder = folder_of(port, root)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tmp").mkdir(parents=True)
    service_catalog_cache.give(folder)
    return folder


def _age_s(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except FileNotFoundError:  # another emulator starts on its port at this moment
        return 0.0
