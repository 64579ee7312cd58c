"""How many batches an SQS event source mapping works on at once: Lambda's rules as a function of what was seen.

Source: "Configuring scaling behavior for SQS event source mappings" and "Backoff strategy for failed invocations" (AWS
Lambda developer guide). It says that a mapping starts with 5, that up to 300 a minute are added while messages are
available, to at most 1,250; that low traffic brings it back to 5 and can bring it to 2, unless MaximumConcurrency is
set; and that errors of the function reduce it gradually. Where it gives no number the constants here are ours, each
marked so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dlqlab.pollers import STARTING_POLLERS

START = STARTING_POLLERS
LEAST = 2
MOST = 1250
GROWTH_PER_S = 300 / 60
LOW_TRAFFIC_S = 20.0
"""Ours: one long poll without a whole batch waiting is low traffic."""
IDLE_S = 60.0
"""Ours: no message and no batch for that long is idle."""
ERROR_SHARE = 0.1
"""Ours: of the pollers, the share that a second with errors of the function takes away; at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of one mapping."""

    start: int
    least: int
    most: int
    thrifty: bool
    """Whether an idle mapping may fall below ``start``."""
    batch_size: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What happened since the look before."""

    elapsed_s: float
    waiting: int
    """Messages that are visible and that no poller has taken."""
    working: int
    """Pollers with a batch, now."""
    batches: int
    """Batches that were taken."""
    errors: int
    """Invocations that failed as a whole: an error of the function, a time-out, a throttle. Not partial failures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A mapping's state. ``pollers`` is a fraction while it grows; ``size`` is what it comes to."""

    pollers: float
    low_s: float = 0.0
    idle_s: float = 0.0
    is_backing_off: bool = False

    @property
    def size(self) -> int:
        return int(self.pollers)


def limits(mapping: Mapping[str, Any], most: int) -> Limits:
    """The bounds of a mapping; ``most`` is this machine's, which MaximumConcurrency overrides: it is the user's."""
    maximum = (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency")
    highest = int(maximum) if maximum else min(most, MOST)
    return Limits(
        start=min(START, highest),
        least=min(LEAST, highest),
        most=highest,
        thrifty=not maximum,
        batch_size=int(mapping.get("BatchSize") or 10),
    )


def first(bounds: Limits) -> Scale:
    """The state of a mapping that has just been made."""
    return Scale(pollers=bounds.start)


def follow(scale: Scale, bounds: Limits, seen: Seen) -> Scale:
    """The state after what was seen."""
    low_s = 0.0 if _is_behind(scale, bounds, seen) else scale.low_s + seen.elapsed_s
    quiet = not (seen.waiting or seen.working or seen.batches)
    now = replace(scale, low_s=low_s, idle_s=scale.idle_s + seen.elapsed_s if quiet else 0.0)
    if seen.errors:
        taken = max(1, int(now.size * ERROR_SHARE))
        return replace(now, pollers=float(max(bounds.least, now.size - taken)), is_backing_off=True)
    if low_s == 0.0:
        grown = min(float(bounds.most), now.pollers + GROWTH_PER_S * seen.elapsed_s)
        return replace(now, pollers=grown, is_backing_off=now.is_backing_off and grown < bounds.start)
    if low_s >= LOW_TRAFFIC_S and now.size > bounds.start:
        return replace(now, pollers=float(bounds.start))
    if now.idle_s >= IDLE_S:
        rest = bounds.least if bounds.thrifty else bounds.start
        return replace(now, pollers=float(rest), is_backing_off=False)
    return now


def wake(scale: Scale, bounds: Limits) -> Scale:
    """The state when a message arrives: an idle mapping is back at its start at once, one after errors is not."""
    if scale.is_backing_off or scale.size >= bounds.start:
        return scale
    return replace(scale, pollers=float(bounds.start), low_s=0.0, idle_s=0.0)


def _is_behind(scale: Scale, bounds: Limits, seen: Seen) -> bool:
    """A whole batch waits for which no poller is free: messages are still available."""
    return seen.waiting >= bounds.batch_size and seen.working >= scale.size
