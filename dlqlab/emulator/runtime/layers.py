"""The content of /opt: a function's layers, the later ones over the earlier ones, as Lambda extracts them."""

import hashlib
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_LOCK = threading.Lock()


def opt_root(codes: Sequence[Any], folder: Path) -> Path | None:
    """The folder with the content of all layers, made once for each combination; None without layers.

    Args:
        codes: LocalStack's archives of the layers, in the function's order.
        folder: of the emulator, for such folders.
    """
    if not codes:
        return None
    key = hashlib.sha256("\n".join(str(code.get_unzipped_code_location()) for code in codes).encode()).hexdigest()
    path = folder / key[:16]
    with _LOCK:
        if not path.exists():
            _merge(codes, path)
    return path


def _merge(codes: Sequence[Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
        whole = Path(temporary) / "opt"
        for code in codes:
            code.prepare_for_execution()
            shutil.copytree(code.get_unzipped_code_location(), whole, symlinks=True, dirs_exist_ok=True)
        whole.rename(path)
