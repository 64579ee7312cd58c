"""A queue: what is asked of it, in terms of messages."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class QueueError(RuntimeError):
    """SQS did not answer or refused; what was asked may have happened."""


class Queue(Protocol):
    """A queue. Every method may raise QueueError."""

    def send(
        self,
        body: str,
        attributes: Mapping[str, str] | None = None,
        *,
        delay_s: int = 0,
        trace_header: str | None = None,
    ) -> str:
        """Put a message on the queue, to be seen after the delay (0 to 900 s); returns its id.

        ``trace_header`` is the X-Ray header of the message's task; without one the SDK gives the invocation's own.
        """

    def hide(self, receipt_handle: str, seconds: int) -> None:
        """Keep a received message invisible for so long, counting from now."""

    def delete(self, receipt_handles: Sequence[str]) -> None:
        """Remove received messages."""
