"""The processor's work on one record: chalicelib.process and the conditions of its table, compiled.

A record has two moments: it is taken up, and its attempt ends. What others see in between is what was written at the
first.
"""

import math

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.ahead import is_in
from dlqlab.twin.engine.breaker import NO_WAIT, record, wait_s
from dlqlab.twin.engine.chance import duration
from dlqlab.twin.engine.compiled import inner, part
from dlqlab.twin.engine.fates import delay_s, fault_of, slow_s
from dlqlab.twin.engine.journal import count, note
from dlqlab.twin.engine.layout import (
    BURIED,
    DIES_AFTER,
    DIES_BEFORE,
    FIRST_ERROR,
    GIVEN_BACK,
    HAS_EFFECT,
    IS_FINAL,
    LETTERS,
    TASKS,
    TIMEOUT,
    Answer,
    Column,
    Error,
    Event,
    Phase,
    Place,
    Reason,
    Status,
    Step,
)
from dlqlab.twin.engine.mapping import act, next_record
from dlqlab.twin.engine.queues import delete, hide, new_message, show_later, show_new
from dlqlab.twin.engine.views import Sim
from taskrules.tasks import CLOCK_GRACE_S, TIME_LEFT_MIN_S


@inner
def _may_claim(s: Sim, task: int, generation: int, serial: int) -> bool:
    """The condition of the claim; see taskrules.requests."""
    t, now = of.tasks(s)[task], of.clock(s)[0].now
    if t.generation != generation or t.closed or t.attempts >= of.rules(s)[0].max_attempts:
        return False
    if t.status == Status.QUEUED:
        return True
    grace_s = CLOCK_GRACE_S if t.carrier == serial else 0.0
    return (t.status in (Status.RETRYING, Status.PROCESSING)) and t.until <= now + grace_s


@part
def _refusal(s: Sim, task: int, generation: int, serial: int) -> int:
    """Why the claim was refused; see taskrules.tasks.refusal."""
    t = of.tasks(s)[task]
    reason = Reason.MOVED
    if generation != t.generation:
        reason = Reason.STALE
    elif t.status == Status.COMPLETED:
        reason = Reason.COMPLETED
    elif t.status == Status.FAILED:
        reason = Reason.FAILED
    elif t.status != Status.QUEUED and t.until > of.clock(s)[0].now:
        held = Reason.HELD if t.status == Status.PROCESSING else Reason.EARLY
        reason = held if t.carrier == serial else Reason.DUPLICATE
    elif t.attempts >= of.rules(s)[0].max_attempts:
        reason = Reason.EXHAUSTED
    elif t.closed:
        reason = Reason.PERMANENT
    return reason


@part
def _bury(s: Sim, p: int, k: int, reason: int, error: int) -> None:
    """Send the message to the dead-letter queue with what is known about it, in the place of SQS."""
    m = of.messages(s)[of.members(s)[p, k]]
    slot = new_message(s, LETTERS, m.task, m.generation)
    letter = of.messages(s)[slot]
    letter.reason, letter.error, letter.source = reason, error, m.serial
    show_new(s, slot)
    of.answers(s)[p, k] = Answer.DONE


@part
def _skip(s: Sim, p: int, k: int, reason: int) -> None:
    """No attempt comes of this delivery."""
    of.clock(s)[0].skipped += 1
    note(s, Event.SKIPPED, p, k, reason=reason, error=0, value=0.0, last=0.0)
    next_record(s, p, duration(s, Step.SKIP))


@part
def _refuse(s: Sim, p: int, k: int, reason: int) -> None:
    """What becomes of a message whose claim was refused."""
    t = of.tasks(s)[of.messages(s)[of.members(s)[p, k]].task]
    if is_in(BURIED, reason):
        _bury(s, p, k, reason, Error.ATTEMPT_LOST if t.status == Status.PROCESSING else t.error)
    elif is_in(GIVEN_BACK, reason):
        of.answers(s)[p, k] = Answer.KEPT
        left_s = 0.0 if reason == Reason.MOVED else t.until - of.clock(s)[0].now
        hide(s, p, k, max(1.0, math.ceil(left_s)))
    else:
        of.answers(s)[p, k] = Answer.DONE
    _skip(s, p, k, reason)


@part
def _put_off(s: Sim, p: int, k: int, seconds: float) -> None:
    """Come back to it later as a new message, which no delivery of this one counts against."""
    m = of.messages(s)[of.members(s)[p, k]]
    slot = new_message(s, TASKS, m.task, m.generation)
    show_later(s, slot, of.clock(s)[0].now + seconds, Place.DELAYED)
    of.answers(s)[p, k] = Answer.DONE
    of.clock(s)[0].put_off += 1
    _skip(s, p, k, Reason.BREAKER_OPEN)


@inner
def begin(s: Sim, p: int) -> None:
    """Take up the poller's next record."""
    clock, poller = of.clock(s)[0], of.pollers(s)[p]
    k = poller.k
    m = of.messages(s)[of.members(s)[p, k]]
    if m.task < 0:
        _bury(s, p, k, Reason.MALFORMED, Error.UNUSABLE)
        _skip(s, p, k, Reason.MALFORMED)
        return
    if poller.deadline - clock.now < TIME_LEFT_MIN_S:
        of.answers(s)[p, k] = Answer.KEPT
        clock.skipped += 1
        note(s, Event.SKIPPED, p, k, reason=Reason.NO_TIME, error=0, value=0.0, last=0.0)
        next_record(s, p, 0.0)
        return
    put_off_s = wait_s(s, p, m.task)
    if put_off_s != NO_WAIT:
        _put_off(s, p, k, put_off_s)
    elif _may_claim(s, m.task, m.generation, m.serial):
        _start(s, p, k)
    else:
        _refuse(s, p, k, _refusal(s, m.task, m.generation, m.serial))


@inner
def _start(s: Sim, p: int, k: int) -> None:
    """Claim the task and begin the attempt that its plan gives it."""
    clock, poller = of.clock(s)[0], of.pollers(s)[p]
    m = of.messages(s)[of.members(s)[p, k]]
    t = of.tasks(s)[m.task]
    t.attempts += 1
    if t.attempts == 1 and t.generation == 1:
        t.first_started = clock.now
    t.status, t.carrier, t.updated = Status.PROCESSING, m.serial, clock.now
    t.until = min(poller.deadline, clock.now + of.queues(s)[TASKS].timeout)
    clock.attempts += 1
    count(s, Column.STARTED)
    note(s, Event.STARTED, p, k, reason=0, error=0, value=0.0, last=clock.now)
    fault = fault_of(s, m.task, t.generation, t.attempts)
    slower_s = slow_s(s, m.task, t.generation, t.attempts)
    poller.fault, poller.begun = fault, clock.now
    if fault == TIMEOUT:
        act(s, p, Phase.END, clock.now + of.queues(s)[TASKS].timeout + 1.0)
        return
    lasts_s = duration(s, Step.SUCCESS if is_in(HAS_EFFECT, fault) else Step.FAILURE) + slower_s
    act(s, p, Phase.CRASH if is_in(DIES_BEFORE, fault) else Phase.END, clock.now + lasts_s)


@inner
def end(s: Sim, p: int) -> None:
    """The end of an attempt that reports one."""
    if is_in(HAS_EFFECT, of.pollers(s)[p].fault):
        _succeed(s, p)
    else:
        _fail(s, p)


@inner
def _succeed(s: Sim, p: int) -> None:
    """The effect. A crash after it leaves no line in the log."""
    clock, poller = of.clock(s)[0], of.pollers(s)[p]
    k = poller.k
    m = of.messages(s)[of.members(s)[p, k]]
    t = of.tasks(s)[m.task]
    t.status, t.updated, t.effects = Status.COMPLETED, clock.now, t.effects + 1
    poller.succeeded = 1
    of.answers(s)[p, k] = Answer.DONE
    count(s, Column.COMPLETED)
    record(s, p, 0)
    if is_in(DIES_AFTER, poller.fault):
        act(s, p, Phase.CRASH, clock.now)
        return
    note(s, Event.SUCCEEDED, p, k, reason=0, error=0, value=0.0, last=poller.begun)
    if poller.n > 1 and of.receipts(s)[p, k] >= of.rules(s)[0].max_attempts:
        delete(s, p, k)  # the queue would not deliver it again, if a batch mate ended the function before Lambda does
    next_record(s, p, duration(s, Step.TURN))


@part
def _fail(s: Sim, p: int) -> None:
    """A failure that is reported: hidden for the backoff, or sent to the dead-letter queue at once."""
    clock, poller = of.clock(s)[0], of.pollers(s)[p]
    k, fault = poller.k, poller.fault
    m = of.messages(s)[of.members(s)[p, k]]
    t = of.tasks(s)[m.task]
    is_permanent = bool(is_in(IS_FINAL, fault))
    backoff_s = 0.0 if is_permanent else delay_s(s, m.task, t.generation, t.attempts)
    t.error = FIRST_ERROR + fault
    t.status, t.updated, t.until = Status.RETRYING, clock.now, clock.now + backoff_s
    t.closed = is_permanent or t.attempts >= of.rules(s)[0].max_attempts
    clock.failed += 1
    count(s, Column.FAILED)
    record(s, p, 0 if is_permanent else 1)
    if is_permanent:
        note(s, Event.FAILED_ATTEMPT, p, k, reason=Reason.NONE, error=t.error, value=-1.0, last=poller.begun)
        _bury(s, p, k, Reason.PERMANENT, t.error)
    else:
        of.answers(s)[p, k] = Answer.KEPT
        asked = backoff_s if hide(s, p, k, backoff_s) else -1.0
        note(s, Event.FAILED_ATTEMPT, p, k, reason=Reason.NONE, error=t.error, value=asked, last=poller.begun)
    next_record(s, p, duration(s, Step.HIDE))
