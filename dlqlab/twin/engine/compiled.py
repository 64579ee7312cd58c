"""The compiler, set up once: results are kept on disk, beside the emulator's state.

numba notices a change of the file that a function stands in, not of those it calls into. So the folder that keeps the
results is named after the text of all modules of the engine, and of the rules whose constants it has.
"""

import hashlib
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numba
from numba import types
from numba.core import config
from numba.extending import models, register_model, typeof_impl

import taskrules
from dlqlab import paths
from dlqlab.twin.engine.layout import Code, CodeType


def _digest() -> str:
    folders = (Path(__file__).parent, Path(taskrules.__file__).parent)
    text = b"".join(path.read_bytes() for folder in folders for path in sorted(folder.glob("*.py")))
    return hashlib.sha256(text).hexdigest()[:16]


_WIDE = {int: types.int64, float: types.float64}
config.CACHE_DIR = str(paths.STATE / "compiled" / _digest())


class _Codes(types.IntEnumClass):  # type: ignore[misc]  # numba has no types for mypy
    """A class of codes whose members are plain integers, so that they mix with what the arrays hold."""

    @property
    def member_type(self) -> Any:
        return self.dtype


register_model(_Codes)(models.OpaqueModel)


@typeof_impl.register(CodeType)  # type: ignore[untyped-decorator]
def _codes(codes: type[Code], _: object) -> _Codes:
    return _Codes(codes, types.int64)


def is_kept() -> bool:
    """Whether this engine has been compiled before: what is kept takes a second to load, what is not half a minute."""
    return any(Path(config.CACHE_DIR).rglob("*.nbi"))


def entry[F: Callable[..., Any]](function: F) -> F:
    """A function that Python calls: compiled at its first call and kept. It raises nothing."""
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))


def inner[F: Callable[..., Any]](function: F) -> F:
    """A part that becomes the text of its callers: for what is short and often done."""
    return _part(function, forceinline=True)


def part[F: Callable[..., Any]](function: F) -> F:
    """A function that only compiled ones call: kept as a part of them, compiled once.

    Once, because a parameter annotated int or float takes every width of it: numba would compile the function anew for
    a counter of 8 bits and one of 32.
    """
    return _part(function)


def _part[F: Callable[..., Any]](function: F, **options: bool) -> F:
    dispatcher = numba.njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)(function)
    wanted = [_WIDE.get(one) for one in typing.get_type_hints(function).values()]
    resolve = dispatcher.get_call_template

    def resolve_wide(arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        wide = tuple(
            to if to is not None and isinstance(one, types.Number | types.Boolean) else one
            for one, to in zip(arguments, wanted, strict=False)
        )
        return resolve(wide, named)

    dispatcher.get_call_template = resolve_wide
    return cast(F, dispatcher)
