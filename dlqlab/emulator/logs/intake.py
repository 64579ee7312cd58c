"""Lines of functions on their way into the log store: an invocation hands them over and does not wait.

Whoever looks into the store sees every line that was handed over before, because a look waits for them; so storing
later shows nowhere but in the time that an invocation takes.
"""

import threading
from collections.abc import Callable

from dlqlab.emulator.core.isolation import Worker, one_by_one, warn_once

PART = "log lines of functions"
BACKLOG_CHARACTERS_MAX = 256 * 1024 * 1024
"""Of lines that wait to be stored, should the store hang."""
SETTLE_S = 5.0
"""How long a look into the store waits for lines that were handed over before."""

Store = Callable[[], object]
"""Puts the lines of one invocation into the store."""

_NOW = threading.local()

_WORKER: Worker[Store] = Worker(
    PART,
    one_by_one(PART, lambda store: store()),
    backlog_max=BACKLOG_CHARACTERS_MAX,
    name="dlqlab-function-logs",
)


def hand_over(store: Store, characters: int, request_id: str | None) -> None:
    """Have lines of so many characters, which an invocation printed, stored in the order of their handing over."""

    def put() -> None:
        _NOW.request_id = request_id
        try:
            store()
        finally:
            _NOW.request_id = None

    _WORKER.give(put, characters)


def printed_by() -> str | None:
    """The request id of the invocation whose lines this thread is storing; None where it is storing none."""
    return getattr(_NOW, "request_id", None)


def settle() -> None:
    """Wait until all lines that were handed over before are stored; not for ever where the store hangs."""
    if not _WORKER.settle(SETTLE_S):
        warn_once(PART, "late", f"not stored after {SETTLE_S:g} s; looks into the log do not show them yet")
