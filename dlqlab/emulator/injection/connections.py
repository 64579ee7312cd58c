"""Connections that are closed in the place of an answer."""

import functools
import threading
from typing import Any

from dlqlab.emulator.gateway import server


class _Here(threading.local):
    is_closing = False


_HERE = _Here()


def close() -> None:
    """Close the connection of the request that this thread serves, once it has been served."""
    _HERE.is_closing = True


def install() -> None:
    """Close connections from now on, where ``close`` was called for their request."""
    original = server._written

    @functools.wraps(original)
    def written(*args: Any, **kwargs: Any) -> bytes:
        if _HERE.is_closing:
            _HERE.is_closing = False
            raise ConnectionAbortedError("by a fault from outside")
        return original(*args, **kwargs)

    server._written = written
