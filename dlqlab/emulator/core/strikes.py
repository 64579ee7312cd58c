"""Where faults from outside tell of each time that they strike, whether anybody writes it down or not."""

from collections.abc import Callable
from typing import NamedTuple


class Strike(NamedTuple):
    """A fault that has struck; see the columns of ``faults`` in ``contracts.recording``."""

    fault: str
    kind: str
    task_key: str
    function: str | None = None
    queue: str | None = None
    message_id: str | None = None
    receive_count: int | None = None
    request_id: str | None = None
    service: str | None = None
    operation: str | None = None
    resource: str | None = None
    nth: int | None = None
    attempt: int | None = None


WATCHES: list[Callable[[Strike], None]] = []
"""Neither raises; empty while nothing is recorded."""


def tell(strike: Strike) -> None:
    """It strikes now."""
    for watch in WATCHES:
        watch(strike)
