"""What the app's draws make of each task's first attempts, before any time is simulated.

A draw depends on nothing that happens, so it can be made at any time; made beforehand, eight tasks are drawn for at
once. Only those of a task that fail are followed by a draw for its next attempt. What is not known beforehand (attempts
after an outage, later generations, very many attempts) is drawn when it is needed.

``plans`` has four bits for each attempt of a task: its fault, and whether it is slow. ``waits`` has the seconds after
each failed attempt, where they are drawn.
"""

import math

import numpy as np

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.compiled import entry, inner, part
from dlqlab.twin.engine.draws import FAULT, JITTER, SLOW, draw_all
from dlqlab.twin.engine.layout import ASKS_BACKOFF, FAULTS, FIRST_DRAWN, NO_FAULT, RETRIED, Array
from dlqlab.twin.engine.rows import rows_of
from dlqlab.twin.engine.views import Sim

NO_JITTER, EQUAL, FULL = range(3)
DEPTH, BITS = 8, 4
"""Attempts of a task that a plan has room for, and bits of each."""
UNKNOWN, IS_SLOW = 15, 8
ALL_UNKNOWN, WAIT_UNKNOWN = np.uint32(0xFFFFFFFF), np.uint16(0xFFFF)
CHUNK = 4096
assert len(FAULTS) <= IS_SLOW, "a plan has three bits for the fault"


@inner
def is_in(faults: int, fault: int) -> int:
    """1 where the code is one of the set (a bit a code), else 0; no branch."""
    return (faults >> fault) & 1


@part
def band(s: Sim, drawn: float) -> int:
    """The fault of this draw. No branches: whether a draw fails cannot be foreseen."""
    edges, n = of.edges(s), 0
    for i in range(len(edges)):
        n += int(drawn >= edges[i])
    return (FIRST_DRAWN + n) * int(n < len(edges))


@part
def wait_s(s: Sim, attempt: int, drawn: float) -> int:
    """Whole seconds after this failed attempt by this draw, in the app's own rounding."""
    share = 0.5 + drawn / 2 if of.rules(s)[0].jitter == EQUAL else drawn
    ceiling_s: float = of.ceilings(s)[attempt - 1]
    return math.floor(share * ceiling_s + 0.5)


@part
def _draw_all(s: Sim, purpose: int, attempt: int, tasks: Array, n: int, found: Array) -> None:
    draw_all(of.text(s), of.words(s), of.rules(s)[0].seed, purpose, 1, attempt, tasks, n, found)


@part
def _plan(s: Sim, attempt: int, tasks: Array, codes: Array, n: int, found: Array) -> None:
    """The codes of this attempt of each task."""
    rules = of.rules(s)[0]
    at = 0 if rules.sticky else attempt
    for i in range(n):
        codes[i] = NO_FAULT
    if rules.by_draw:
        _draw_all(s, FAULT, at, tasks, n, found)
        for i in range(n):
            codes[i] = band(s, found[i])
    if rules.slow_rate > 0:
        _draw_all(s, SLOW, at, tasks, n, found)
        for i in range(n):
            codes[i] |= IS_SLOW if found[i] < rules.slow_rate else 0
    shift = np.uint32(BITS * (attempt - 1))
    for i in range(n):
        cleared = of.plans(s)[tasks[i]] & ~(np.uint32(UNKNOWN) << shift)
        of.plans(s)[tasks[i]] = cleared | (np.uint32(codes[i]) << shift)


@part
def _wait(s: Sim, attempt: int, tasks: Array, codes: Array, n: int, found: Array) -> None:
    """The delay of each task after this attempt, where it fails."""
    _draw_all(s, JITTER, attempt, tasks, n, found)
    for i in range(n):
        if is_in(ASKS_BACKOFF, codes[i] & ~IS_SLOW):
            of.waits(s)[tasks[i], attempt - 1] = wait_s(s, attempt, found[i])


@part
def _keep_retried(tasks: Array, codes: Array, n: int) -> int:
    """Moves the tasks that come to another attempt to the front; returns how many they are."""
    kept = 0
    for i in range(n):
        fault = codes[i] & ~IS_SLOW
        tasks[kept], codes[kept] = tasks[i], codes[i]
        kept += is_in(RETRIED, fault)
    return kept


@entry
def foretell(s: Sim, tasks: Array, codes: Array, found: Array) -> None:
    """Fills plans and waits. The other arrays are scratch of CHUNK."""
    rules, scratch = of.rules(s)[0], (rows_of(tasks), rows_of(codes), rows_of(found))
    most = min(int(rules.max_attempts), DEPTH)
    for first in range(0, len(of.plans(s)), CHUNK):
        n = min(CHUNK, len(of.plans(s)) - first)
        for i in range(n):
            tasks[i] = first + i
        for attempt in range(1, most + 1):
            if attempt == 1 or not rules.sticky:
                _plan(s, attempt, scratch[0], scratch[1], n, scratch[2])
            n = _keep_retried(scratch[0], scratch[1], n)
            if n == 0 or attempt == most:
                break
            if rules.jitter != NO_JITTER:
                _wait(s, attempt, scratch[0], scratch[1], n, scratch[2])
