"""The Logs Insights queries of one account and region: what was asked, how far each is, what came out.

One thread answers one query after the other, and stands back after every few lines, so that whatever else runs in the
emulator goes first. What goes wrong in a query is that query's own failure. Knows no LocalStack.
"""

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from dlqlab.insights import LogLine, Query, QueryStopped, Result, Statistics

ACTIVE_MAX = 100
"""Queries that wait or run at the same time (AWS, "Analyzing log data with CloudWatch Logs Insights")."""
TIMEOUT_S = 3600.0
"""How long a query may run (StartQuery, AWS API reference)."""
ROWS_KEPT_MAX = 200_000
KEPT_MAX = 1000
"""Ended queries that can be asked about. AWS keeps them for days, an emulator as long as there is room."""
PAUSE_S = 0.0002
"""After every 64 lines: whoever waits for the interpreter gets it then."""

_LOG = logging.getLogger(__name__)

type Lines = Callable[[], Iterable[LogLine]]


class Status(StrEnum):
    """AWS's names."""

    SCHEDULED = "Scheduled"
    RUNNING = "Running"
    COMPLETE = "Complete"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    TIMEOUT = "Timeout"


ACTIVE = frozenset({Status.SCHEDULED, Status.RUNNING})


class TooManyQueriesError(Exception):
    """As many queries as there may be wait or run."""


@dataclass(slots=True, kw_only=True)
class StartedQuery:
    """A query that somebody has started."""

    query: Query
    log_groups: tuple[str, ...]
    lines: Lines
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    status: Status = Status.SCHEDULED
    statistics: Statistics = field(default_factory=Statistics)
    result: Result | None = None
    stopped: bool = False


class Queries:
    """Starts, answers, stops and remembers queries. Safe for many threads."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._asked: dict[str, StartedQuery] = {}
        self._waiting: queue.SimpleQueue[StartedQuery] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, query: Query, log_groups: tuple[str, ...], lines: Lines) -> StartedQuery:
        """Have a query answered; ``lines`` gives those of its time range when its turn has come.

        Raises:
            TooManyQueriesError: wait for another, or stop one.
        """
        asked = StartedQuery(query=query, log_groups=log_groups, lines=lines)
        with self._lock:
            if sum(one.status in ACTIVE for one in self._asked.values()) >= ACTIVE_MAX:
                raise TooManyQueriesError
            self._asked[asked.id] = asked
            self._forget()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="logs-insights", daemon=True)
                self._thread.start()
        self._waiting.put(asked)
        return asked

    def get(self, query_id: str) -> StartedQuery | None:
        """The query of that id; None for one that nobody started, or that is forgotten."""
        return self._asked.get(query_id)

    def stop(self, asked: StartedQuery) -> bool:
        """Stop a query that waits or runs; whether it did."""
        with self._lock:
            if asked.status not in ACTIVE:
                return False
            asked.stopped = True
            asked.status = Status.CANCELLED
            return True

    def all(self) -> list[StartedQuery]:
        """Every query that is remembered, the newest first."""
        with self._lock:
            return list(reversed(self._asked.values()))

    def _work(self) -> None:
        while True:
            asked = self._waiting.get()
            if self._enter(asked, Status.RUNNING):
                self._answer(asked)

    def _answer(self, asked: StartedQuery) -> None:
        until = self._clock() + TIMEOUT_S

        def pause() -> None:
            self._sleep(PAUSE_S)
            if asked.stopped or self._clock() > until:
                raise QueryStopped

        try:
            asked.result = asked.query.run(asked.lines(), asked.statistics, pause)
        except QueryStopped:
            self._enter(asked, Status.TIMEOUT)
        except Exception:  # noqa: BLE001  (whatever it is, the next query must be answered)
            _LOG.exception("the query %s of CloudWatch Logs failed", asked.query.text)
            self._enter(asked, Status.FAILED)
        else:
            self._enter(asked, Status.COMPLETE)
        asked.lines = tuple  # a log group that is deleted meanwhile is not kept

    def _enter(self, asked: StartedQuery, status: Status) -> bool:
        """The next status, unless somebody has stopped the query."""
        with self._lock:
            if asked.stopped:
                asked.result = None
                return False
            asked.status = status
            return True

    def _forget(self) -> None:
        """Drop the oldest that have ended where too many are kept, or too many rows."""
        rows = 0
        for kept, asked in enumerate(list(reversed(self._asked.values())), 1):
            rows += len(asked.result.rows) if asked.result else 0
            if asked.status not in ACTIVE and (kept > KEPT_MAX or rows > ROWS_KEPT_MAX):
                del self._asked[asked.id]
