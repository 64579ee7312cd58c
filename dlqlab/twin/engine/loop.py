"""The event loop: whatever comes next, then whoever can be given work by it."""

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.chance import duration
from dlqlab.twin.engine.compiled import entry, part
from dlqlab.twin.engine.growth import tick
from dlqlab.twin.engine.heaps import unschedule_first
from dlqlab.twin.engine.layout import (
    AT_HORIZON,
    BEGIN,
    CRASH,
    CRASHED,
    END,
    FINISH,
    FINISHED,
    GATHER,
    KILL,
    LETTERS,
    MONITOR,
    NEEDS_LOG,
    NEEDS_MESSAGES,
    NEEDS_SERIES,
    POLL,
    S_DELAYED,
    S_DLQ_IN_FLIGHT,
    S_DLQ_VISIBLE,
    S_IN_FLIGHT,
    S_RECEIVED,
    S_VISIBLE,
    TASKS,
    TIMED_OUT,
)
from dlqlab.twin.engine.mapping import NEVER, act, come_back, die, dispatch, expire, finish, invoke, poll
from dlqlab.twin.engine.monitor import deal
from dlqlab.twin.engine.processor import begin, end
from dlqlab.twin.engine.queues import new_message, show_due, show_new
from dlqlab.twin.engine.views import Sim

ROOM = 8
"""Log entries and messages that one event may need."""
FEED, COME_BACK, STEP, TICK = range(4)


@part
def _feed(s: Sim) -> None:
    """The next message of the clients is in the queue."""
    clock = of.clock(s)[0]
    task = of.feed_task(s)[clock.fed]
    clock.fed += 1
    generation = of.tasks(s)[task].generation if task >= 0 else 1
    show_new(s, new_message(s, TASKS, task, generation))


@part
def _work(s: Sim, p: int, phase: int) -> None:
    """A function's record begins or ends."""
    is_task = of.pollers(s)[p].mapping == TASKS
    if phase == BEGIN and is_task:
        begin(s, p)
    elif phase == BEGIN:
        act(s, p, END, of.clock(s)[0].now + duration(s, MONITOR))
    elif is_task:
        end(s, p)
    else:
        deal(s, p)


@part
def _step(s: Sim) -> None:
    """What the first poller of the heap is due to do."""
    p = of.heap(s)[0]
    poller = of.pollers(s)[p]
    phase = poller.phase
    if BEGIN <= phase <= CRASH and not poller.is_expired and poller.at < poller.due:
        expire(s, p)
    elif phase in (BEGIN, END):
        _work(s, p, phase)
    elif phase == FINISH:
        finish(s, p)
    elif phase in (KILL, CRASH):
        die(s, p, TIMED_OUT if phase == KILL else CRASHED)
    elif phase == GATHER:
        invoke(s, p)
    else:
        unschedule_first(s)
        if phase == POLL:
            poll(s, p)
        else:
            come_back(s, p)


@part
def _sample(s: Sim) -> None:
    """Depths at the beginning of a second."""
    clock, q, d = of.clock(s)[0], of.queues(s)[TASKS], of.queues(s)[LETTERS]
    row = of.series(s)[int(clock.next_second)]
    row[S_VISIBLE], row[S_IN_FLIGHT], row[S_DELAYED] = q.visible, q.in_flight, q.delayed
    row[S_DLQ_VISIBLE], row[S_DLQ_IN_FLIGHT] = d.visible, d.in_flight
    clock.next_second += 1.0


@part
def _next(s: Sim) -> tuple[float, int]:
    """Time and kind of the next event; NEVER where there is none."""
    clock = of.clock(s)[0]
    at, kind = NEVER, FEED
    if clock.fed < len(of.feed_t(s)):
        at = of.feed_t(s)[clock.fed]
    if clock.delayed_n > 0 and of.delayed(s)[0].key < at:
        at, kind = of.delayed(s)[0].key, COME_BACK
    if clock.pollers_n > 0 and of.pollers(s)[of.heap(s)[0]].at < at:
        at, kind = of.pollers(s)[of.heap(s)[0]].at, STEP
    if clock.next_tick < at:
        at, kind = clock.next_tick, TICK
    return at, kind


@part
def _lacks(s: Sim, at: float) -> int:
    """What has to grow before the event at that time; FINISHED for nothing."""
    clock = of.clock(s)[0]
    if clock.free < ROOM:
        return NEEDS_MESSAGES
    if clock.log_n + ROOM > len(of.log(s)) or clock.invocations_n + ROOM > len(of.invocations(s)):
        return NEEDS_LOG
    return NEEDS_SERIES if int(at) + 2 > len(of.series(s)) else FINISHED


@part
def _happen(s: Sim, at: float, kind: int) -> None:
    """One event, and what it gives others to do."""
    clock = of.clock(s)[0]
    while clock.next_second <= at:
        _sample(s)
    clock.idle_s += (of.queues(s)[TASKS].idle + of.queues(s)[LETTERS].idle) * (at - clock.now)
    clock.now = at
    before = clock.received
    if kind == FEED:
        _feed(s)
    elif kind == COME_BACK:
        show_due(s)
    elif kind == STEP:
        _step(s)
    else:
        tick(s)
    if of.queues(s)[TASKS].visible > 0:
        dispatch(s, TASKS)
    if of.queues(s)[LETTERS].visible > 0:
        dispatch(s, LETTERS)
    of.series(s)[int(at), S_RECEIVED] += clock.received - before


@entry
def advance(s: Sim, horizon: float) -> int:
    """Play events until nothing is left to happen, the horizon, or an array is too small. Returns why it stopped."""
    clock = of.clock(s)[0]
    total = len(of.messages(s))
    while True:
        if clock.fed == len(of.feed_t(s)) and clock.free == total and clock.active == 0:
            return FINISHED
        at, kind = _next(s)
        if at >= NEVER:
            return FINISHED
        if at > horizon:
            return AT_HORIZON
        lacking = _lacks(s, at)
        if lacking != FINISHED:
            return lacking
        _happen(s, at, kind)
