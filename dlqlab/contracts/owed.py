"""What an emulator is still going to do by itself when its queues are empty, and where that is asked for."""

from dataclasses import dataclass
from enum import StrEnum

OWED_PATH = "/_dlqlab/owed"
"""GET gives a list of ``Owed`` in plain JSON."""


class OwedKind(StrEnum):
    """What is still to happen; the words are those that people read."""

    EVENT = "asynchronous invocation"
    SCHEDULE = "one-time schedule"
    RECORD = "stream record"
    EXECUTION = "execution"
    DELIVERY = "undelivered record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """``n`` things of one kind that are still to happen.

    ``of`` is the function, schedule, state machine or delivery stream. ``leads_to`` is the function or queue, by name,
    that gets them; None where that is not known. ``due_ts`` is when it is due, in seconds since the epoch: of schedules
    alone.
    """

    kind: OwedKind
    of: str
    n: int = 1
    leads_to: str | None = None
    due_ts: float | None = None
