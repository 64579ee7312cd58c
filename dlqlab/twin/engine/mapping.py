"""Event source mappings: pollers, batches, execution environments, invocations, growth."""

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.breaker import LONG_AGO
from dlqlab.twin.engine.chance import duration
from dlqlab.twin.engine.compiled import inner, part
from dlqlab.twin.engine.heaps import schedule
from dlqlab.twin.engine.journal import count, note_invocation
from dlqlab.twin.engine.layout import TASKS, Answer, Column, Outcome, Phase, Place, Status, Step
from dlqlab.twin.engine.queues import delete, let_go, receive, show_again, show_later
from dlqlab.twin.engine.views import Sim

SPARE = 2
TICK_S = 1.0


@part
def act(s: Sim, p: int, phase: int, at_s: float) -> None:
    """The poller's next step. Lambda ends the function at its deadline, whatever was to come after that."""
    poller = of.pollers(s)[p]
    if at_s > poller.deadline:
        phase, at_s = Phase.KILL, poller.deadline
    poller.phase, poller.due = phase, at_s
    schedule(s, p, at_s if poller.is_expired else min(at_s, poller.expires))


@part
def next_record(s: Sim, p: int, after_s: float) -> None:
    """The next record of the batch, or the end of the function."""
    poller, now = of.pollers(s)[p], of.clock(s)[0].now
    poller.k += 1
    if poller.k < poller.n:
        act(s, p, Phase.BEGIN, now + after_s)
    else:
        act(s, p, Phase.FINISH, now + after_s + duration(s, Step.TAIL))


@part
def expire(s: Sim, p: int) -> None:
    """The batch's visibility timeout is over while its function still works: what is left of it is visible again."""
    poller = of.pollers(s)[p]
    poller.is_expired = 1
    for k in range(poller.n):
        slot = of.members(s)[p, k]
        m = of.messages(s)[slot]
        if m.state == Place.IN_FLIGHT and m.receives == of.receipts(s)[p, k]:
            of.queues(s)[m.queue].in_flight -= 1
            show_again(s, slot)
    schedule(s, p, poller.due)


@part
def _give_up(s: Sim, p: int) -> None:
    """What is still in flight stays so until the visibility timeout ends; the batch knows its messages no more."""
    poller = of.pollers(s)[p]
    for k in range(poller.n):
        slot = of.members(s)[p, k]
        m = of.messages(s)[slot]
        if m.state == Place.IN_FLIGHT and m.receives == of.receipts(s)[p, k]:
            show_later(s, slot, poller.expires, Place.HIDDEN)
        let_go(s, slot)


@part
def _return_later(s: Sim, p: int, after_s: float) -> None:
    poller = of.pollers(s)[p]
    poller.phase = Phase.RETURN
    schedule(s, p, of.clock(s)[0].now + after_s)


@inner
def _count_waste(s: Sim, p: int) -> None:
    poller = of.pollers(s)[p]
    if poller.mapping == TASKS and not poller.succeeded:
        of.clock(s)[0].wasted += 1


@part
def _count_lost_attempt(s: Sim, p: int) -> None:
    """The attempt in work, if there is one: nobody reports its end."""
    poller = of.pollers(s)[p]
    if poller.mapping != TASKS or poller.k >= poller.n:
        return
    m = of.messages(s)[of.members(s)[p, poller.k]]
    if m.task >= 0 and of.tasks(s)[m.task].status == Status.PROCESSING and of.tasks(s)[m.task].carrier == m.serial:
        of.clock(s)[0].failed += 1
        count(s, Column.FAILED)


@inner
def finish(s: Sim, p: int) -> None:
    """The function has answered: Lambda deletes what is done, and the environment is free."""
    clock, poller = of.clock(s)[0], of.pollers(s)[p]
    note_invocation(s, p, Outcome.OK)
    _count_waste(s, p)
    for k in range(poller.n):
        if of.answers(s)[p, k] == Answer.DONE:
            delete(s, p, k)
    _give_up(s, p)
    q = of.queues(s)[poller.mapping]
    of.environments(s)[poller.environment].used = clock.now
    of.warm(s)[poller.mapping, q.warm] = poller.environment
    q.warm += 1
    clock.active -= 1
    _return_later(s, p, duration(s, Step.SETTLE))


@part
def die(s: Sim, p: int, status: int) -> None:
    """The function was ended: nothing of its batch is deleted, and its environment is replaced."""
    clock, poller = of.clock(s)[0], of.pollers(s)[p]
    note_invocation(s, p, status)
    _count_waste(s, p)
    _count_lost_attempt(s, p)
    if status == Outcome.TIMED_OUT:
        clock.timeouts += 1
    elif status == Outcome.CRASHED:
        clock.crashes += 1
    _give_up(s, p)
    of.warm(s)[SPARE, clock.spare] = poller.environment
    clock.spare += 1
    clock.active -= 1
    _return_later(s, p, duration(s, Step.SETTLE))


@inner
def _find_environment(s: Sim, p: int) -> bool:
    """An idle environment, the one used last, or a new one; False where the limit on them is reached."""
    clock, rules, poller = of.clock(s)[0], of.rules(s)[0], of.pollers(s)[p]
    q = of.queues(s)[poller.mapping]
    poller.is_cold = 0
    if q.warm > 0:
        slot = of.warm(s)[poller.mapping, q.warm - 1]
        if clock.now - of.environments(s)[slot].used <= rules.idle_max:
            q.warm -= 1
            poller.environment = slot
            return True
        for n in range(q.warm):  # the one used last has been idle too long, so have all
            of.warm(s)[SPARE, clock.spare] = of.warm(s)[poller.mapping, n]
            clock.spare += 1
        q.warm = 0
    if clock.active >= rules.environments_max:
        return False
    clock.spare -= 1
    poller.environment = of.warm(s)[SPARE, clock.spare]
    e = of.environments(s)[poller.environment]
    e.name, e.seen, e.seen_since, e.seen_at = clock.environments, 0, 0.0, LONG_AGO
    clock.environments += 1
    q.cold_starts += 1
    poller.is_cold = 1
    return True


@part
def invoke(s: Sim, p: int) -> None:
    """Hand the batch to a function."""
    clock, rules, poller = of.clock(s)[0], of.rules(s)[0], of.pollers(s)[p]
    q = of.queues(s)[poller.mapping]
    if q.gathering == p:
        q.gathering = -1
    poller.is_expired, poller.k, poller.succeeded, poller.empty = 0, 0, 0, 0
    if not _find_environment(s, p):
        # Throttled: the messages were received, which counts, and come back when their visibility timeout ends.
        clock.throttles += 1
        _give_up(s, p)
        _return_later(s, p, rules.throttle_pause)
        return
    clock.active += 1
    clock.invocation += 1
    poller.invocation = clock.invocation
    poller.init = duration(s, Step.COLD_START) if poller.is_cold else 0.0
    poller.started = clock.now + duration(s, Step.DELIVER) + poller.init
    poller.deadline = poller.started + q.timeout
    act(s, p, Phase.BEGIN, poller.started + duration(s, Step.HEAD))


@part
def _collect(s: Sim, queue: int, p: int) -> bool:
    """Receive into the poller's batch, and invoke when it is complete; False where there was nothing."""
    clock, q, poller = of.clock(s)[0], of.queues(s)[queue], of.pollers(s)[p]
    was = poller.n
    clock.polls += 1
    if was == 0:
        poller.received, poller.expires, poller.sampled = clock.now, clock.now + q.visibility, 0
    if receive(s, queue, p) == was:
        return False
    if queue == TASKS:
        clock.received += poller.n - was
        of.series(s)[int(clock.now), Column.RECEIVED] += poller.n - was
    if poller.n >= q.batch_size or q.window <= 0:
        invoke(s, p)
    elif was == 0:
        q.gathering = p
        poller.phase = Phase.GATHER
        schedule(s, p, clock.now + q.window)
    return True


@part
def dispatch(s: Sim, queue: int) -> None:
    """Hand visible messages to pollers that wait for them, as long as there are both."""
    clock, q = of.clock(s)[0], of.queues(s)[queue]
    while q.visible > 0 and q.in_flight < of.rules(s)[0].in_flight_max:
        if q.gathering >= 0:
            if not _collect(s, queue, q.gathering):
                return
            continue
        if q.idle == 0:
            break
        q.idle -= 1
        p = of.idle(s)[queue, q.idle]
        of.pollers(s)[p].n = 0
        if not _collect(s, queue, p):
            of.idle(s)[queue, q.idle] = p
            q.idle += 1
            return
    if (
        q.visible > 0
        and q.idle == 0
        and q.allowed < q.max
        and of.rules(s)[0].per_s > 0
        and clock.next_tick > clock.now + TICK_S
    ):
        clock.next_tick = clock.now + TICK_S


@part
def poll(s: Sim, p: int) -> None:
    """A poller that pauses between polls asks the queue; an empty answer makes it wait longer each time."""
    rules, poller = of.rules(s)[0], of.pollers(s)[p]
    poller.n = 0
    if _collect(s, poller.mapping, p):
        return
    if rules.empty_wait <= 0:
        _wait_at_queue(s, p)
        return
    wait_s = min(rules.empty_max, rules.empty_wait * rules.empty_factor**poller.empty)
    poller.empty += 1
    poller.phase = Phase.POLL
    schedule(s, p, of.clock(s)[0].now + wait_s)


@part
def _wait_at_queue(s: Sim, p: int) -> None:
    """Idle until a message is there."""
    poller = of.pollers(s)[p]
    q = of.queues(s)[poller.mapping]
    poller.phase, poller.n = Phase.IDLE, 0
    of.idle(s)[poller.mapping, q.idle] = p
    q.idle += 1
    if q.allowed > q.start and of.clock(s)[0].next_tick > of.clock(s)[0].now + TICK_S:
        of.clock(s)[0].next_tick = of.clock(s)[0].now + TICK_S


@inner
def come_back(s: Sim, p: int) -> None:
    """The batch is settled; the loop has taken the poller off the heap."""
    rules, poller = of.rules(s)[0], of.pollers(s)[p]
    poller.n = 0
    if rules.poll_interval > 0:
        poller.phase = Phase.POLL
        schedule(s, p, of.clock(s)[0].now + rules.poll_interval)
    else:
        _wait_at_queue(s, p)
