"""Waiting for the end: all queues empty, and nothing left that is still to happen."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dlqlab.collect.queues import Depth

EMPTY_PROBES = 2
"""The depths are approximate, so one empty look is not believed."""


@dataclass(frozen=True, slots=True)
class DrainState:
    """What the last look saw; ``unfinished`` is null as long as the table has not been counted."""

    depths: Mapping[str, Depth] = field(default_factory=dict)
    unfinished: int | None = None

    @property
    def queued(self) -> int:
        """Messages in all queues, in whatever state."""
        return sum(depth.visible + depth.in_flight + depth.delayed for depth in self.depths.values())


@dataclass(frozen=True, slots=True)
class DrainProbe:
    """How to look: ``depths`` is cheap and asked every time, ``unfinished`` may be a scan and is asked seldom.

    ``unfinished`` counts what is to happen although all queues are empty, as the acknowledged tasks that are not
    COMPLETED or FAILED (those without an item too). ``unfinished_said`` tells of the last count; None: never counted.
    """

    depths: Callable[[], Mapping[str, Depth]]
    unfinished: Callable[[], int]
    unfinished_said: Callable[[int | None], str] = lambda n: (
        "tasks not counted" if n is None else f"{n} acknowledged tasks not finished"
    )


@dataclass(frozen=True, slots=True)
class DrainResult:
    """Whether the pipeline came to rest, and what was seen last."""

    drained: bool
    waited_s: float
    last_state: DrainState
    reason: str


def wait_for_drain(
    probe: DrainProbe,
    deadline_s: float,
    *,
    interval_s: float = 1.0,
    on_progress: Callable[[DrainState], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> DrainResult:
    """Wait until all queues were empty in two looks in a row and no acknowledged task is unfinished.

    The table is counted only when the queues are empty, and not again until they have been so twice more with twice
    the pause: a task that is lost for good must not make the wait scan the table every second. Not drained is a
    result, not an error: the verdict says what it means.
    """
    began_s = clock()
    empty_in_a_row = 0
    pause_s = interval_s
    unfinished: int | None = None
    while True:
        state = DrainState(depths=dict(probe.depths()), unfinished=unfinished)
        empty_in_a_row = empty_in_a_row + 1 if all(depth.empty for depth in state.depths.values()) else 0
        if empty_in_a_row >= EMPTY_PROBES:
            unfinished = probe.unfinished()
            state = DrainState(depths=state.depths, unfinished=unfinished)
            empty_in_a_row = 0
            pause_s = min(2 * pause_s, 8 * interval_s)
        elif not empty_in_a_row:
            pause_s = interval_s
        if on_progress:
            on_progress(state)
        waited_s = clock() - began_s
        if state.unfinished == 0 and not state.queued:
            return DrainResult(drained=True, waited_s=waited_s, last_state=state, reason="drained")
        if waited_s >= deadline_s:
            reason = _reason(state, deadline_s, probe.unfinished_said(state.unfinished))
            return DrainResult(drained=False, waited_s=waited_s, last_state=state, reason=reason)
        sleep(min(pause_s, deadline_s - waited_s))


def _reason(state: DrainState, deadline_s: float, unfinished: str) -> str:
    depths = ", ".join(
        f"{queue}: {depth.visible} visible, {depth.in_flight} in flight, {depth.delayed} delayed"
        for queue, depth in state.depths.items()
    )
    return "; ".join(filter(None, [f"not drained within {deadline_s:g} s", depths, unfinished]))
