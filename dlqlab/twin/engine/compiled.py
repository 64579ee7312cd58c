"""The compiler, set up once: results are kept on disk, beside the emulator's state.

numba notices a change of the file that a function stands in, not of those it calls into. So the folder that keeps the
results is named after the text of all modules of the engine.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numba
from numba.core import config

from dlqlab import paths


def _digest() -> str:
    text = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return hashlib.sha256(text).hexdigest()[:16]


config.CACHE_DIR = str(paths.STATE / "compiled" / _digest())


def entry[F: Callable[..., Any]](function: F) -> F:
    """A function that Python calls: compiled at its first call and kept. It raises nothing."""
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))


def part[F: Callable[..., Any]](function: F) -> F:
    """A function that only compiled ones call: kept as a part of them."""
    return cast(F, numba.njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function))
