"""Where the server tells of requests, whether anybody watches or not. Imports nothing."""

from collections.abc import Mapping
from typing import Any, Protocol


class Watch(Protocol):
    """Neither method raises."""

    def began(self, method: bytes, target: bytes, headers: Mapping[bytes, bytes], body: Any) -> None: ...

    def answered(self, status: str, body: bytes) -> None: ...


WATCHES: list[Watch] = []
"""Empty while nothing is recorded."""


def began(method: bytes, target: bytes, headers: Mapping[bytes, bytes], body: Any) -> None:
    """A request is there, to be served by this thread.

    Args:
        headers: by names in lower case.
        body: bytes, or a file where it is large.
    """
    for watch in WATCHES:
        watch.began(method, target, headers, body)


def answered(status: str, body: bytes) -> None:
    """Its answer is made, and not yet sent; ``status`` is that of the status line."""
    for watch in WATCHES:
        watch.answered(status, body)
