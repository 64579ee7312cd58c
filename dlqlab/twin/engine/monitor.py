"""The dead-letter monitor's work on one letter: chalicelib.dead_letters, compiled. All of it at the end of its turn."""

import math

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.compiled import part
from dlqlab.twin.engine.journal import count, note
from dlqlab.twin.engine.layout import (
    ALREADY_DEAD,
    ATTEMPT_LOST,
    COMPLETED,
    COMPLETED_ALREADY,
    DEAD_LETTERED,
    DONE,
    EXHAUSTED,
    FAILED,
    HELD,
    KEPT,
    NO_REASON,
    OUTLIVED,
    PERMANENT_ERROR,
    PROCESSING,
    S_DEAD,
    SKIPPED,
    STALE,
    TOO_OFTEN,
)
from dlqlab.twin.engine.mapping import next_record
from dlqlab.twin.engine.processor import CLOCK_GRACE_S
from dlqlab.twin.engine.queues import hide
from dlqlab.twin.engine.views import Sim


@part
def _reason(s: Sim, slot: int) -> int:
    m = of.messages(s)[slot]
    t = of.tasks(s)[m.task]
    if t.status == COMPLETED:
        return COMPLETED_ALREADY
    if m.reason != NO_REASON:
        return int(m.reason)
    if t.attempts >= of.rules(s)[0].max_attempts:
        return EXHAUSTED
    return PERMANENT_ERROR if t.closed else TOO_OFTEN


@part
def _error(s: Sim, slot: int) -> int:
    m = of.messages(s)[slot]
    t = of.tasks(s)[m.task]
    if m.reason != NO_REASON:
        return int(m.error)
    if t.status == COMPLETED:
        return OUTLIVED
    return ATTEMPT_LOST if t.status == PROCESSING else int(t.error)


@part
def _skip(s: Sim, p: int, k: int, reason: int, answer: int) -> None:
    of.answers(s)[p, k] = answer
    note(s, SKIPPED, p, k, reason=reason, error=0, value=0.0, last=0.0)
    next_record(s, p, 0.0)


@part
def deal(s: Sim, p: int) -> None:
    """Archive the letter, report it, close its task."""
    clock, k = of.clock(s)[0], of.pollers(s)[p].k
    slot = of.members(s)[p, k]
    m = of.messages(s)[slot]
    if m.task < 0:
        of.answers(s)[p, k] = DONE
        note(s, DEAD_LETTERED, p, k, reason=m.reason, error=m.error, value=float(m.source), last=0.0)
        next_record(s, p, 0.0)
        return
    t = of.tasks(s)[m.task]
    if m.generation < t.generation:
        _skip(s, p, k, STALE, DONE)
        return
    if t.status == FAILED:
        _skip(s, p, k, ALREADY_DEAD, DONE)
        return
    if t.status == PROCESSING and t.until > clock.now + CLOCK_GRACE_S:
        hide(s, p, k, max(1.0, math.ceil(t.until - clock.now)))
        _skip(s, p, k, HELD, KEPT)
        return
    reason, error, last = _reason(s, slot), _error(s, slot), t.updated
    note(s, DEAD_LETTERED, p, k, reason=reason, error=error, value=float(m.source), last=last)
    t.letters += 1
    of.answers(s)[p, k] = DONE
    if t.status != COMPLETED:
        t.status, t.updated, t.error = FAILED, clock.now, error
        clock.letters += 1
        count(s, S_DEAD)
    next_record(s, p, 0.0)
