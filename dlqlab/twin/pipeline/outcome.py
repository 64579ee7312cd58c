"""What a simulation of a pipeline comes to, counted while it runs."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class QueueCounts:
    """Of one queue. ``oldest_s``: the longest that a message was in it."""

    entered: int = 0
    receives: int = 0
    done: int = 0
    dead_lettered: int = 0
    expired: int = 0
    filtered: int = 0
    visible_max: int = 0
    oldest_s: float = 0.0


@dataclass(slots=True)
class FunctionCounts:
    """Of one function that works on a queue. ``busy_s`` is without ``init_s``."""

    invocations: int = 0
    throttled: int = 0
    cold_starts: int = 0
    at_once_max: int = 0
    deliveries: int = 0
    failed: int = 0
    busy_s: float = 0.0
    init_s: float = 0.0
    hides: int = 0
    sent: int = 0


@dataclass(slots=True)
class Outcome:
    """One simulation. ``entered_s`` and ``ended_s`` are of the messages that entered the pipeline, by their number.

    ``ended_s`` is when the last that came of it left a queue of work. ``open`` is by number too: how many messages
    were still somewhere when the simulation ended.
    """

    entered_s: list[float] = field(default_factory=list)
    ended_s: list[float] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    queues: dict[str, QueueCounts] = field(default_factory=dict)
    functions: dict[str, FunctionCounts] = field(default_factory=dict)
    backlog: int = 0
    backlog_max: int = 0
    events: int = 0
    ended_at_s: float = 0.0
    idle_poller_s: float = 0.0
