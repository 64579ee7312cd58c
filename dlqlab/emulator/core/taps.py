"""Where the server, and who parses for it, tell of requests if anybody watches. Imports nothing."""

from collections.abc import Mapping
from typing import Any, Protocol


class Connection(Protocol):
    """Watches the requests of one connection, which are served one after the other. No method raises."""

    def began(self, method: bytes, target: bytes, headers: Mapping[bytes, bytes], body: Any) -> None:
        """A request is there.

        Args:
            headers: by names in lower case.
            body: bytes, or a file where it is large.
        """

    def answered(self, status: str, body: bytes) -> None:
        """Its answer is made, and not yet sent; ``status`` is that of the status line."""


class Watch(Protocol):
    """Watches all requests."""

    def connection(self) -> Connection:
        """Who watches a new connection; asked for, and told of its requests, on the thread that serves it."""


watch: Watch | None = None
"""None while nothing is recorded."""

said: tuple[bytes | None, Any, Any, str | None] = (None, None, None, None)
"""Of the last plain call that a shortcut has parsed: its body, the queue's address or the table's name, the receipt
handle or the item's key, the update expression. Whoever finds a body of its own there need not parse it
again. It may be another thread's: to look it up by thread would cost more than to parse it. Nobody changes what is in
there."""
