"""Timings by chance: a counter-based generator (SplitMix64) and the families of durations."""

import math

import numpy as np

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.compiled import inner, part
from dlqlab.twin.engine.layout import Array
from dlqlab.twin.engine.views import Sim
from dlqlab.twin.parameters import GRID

CONSTANT, EXPONENTIAL, LOGNORMAL, EMPIRICAL = range(4)
_STEP, _ONE, _TWO = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@part
def mixed(state: np.uint64) -> float:
    """A float in [0, 1) of a counter."""
    z = (state ^ (state >> np.uint64(30))) * _ONE
    z = (z ^ (z >> np.uint64(27))) * _TWO
    z ^= z >> np.uint64(31)
    return float(z >> np.uint64(11)) / 9007199254740992.0


@part
def uniform(s: Sim) -> float:
    clock = of.clock(s)[0]
    clock.rng = np.uint64(clock.rng + _STEP)
    return mixed(clock.rng)


@part
def of_family(row: Array, u: float, v: float) -> float:
    """A duration of the family that the row names, from two uniform draws."""
    kind = row[0]
    if kind == CONSTANT:
        return float(row[1])
    if kind == EXPONENTIAL:
        return -math.log(1.0 - u) * float(row[1])
    if kind == LOGNORMAL:
        # Box and Muller, one of the pair.
        z = math.sqrt(-2.0 * math.log(1.0 - u)) * math.cos(2.0 * math.pi * v)
        return float(row[1]) * math.exp(row[2] * z)
    place = u * GRID
    i = int(place)
    return float(row[1 + i] + (row[2 + i] - row[1 + i]) * (place - i))


@part
def _drawn(s: Sim, which: int) -> float:
    row = of.durations(s)[which]
    u = uniform(s)
    v = uniform(s) if row[0] == LOGNORMAL else 0.0
    return of_family(row, u, v)


@inner
def duration(s: Sim, which: int) -> float:
    """Seconds of this row of the table of durations."""
    row = of.durations(s)[which]
    return float(row[1]) if row[0] == CONSTANT else _drawn(s, which)
