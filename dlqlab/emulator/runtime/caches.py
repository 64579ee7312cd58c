"""What is fetched once and kept for every later emulator: folders below the user's cache folder.

Each is filled beside its place and renamed into it, so that two emulators that fetch the same at once, or one that is
ended meanwhile, leave a whole folder or none.
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path


def cache_root(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of all caches: ``dlqlab`` in XDG_CACHE_HOME, else in ``~/.cache`` (XDG Base Directory)."""
    own = environ.get("XDG_CACHE_HOME")
    return (Path(own) if own else Path(environ.get("HOME") or Path.home()) / ".cache") / "dlqlab"


def filled(folder: Path, fill: Callable[[Path], None]) -> Path:
    """The folder, filled by ``fill`` where it is not there yet; what ``fill`` raises leaves nothing behind."""
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as temporary:
        new = Path(temporary) / folder.name
        new.mkdir()
        fill(new)
        try:
            new.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another was quicker
                raise
    return folder
