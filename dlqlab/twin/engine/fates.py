"""What the app's fault plan and retry policy make of an attempt: taskrules.faults and taskrules.retry, compiled."""

import math

import numpy as np

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.ahead import BITS, DEPTH, IS_SLOW, NO_JITTER, UNKNOWN, WAIT_UNKNOWN, band, wait_s
from dlqlab.twin.engine.chance import mixed
from dlqlab.twin.engine.compiled import inner, part
from dlqlab.twin.engine.draws import FAULT, JITTER, SLOW, draw
from dlqlab.twin.engine.layout import NO_FAULT, OUTAGE, TRANSIENT, Script
from dlqlab.twin.engine.views import Sim

_STEP, _STRIDE, _SEED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1342543DE82EF95), np.uint64(0xA24BAED4963EE407)


@part
def _uniform(s: Sim, purpose: int, generation: int, attempt: int, task: int) -> float:
    """The app's draw; or a quick one, as independent and as uniform, of a counter instead of a hash."""
    rules = of.rules(s)[0]
    if not rules.is_quick:
        return draw(of.text(s), of.words(s), of.ids(s), rules.seed, purpose, generation, attempt, task, rules.seed)
    about = (np.uint64(generation) << np.uint64(32)) | (np.uint64(attempt) << np.uint64(8)) | np.uint64(purpose)
    return mixed(np.uint64((np.uint64(task) + np.uint64(1)) * _STEP + about * _STRIDE + np.uint64(rules.seed) * _SEED))


@part
def _draw(s: Sim, purpose: int, task: int, generation: int, attempt: int) -> float:
    if of.rules(s)[0].sticky:
        generation, attempt = 1, 0
    return _uniform(s, purpose, generation, attempt, task)


@inner
def _planned(s: Sim, task: int, generation: int, attempt: int) -> int:
    """The code of the attempt, where it was drawn beforehand; else UNKNOWN."""
    if len(of.plans(s)) == 0:
        return UNKNOWN
    if of.rules(s)[0].sticky:
        generation, attempt = 1, 1
    if generation != 1 or attempt > DEPTH:
        return UNKNOWN
    return (int(of.plans(s)[task]) >> (BITS * (attempt - 1))) & UNKNOWN


@inner
def is_outage(s: Sim, at_s: float) -> bool:
    """Whether the dependency is down then."""
    return bool(of.rules(s)[0].outage_start <= at_s < of.rules(s)[0].outage_end)


@inner
def fault_of(s: Sim, task: int, generation: int, attempt: int) -> int:
    """The fault of an attempt that begins now, in the plan's own precedence."""
    t = of.tasks(s)[task]
    if t.script != Script.NONE:
        return TRANSIENT if t.script == Script.ALWAYS_FAILS else NO_FAULT
    if is_outage(s, of.clock(s)[0].now):
        return OUTAGE
    if t.suffix:
        return TRANSIENT
    return _drawn(s, task, generation, attempt) if of.rules(s)[0].by_draw else NO_FAULT


@part
def _drawn(s: Sim, task: int, generation: int, attempt: int) -> int:
    known = _planned(s, task, generation, attempt)
    if known != UNKNOWN:
        return known & ~IS_SLOW
    return band(s, _draw(s, FAULT, task, generation, attempt))


@inner
def slow_s(s: Sim, task: int, generation: int, attempt: int) -> float:
    """How much longer the work takes by the plan."""
    rules = of.rules(s)[0]
    if rules.slow_rate <= 0:
        return 0.0
    known = _planned(s, task, generation, attempt)
    if known == UNKNOWN:
        known = IS_SLOW if _draw(s, SLOW, task, generation, attempt) < rules.slow_rate else 0
    return float(rules.slow_s) if known & IS_SLOW else 0.0


@part
def delay_s(s: Sim, task: int, generation: int, attempt: int) -> float:
    """Whole seconds that the policy asks for after this failed attempt."""
    rules = of.rules(s)[0]
    if attempt >= rules.max_attempts:
        return 0.0
    if rules.jitter == NO_JITTER:
        return float(math.floor(of.ceilings(s)[attempt - 1] + 0.5))
    if len(of.waits(s)) and generation == 1 and attempt < DEPTH:
        known = of.waits(s)[task, attempt - 1]
        if known != WAIT_UNKNOWN:
            return float(known)
    return float(wait_s(s, attempt, _uniform(s, JITTER, generation, attempt, task)))
