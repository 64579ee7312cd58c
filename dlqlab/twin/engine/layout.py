"""The arrays of the simulation and the codes in them. Times are seconds from the start of the load."""

from collections.abc import Callable
from enum import EnumMeta, IntEnum, StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskrules.faults import DRAWN, Fault, Leaves
from taskrules.tasks import Action, Refusal, Skip

Array = NDArray[Any]
NEVER = 1e300


class CodeType(EnumMeta):
    """What the compiler knows codes by: their members are plain integers to it (engine.compiled)."""


class Code(IntEnum, metaclass=CodeType):
    """A set of codes that the arrays hold."""


# What an attempt meets: in the order of codes none, the drawn faults as they share a draw, the others. What the engine
# does with a fault goes by sets of them, each a bit a code, so that it follows from the fault's row.
FAULTS = (Fault.NONE, *DRAWN, *(fault for fault in Fault if fault is not Fault.NONE and not fault.rate))
NO_FAULT, FIRST_DRAWN = 0, 1
TRANSIENT, TIMEOUT, OUTAGE = (FAULTS.index(fault) for fault in (Fault.TRANSIENT, Fault.TIMEOUT, Fault.OUTAGE))


def _bits(is_one: Callable[[Fault], bool]) -> int:
    return sum(1 << code for code, fault in enumerate(FAULTS) if is_one(fault))


RETRIED = _bits(lambda fault: fault.is_retried)
HAS_EFFECT = _bits(lambda fault: fault.leaves in (Leaves.SUCCESS, Leaves.EFFECT))
DIES_BEFORE = _bits(lambda fault: fault.leaves is Leaves.NOTHING)
DIES_AFTER = _bits(lambda fault: fault.leaves is Leaves.EFFECT)
ASKS_BACKOFF = _bits(lambda fault: fault.is_reported and fault.is_retried)
IS_FINAL = _bits(lambda fault: fault.is_reported and not fault.is_retried)


class Status(Code):
    """Where a task stands; taskrules.tasks.Status in code."""

    QUEUED, PROCESSING, RETRYING, COMPLETED, FAILED = range(5)


class Script(Code):
    """What a task's payload scripts."""

    NONE, ALWAYS_FAILS, NEVER_FAILS = range(3)


class Place(Code):
    """Where a message is."""

    FREE, VISIBLE, IN_FLIGHT, HIDDEN, DELAYED, DEAD = range(6)


class Phase(Code):
    """What a poller does next, at its turn."""

    IDLE, GONE, POLL, GATHER, BEGIN, END, FINISH, KILL, CRASH, RETURN = range(10)


class Answer(Code):
    """How a record of a batch ended for the batch's answer."""

    PENDING, DONE, KEPT = range(3)


class BreakerState(Code):
    """Where the breaker stands."""

    CLOSED, OPEN, HALF_OPEN = range(3)


class Event(Code):
    """Events in the log."""

    STARTED, SUCCEEDED, FAILED_ATTEMPT, SKIPPED, DEAD_LETTERED, REQUEUED = range(1, 7)
    OPENED, HALF_OPENED, CLOSED_AGAIN = range(7, 10)


class Reason(Code):
    """Why a delivery led to no attempt, or a message is dead; Refusal and Skip of taskrules in code."""

    NONE, COMPLETED, FAILED, EXHAUSTED, PERMANENT, HELD, EARLY, DUPLICATE, MOVED, STALE = range(10)
    NO_TIME, BREAKER_OPEN, MALFORMED, RECEIVED_TOO_OFTEN, ALREADY_DEAD_LETTERED = range(10, 15)

    @property
    def text(self) -> str:
        """As the app says it; empty for none."""
        texts: dict[str, StrEnum] = {**Refusal.__members__, **Skip.__members__}
        return str(texts[self.name]) if self else ""

    @property
    def action(self) -> Action | None:
        """What becomes of the message, where a claim was refused for it."""
        return Refusal[self.name].action if self.name in Refusal.__members__ else None


BURIED = sum(1 << reason for reason in Reason if reason.action is Action.BURY)
GIVEN_BACK = sum(1 << reason for reason in Reason if reason.action is Action.GIVE_BACK)
"""Sets of reasons, each a bit a code."""


class Error(Code):
    """The last error of a task that is not of its fault; that one is FIRST_ERROR and the fault's code."""

    NEVER_ATTEMPTED, ATTEMPT_LOST, UNUSABLE, OUTLIVED = range(4)


FIRST_ERROR = len(Error)


class Outcome(Code):
    """How an invocation ended."""

    OK, TIMED_OUT, CRASHED = range(3)


class Step(Code):
    """Rows of the table of durations."""

    ENQUEUE, ANSWER, API_BUSY, DELIVER, HEAD, SUCCESS, TURN, FAILURE, HIDE, SKIP, TAIL, SETTLE = range(12)
    REAPPEAR, MONITOR, COLD_START = range(12, 15)


DURATIONS = tuple(f"{step.name.lower()}_s" for step in Step)
"""The parameter of each row."""


class Column(Code):
    """Columns of the series, one row a second."""

    RECEIVED, STARTED, FAILED, COMPLETED, DEAD_LETTERED, VISIBLE, IN_FLIGHT, DELAYED = range(8)
    DLQ_VISIBLE, DLQ_IN_FLIGHT = range(8, 10)


SERIES = tuple(column.name.lower() for column in Column)


class Stop(Code):
    """Why the loop stopped."""

    FINISHED, AT_HORIZON, NEEDS_MESSAGES, NEEDS_LOG, NEEDS_SERIES = range(5)


TASKS, LETTERS = 0, 1
"""The two queues, and with the same number their mapping and its function."""

CLIENT = np.dtype([("sent", "f8"), ("enqueued", "f8"), ("done", "f8"), ("unanswered", "?")])
"""What a client saw of its task; ``enqueued`` is when its message was in the queue, by the API or by the sweeper."""

TASK = np.dtype(
    [
        ("first_started", "f8"),
        ("updated", "f8"),  # the last write: of a terminal task, its end
        ("until", "f8"),  # PROCESSING: end of the lease; RETRYING: end of the backoff
        ("carrier", "i4"),  # serial of the message that made the latest claim
        ("attempts", "i2"),
        ("generation", "i2"),
        ("status", "u1"),
        ("closed", "u1"),
        ("effects", "u1"),
        ("error", "u1"),
        ("script", "u1"),
        ("suffix", "u1"),
        ("sampled", "u1"),
        ("letters", "u1"),  # dead letters archived
    ],
    align=True,
)

MESSAGE = np.dtype(
    [
        ("sent", "f8"),
        ("placed", "f8"),  # when it was put at the end of the visible ones
        ("task", "i4"),  # -1 is a message that is not a task
        ("serial", "i4"),
        ("source", "i4"),  # serial of the message that was buried as this one
        ("next", "i4"),  # in the list of visible or of free ones
        ("receives", "i2"),
        ("generation", "i2"),
        ("state", "u1"),
        ("queue", "u1"),
        ("holds", "u1"),  # lists, heaps and batches that know this slot
        ("reason", "u1"),  # why the processor buried it
        ("error", "u1"),
    ],
    align=True,
)

POLLER = np.dtype(
    [
        ("mapping", "u1"),
        ("phase", "u1"),
        ("fault", "u1"),
        ("is_expired", "u1"),
        ("is_cold", "u1"),
        ("succeeded", "u1"),
        ("sampled", "u1"),
        ("environment", "i4"),
        ("n", "i4"),
        ("k", "i4"),
        ("empty", "i4"),
        ("invocation", "i8"),
        ("received", "f8"),
        ("expires", "f8"),
        ("started", "f8"),
        ("deadline", "f8"),
        ("begun", "f8"),  # start of the attempt in work
        ("due", "f8"),  # time of the phase; its turn may come before, when the messages' visibility timeout ends
        ("init", "f8"),
    ],
    align=True,
)

ENVIRONMENT = np.dtype(
    [("used", "f8"), ("seen_since", "f8"), ("seen_at", "f8"), ("name", "i4"), ("seen", "u1")], align=True
)
"""An execution environment; ``seen...``: what it remembers of the breaker."""

QUEUE = np.dtype(
    [
        ("head", "i4"), ("tail", "i4"), ("visible", "i8"), ("in_flight", "i8"), ("delayed", "i8"),
        # of the mapping
        ("batch_size", "i8"), ("window", "f8"), ("timeout", "f8"), ("visibility", "f8"),
        ("live", "i8"), ("idle", "i8"), ("gone", "i8"), ("start", "i8"), ("max", "i8"),
        ("allowed", "f8"), ("gathering", "i8"), ("warm", "i8"),
        ("invocations", "i8"), ("busy_s", "f8"), ("cold_starts", "i8"),
    ],
    align=True,
)  # fmt: skip
"""A queue and its mapping. ``live`` pollers of ``allowed``, ``idle`` of them; ``warm`` idle environments."""

HEAP = np.dtype([("key", "f8"), ("seq", "i8"), ("item", "i8")])
TOURNAMENT = np.dtype([("at", "i8"), ("poller", "i8")])
"""``at``: the bits of a time."""

CLOCK = np.dtype(
    [
        ("now", "f8"), ("next_second", "f8"), ("next_tick", "f8"), ("rng", "u8"),
        ("fed", "i8"), ("seq", "i8"), ("serial", "i8"), ("invocation", "i8"), ("environments", "i8"), ("spare", "i8"),
        ("active", "i8"),  # execution environments in use
        ("free", "i8"), ("free_head", "i8"), ("delayed_n", "i8"), ("front_n", "i8"),
        ("log_n", "i8"), ("invocations_n", "i8"),
        ("attempts", "i8"), ("failed", "i8"), ("received", "i8"), ("skipped", "i8"), ("put_off", "i8"),
        ("wasted", "i8"), ("timeouts", "i8"), ("crashes", "i8"), ("throttles", "i8"), ("expired", "i8"),
        ("polls", "i8"), ("idle_s", "f8"), ("changes", "i8"), ("moves", "i8"), ("letters", "i8"),
    ],
    align=True,
)  # fmt: skip

RULES = np.dtype(
    [
        ("seed", "i8"), ("sticky", "u1"), ("by_draw", "u1"), ("slow_rate", "f8"), ("slow_s", "f8"),
        ("outage_start", "f8"), ("outage_end", "f8"), ("max_attempts", "i8"), ("jitter", "u1"),
        ("has_breaker", "u1"), ("ratio", "f8"), ("window", "f8"), ("min_calls", "i8"), ("cool_down", "f8"),
        ("by_sent", "u1"), ("back_after", "i8"), ("per_s", "f8"), ("environments_max", "i8"), ("in_flight_max", "i8"),
        ("retention", "f8"), ("tick", "f8"), ("poll_interval", "f8"), ("empty_wait", "f8"), ("empty_factor", "f8"),
        ("empty_max", "f8"), ("stale_deletes", "u1"), ("count_goes_on", "u1"), ("idle_max", "f8"),
        ("throttle_pause", "f8"), ("is_logged", "u1"), ("is_quick", "u1"), ("epoch", "f8"),
    ],
    align=True,
)  # fmt: skip
"""What the scenario and the target say, constant during a simulation. ``epoch``: calendar time of second 0;
``is_quick``: draws of the same distribution instead of the app's own."""

BREAKER = np.dtype(
    [("state", "u1"), ("since", "f8"), ("window", "i8"), ("calls", "i8"), ("failures", "i8")], align=True
)

LOG = np.dtype(
    [
        ("t", "f8"), ("value", "f8"), ("last", "f8"), ("invocation", "i8"), ("environment", "i4"), ("task", "i4"),
        ("serial", "i4"), ("batch", "i4"), ("attempt", "i2"), ("generation", "i2"), ("receives", "i2"), ("event", "u1"),
        ("reason", "u1"), ("error", "u1"), ("function", "u1"), ("is_cold", "u1"),
    ],
    align=True,
)  # fmt: skip
"""One event. ``value``: backoff of a failed attempt; ``last``: start of the attempt, or the task's last write."""

INVOCATION = np.dtype(
    [
        ("invocation", "i8"), ("environment", "i4"), ("function", "u1"), ("status", "u1"), ("started", "f8"),
        ("ended", "f8"), ("init", "f8"),
    ],
    align=True,
)  # fmt: skip


class State(NamedTuple):
    """Everything that a simulation knows."""

    clock: Array  # CLOCK, one
    rules: Array  # RULES, one
    breaker: Array  # BREAKER, one
    queues: Array  # QUEUE, two
    tasks: Array  # TASK
    messages: Array  # MESSAGE
    delayed: Array  # HEAP: messages that come back, by time
    front: Array  # HEAP: visible messages that come before newer ones, by send time
    feed_t: Array  # f8: when a message is sent to the queue
    feed_task: Array  # i4: of which task
    pollers: Array  # POLLER
    turns: Array  # TOURNAMENT: of the pollers' times
    idle: Array  # i4: (queue, n): pollers that wait; rows 2 and 3: those that are gone, or not there yet
    members: Array  # i4: (poller, record): message
    receipts: Array  # i2: (poller, record): receive count at delivery
    answers: Array  # u1: (poller, record): PENDING, DONE, KEPT
    environments: Array  # ENVIRONMENT
    warm: Array  # i4: (queue, n): idle environments; row 2: free slots for environments
    durations: Array  # f8: (row, kind and values)
    edges: Array  # f8: upper ends of the bands that the drawn faults share
    ceilings: Array  # f8: delay before jitter after attempt n, at n - 1
    ids: Array  # u1: (task, character), no rows where the ids are the load generator's
    text: Array  # u1: scratch of the hash
    words: Array  # u4: scratch of the hash
    plans: Array  # u4: what each task's first attempts come to (engine.ahead), no rows where that is not known
    waits: Array  # u2: (task, attempt - 1): seconds after a failed attempt, no rows where they are not drawn ahead
    series: Array  # i8: (second, column)
    log: Array  # LOG
    invocations: Array  # INVOCATION
