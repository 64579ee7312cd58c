"""The event loop: whatever comes next, then whoever can be given work by it."""

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.chance import duration
from dlqlab.twin.engine.compiled import entry, inner, part
from dlqlab.twin.engine.growth import tick
from dlqlab.twin.engine.heaps import schedule, time_of
from dlqlab.twin.engine.layout import LETTERS, NEVER, TASKS, Column, Outcome, Phase, Step, Stop
from dlqlab.twin.engine.mapping import act, come_back, die, dispatch, expire, finish, invoke, poll
from dlqlab.twin.engine.monitor import deal
from dlqlab.twin.engine.processor import begin, end
from dlqlab.twin.engine.queues import new_message, show_due, show_new
from dlqlab.twin.engine.views import Sim

ROOM = 8
"""Log entries and messages that one event may need."""
FEED, COME_BACK, TICK, EXPIRE, STEP = range(5)
"""Events; STEP and more are the phases of a poller."""


@inner
def _feed(s: Sim) -> None:
    """The next message of the clients is in the queue."""
    clock = of.clock(s)[0]
    task = of.feed_task(s)[clock.fed]
    clock.fed += 1
    generation = of.tasks(s)[task].generation if task >= 0 else 1
    show_new(s, new_message(s, TASKS, task, generation))


@inner
def _begin(s: Sim, p: int) -> None:
    """A function's record begins."""
    if of.pollers(s)[p].mapping == TASKS:
        begin(s, p)
    else:
        act(s, p, Phase.END, of.clock(s)[0].now + duration(s, Step.MONITOR))


@inner
def _end(s: Sim, p: int) -> None:
    """A function's record ends."""
    if of.pollers(s)[p].mapping == TASKS:
        end(s, p)
    else:
        deal(s, p)


@part
def _sample(s: Sim) -> None:
    """Depths at the beginning of a second."""
    clock, q, d = of.clock(s)[0], of.queues(s)[TASKS], of.queues(s)[LETTERS]
    row = of.series(s)[int(clock.next_second)]
    row[Column.VISIBLE], row[Column.IN_FLIGHT], row[Column.DELAYED] = q.visible, q.in_flight, q.delayed
    row[Column.DLQ_VISIBLE], row[Column.DLQ_IN_FLIGHT] = d.visible, d.in_flight
    clock.next_second += 1.0


@inner
def _phase(s: Sim, at: float) -> int:
    """What the poller whose turn it is does then."""
    poller = of.pollers(s)[of.turns(s)[1].poller]
    is_in_batch = (poller.phase >= Phase.BEGIN) & (poller.phase <= Phase.CRASH)
    is_early = (at < poller.due) & is_in_batch & (poller.is_expired == 0)
    phase = STEP + int(poller.phase)
    return phase + (EXPIRE - phase) * int(is_early)


@inner
def _next(s: Sim) -> tuple[float, int]:
    """Time of the next event and what it is; NEVER where there is none."""
    clock = of.clock(s)[0]
    at, kind = NEVER, FEED
    if clock.fed < len(of.feed_t(s)):
        at = of.feed_t(s)[clock.fed]
    back, step, tick_at = of.delayed(s)[0].key, time_of(of.turns(s)[1].at), clock.next_tick
    kind = COME_BACK if back < at else kind
    at = min(back, at)
    kind += (_phase(s, step) - kind) & -int(step < at)  # no branch: who is first cannot be foreseen
    at = min(step, at)
    kind = TICK if tick_at < at else kind
    return min(tick_at, at), kind


@inner
def _lacks(s: Sim, at: float) -> int:
    """What has to grow before the event at that time; Stop.FINISHED for nothing."""
    clock = of.clock(s)[0]
    if clock.free < ROOM:
        return Stop.NEEDS_MESSAGES
    if clock.log_n + ROOM > len(of.log(s)) or clock.invocations_n + ROOM > len(of.invocations(s)):
        return Stop.NEEDS_LOG
    return Stop.NEEDS_SERIES if int(at) + 2 > len(of.series(s)) else Stop.FINISHED


@part
def _happen_rarely(s: Sim, p: int, kind: int) -> None:
    if kind == TICK:
        tick(s)
    elif kind == EXPIRE:
        expire(s, p)
    elif kind == STEP + Phase.GATHER:
        invoke(s, p)
    elif kind == STEP + Phase.POLL:
        schedule(s, p, NEVER)
        poll(s, p)
    else:
        die(s, p, Outcome.TIMED_OUT if kind == STEP + Phase.KILL else Outcome.CRASHED)


@inner
def _happen(s: Sim, at: float, kind: int) -> None:
    """One event, and what it gives others to do."""
    clock = of.clock(s)[0]
    while clock.next_second <= at:
        _sample(s)
    clock.idle_s += (of.queues(s)[TASKS].idle + of.queues(s)[LETTERS].idle) * (at - clock.now)
    clock.now = at
    p = int(of.turns(s)[1].poller)
    if kind == FEED:
        _feed(s)
    elif kind == COME_BACK:
        show_due(s)
    elif kind == STEP + Phase.BEGIN:
        _begin(s, p)
    elif kind == STEP + Phase.END:
        _end(s, p)
    elif kind == STEP + Phase.FINISH:
        finish(s, p)
    elif kind == STEP + Phase.RETURN:
        schedule(s, p, NEVER)
        come_back(s, p)
    else:
        _happen_rarely(s, p, kind)
    if of.queues(s)[TASKS].visible > 0:
        dispatch(s, TASKS)
    if of.queues(s)[LETTERS].visible > 0:
        dispatch(s, LETTERS)


@entry
def advance(s: Sim, horizon: float) -> int:
    """Play events until nothing is left to happen, the horizon, or an array is too small. Returns why it stopped."""
    clock = of.clock(s)[0]
    total = len(of.messages(s))
    while True:
        if clock.fed == len(of.feed_t(s)) and clock.free == total and clock.active == 0:
            return Stop.FINISHED
        at, kind = _next(s)
        if at >= NEVER:
            return Stop.FINISHED
        if at > horizon:
            return Stop.AT_HORIZON
        lacking = _lacks(s, at)
        if lacking != Stop.FINISHED:
            return lacking
        _happen(s, at, kind)
