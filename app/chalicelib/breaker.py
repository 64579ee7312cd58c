"""The circuit breaker around the dependency; one state for all execution environments.

    closed ---- failures / calls >= failure_ratio in a window of at least min_calls ----> open
    open ------ cool_down_s have passed, one environment may try the dependency --------> half-open
    half-open - the trial succeeds --> closed;  it fails --> open;  who tried has died --> another may try

While it is open no attempt is made. The trial is a call of its own and no task's attempt, so that a dependency that
stays down costs no task anything, however long that takes.

Each environment believes what it saw for ``CACHE_S``, so that a closed breaker costs one write for each attempt and
seldom a read. Every transition is one conditional write, and who makes it logs it: each is logged once. A breaker whose
table does not answer lets everything through: it is there to help the pipeline, not to stop it.

Not pybreaker: it counts failures in a row and not a ratio over a window, reads and writes its storage in separate
steps, so that several environments would all try at once, and would be the only package in the bundle.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from taskrules.breaker import CACHE_S, TRIAL_LEASE_S, WAIT_MIN_S, BreakerPolicy
from taskrules.draws import uniform
from taskrules.events import EventName
from taskrules.retry import SQS_DELAY_MAX_S
from taskrules.store import StoreError
from taskrules.telemetry import Telemetry


class BreakerState(StrEnum):
    """Where the breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRecord:
    """The shared state. ``since_ts``: open since, or half-open since. Counts are those of one window."""

    state: BreakerState = BreakerState.CLOSED
    since_ts: float = 0.0
    window: int = 0
    calls: int = 0
    failures: int = 0


class BreakerStore(Protocol):
    """Keeps the record. Every method may raise StoreError."""

    def read(self) -> BreakerRecord:
        """The record as the last write left it."""

    def count(self, *, window: int, is_failure: bool) -> BreakerRecord:
        """One call more in this window of a closed breaker; returns the record as it is then, in whatever state."""

    def move(self, seen: BreakerRecord, to: BreakerState, *, now: float) -> bool:
        """Another state since now; False when the breaker has moved since ``seen``."""


@dataclass(kw_only=True)
class Breaker:
    """The breaker as one execution environment sees it. ``is_up`` is the trial call to the dependency."""

    policy: BreakerPolicy
    store: BreakerStore
    is_up: Callable[[], bool]
    clock: Callable[[], float]
    _seen: BreakerRecord = field(default_factory=BreakerRecord)
    _seen_ts: float = -math.inf

    def wait_s(self, task_id: str, log: Telemetry) -> int | None:
        """How long this task has to wait, in whole seconds; None if it may be worked on now."""
        try:
            return self._wait_s(task_id, log)
        except StoreError as error:
            log.write(f"breaker not asked: {error}")
            return None

    def record(self, log: Telemetry, *, is_failure: bool) -> None:
        """What a call to the dependency came to; opens the breaker when that is due."""
        now, policy = self.clock(), self.policy
        try:
            seen = self._note(self.store.count(window=int(now // policy.window_s), is_failure=is_failure), now)
            is_due = seen.calls >= policy.min_calls and seen.failures >= policy.failure_ratio * seen.calls
            if seen.state is BreakerState.CLOSED and is_due:
                why = f"{seen.failures} of {seen.calls} calls failed"
                self._move(seen, BreakerState.OPEN, EventName.BREAKER_OPENED, why, log)
        except StoreError as error:
            log.write(f"breaker not told: {error}")

    def _wait_s(self, task_id: str, log: Telemetry) -> int | None:
        now = self.clock()
        if now - self._seen_ts > CACHE_S:
            self._note(self.store.read(), now)
        seen = self._seen
        if seen.state is BreakerState.CLOSED:
            return None
        rest_s = self.policy.cool_down_s if seen.state is BreakerState.OPEN else TRIAL_LEASE_S
        left_s = seen.since_ts + rest_s - now
        if left_s > 0:
            # The trial of another is over in a moment; the end of a cool-down is not.
            return self._spread(left_s if seen.state is BreakerState.OPEN else 0, task_id)
        return None if self._try(seen, log) else self._spread(self.policy.cool_down_s, task_id)

    def _try(self, seen: BreakerRecord, log: Telemetry) -> bool:
        """Half-open: call the dependency, if nobody else does."""
        if not self._move(seen, BreakerState.HALF_OPEN, EventName.BREAKER_HALF_OPENED, "cool-down is over", log):
            return False
        if self.is_up():
            return self._move(self._seen, BreakerState.CLOSED, EventName.BREAKER_CLOSED, "the trial succeeded", log)
        self._move(self._seen, BreakerState.OPEN, EventName.BREAKER_OPENED, "the trial failed", log)
        return False

    def _move(self, seen: BreakerRecord, to: BreakerState, event: EventName, why: str, log: Telemetry) -> bool:
        now = round(self.clock(), 6)
        if not self.store.move(seen, to, now=now):
            self._seen_ts = -math.inf  # somebody else was first: look before believing anything
            return False
        self._note(BreakerRecord(state=to, since_ts=now), now)
        log.emit(event, reason=why)
        return True

    def _note(self, record: BreakerRecord, now: float) -> BreakerRecord:
        self._seen, self._seen_ts = record, now
        return record

    def _spread(self, left_s: float, task_id: str) -> int:
        """The time left and a seeded share of the cool-down: not all tasks shall come back in one moment."""
        share = uniform(0, "breaker", task_id, attempt=int(self.clock())) * self.policy.cool_down_s / 2
        return min(SQS_DELAY_MAX_S, max(WAIT_MIN_S, math.ceil(left_s + share)))
