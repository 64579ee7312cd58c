"""Where the server, and who parses for it, tell of requests if anybody watches. Imports nothing."""

from collections.abc import Mapping
from typing import Any, Protocol


class Watch(Protocol):
    """No method raises."""

    def began(self, method: bytes, target: bytes, headers: Mapping[bytes, bytes], body: Any) -> None:
        """A request is there, to be served by this thread.

        Args:
            headers: by names in lower case.
            body: bytes, or a file where it is large.
        """

    def parsed(self, body: bytes, members: Mapping[str, Any]) -> None:
        """What a body is as JSON: told by whoever has parsed it, on the thread that serves it. Nobody changes it."""

    def answered(self, status: str, body: bytes) -> None:
        """Its answer is made, and not yet sent; ``status`` is that of the status line."""


watch: Watch | None = None
"""None while nothing is recorded."""
