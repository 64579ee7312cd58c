"""The circuit breaker: chalicelib.breaker and its table, compiled; each environment remembers what it saw for 1 s."""

import math

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.compiled import inner, part
from dlqlab.twin.engine.draws import BREAKER_SHARE, draw
from dlqlab.twin.engine.fates import is_outage
from dlqlab.twin.engine.journal import note_breaker
from dlqlab.twin.engine.layout import BreakerState, Event
from dlqlab.twin.engine.views import Sim
from taskrules.breaker import CACHE_S, TRIAL_LEASE_S, WAIT_MIN_S
from taskrules.retry import SQS_DELAY_MAX_S

NO_WAIT = -1.0
LONG_AGO = -1e18


@part
def _note(s: Sim, p: int) -> None:
    e, b = of.environments(s)[of.pollers(s)[p].environment], of.breaker(s)[0]
    e.seen, e.seen_since, e.seen_at = b.state, b.since, of.clock(s)[0].now


@part
def _move(s: Sim, p: int, to: int, event: int) -> bool:
    """Another state, unless the breaker has moved since this environment saw it."""
    e, b = of.environments(s)[of.pollers(s)[p].environment], of.breaker(s)[0]
    if b.state != e.seen or b.since != e.seen_since:
        e.seen_at = LONG_AGO
        return False
    b.state, b.since, b.window, b.calls, b.failures = to, of.clock(s)[0].now, 0, 0, 0
    _note(s, p)
    note_breaker(s, event, p)
    return True


@inner
def record(s: Sim, p: int, is_failure: int) -> None:
    """What a call to the dependency came to; opens the breaker when that is due."""
    if of.rules(s)[0].has_breaker:
        _record(s, p, is_failure)


@part
def _record(s: Sim, p: int, is_failure: int) -> None:
    rules, b = of.rules(s)[0], of.breaker(s)[0]
    window = int((rules.epoch + of.clock(s)[0].now) // rules.window)
    if b.state == BreakerState.CLOSED and b.window == window:
        b.calls += 1
        b.failures += 1 if is_failure else 0
    elif b.state == BreakerState.CLOSED and b.window < window:
        b.window, b.calls, b.failures = window, 1, 1 if is_failure else 0
    _note(s, p)
    if b.state == BreakerState.CLOSED and b.calls >= rules.min_calls and b.failures >= rules.ratio * b.calls:
        _move(s, p, BreakerState.OPEN, Event.OPENED)


@part
def _spread(s: Sim, task: int, left_s: float) -> float:
    rules = of.rules(s)[0]
    second = int(rules.epoch + of.clock(s)[0].now)
    drawn = draw(of.text(s), of.words(s), of.ids(s), rules.seed, BREAKER_SHARE, 1, second, task, 0)
    wait_s = math.ceil(left_s + drawn * rules.cool_down / 2)
    return float(min(SQS_DELAY_MAX_S, max(WAIT_MIN_S, wait_s)))


@part
def _try(s: Sim, p: int) -> bool:
    """Half-open: call the dependency, if nobody else does."""
    if not _move(s, p, BreakerState.HALF_OPEN, Event.HALF_OPENED):
        return False
    if is_outage(s, of.clock(s)[0].now):
        _move(s, p, BreakerState.OPEN, Event.OPENED)
        return False
    return _move(s, p, BreakerState.CLOSED, Event.CLOSED_AGAIN)


@inner
def wait_s(s: Sim, p: int, task: int) -> float:
    """How long this task has to wait, in whole seconds; NO_WAIT if it may be worked on now."""
    return _wait_s(s, p, task) if of.rules(s)[0].has_breaker else NO_WAIT


@part
def _wait_s(s: Sim, p: int, task: int) -> float:
    rules, now = of.rules(s)[0], of.clock(s)[0].now
    e = of.environments(s)[of.pollers(s)[p].environment]
    if now - e.seen_at > CACHE_S:
        _note(s, p)
    if e.seen == BreakerState.CLOSED:
        return NO_WAIT
    left_s = e.seen_since + (rules.cool_down if e.seen == BreakerState.OPEN else TRIAL_LEASE_S) - now
    if left_s > 0:
        return _spread(s, task, left_s if e.seen == BreakerState.OPEN else 0.0)
    return NO_WAIT if _try(s, p) else _spread(s, task, rules.cool_down)
