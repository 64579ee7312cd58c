"""The dead-letter monitor's work on one letter: chalicelib.dead_letters, compiled. All of it at the end of its turn."""

import math

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.compiled import part
from dlqlab.twin.engine.journal import count, note
from dlqlab.twin.engine.layout import Answer, Column, Error, Event, Reason, Status
from dlqlab.twin.engine.mapping import next_record
from dlqlab.twin.engine.queues import hide
from dlqlab.twin.engine.views import Sim
from taskrules.tasks import CLOCK_GRACE_S


@part
def _reason(s: Sim, slot: int) -> int:
    m = of.messages(s)[slot]
    t = of.tasks(s)[m.task]
    if t.status == Status.COMPLETED:
        return Reason.COMPLETED
    if m.reason != Reason.NONE:
        return int(m.reason)
    if t.attempts >= of.rules(s)[0].max_attempts:
        return Reason.EXHAUSTED
    return Reason.PERMANENT if t.closed else Reason.RECEIVED_TOO_OFTEN


@part
def _error(s: Sim, slot: int) -> int:
    m = of.messages(s)[slot]
    t = of.tasks(s)[m.task]
    if m.reason != Reason.NONE:
        return int(m.error)
    if t.status == Status.COMPLETED:
        return Error.OUTLIVED
    return Error.ATTEMPT_LOST if t.status == Status.PROCESSING else int(t.error)


@part
def _skip(s: Sim, p: int, k: int, reason: int, answer: int) -> None:
    of.answers(s)[p, k] = answer
    note(s, Event.SKIPPED, p, k, reason=reason, error=0, value=0.0, last=0.0)
    next_record(s, p, 0.0)


@part
def deal(s: Sim, p: int) -> None:
    """Archive the letter, report it, close its task."""
    clock, k = of.clock(s)[0], of.pollers(s)[p].k
    slot = of.members(s)[p, k]
    m = of.messages(s)[slot]
    if m.task < 0:
        of.answers(s)[p, k] = Answer.DONE
        note(s, Event.DEAD_LETTERED, p, k, reason=m.reason, error=m.error, value=float(m.source), last=0.0)
        next_record(s, p, 0.0)
        return
    t = of.tasks(s)[m.task]
    if m.generation < t.generation:
        _skip(s, p, k, Reason.STALE, Answer.DONE)
        return
    if t.status == Status.FAILED:
        _skip(s, p, k, Reason.ALREADY_DEAD_LETTERED, Answer.DONE)
        return
    if t.status == Status.PROCESSING and t.until > clock.now + CLOCK_GRACE_S:
        hide(s, p, k, max(1.0, math.ceil(t.until - clock.now)))
        _skip(s, p, k, Reason.HELD, Answer.KEPT)
        return
    reason, error, last = _reason(s, slot), _error(s, slot), t.updated
    note(s, Event.DEAD_LETTERED, p, k, reason=reason, error=error, value=float(m.source), last=last)
    t.letters += 1
    of.answers(s)[p, k] = Answer.DONE
    if t.status != Status.COMPLETED:
        t.status, t.updated, t.error = Status.FAILED, clock.now, error
        clock.letters += 1
        count(s, Column.DEAD_LETTERED)
    next_record(s, p, 0.0)
