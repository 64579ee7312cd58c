"""Messages: slots, the visible ones in their order of delivery, those that come back later, delivery and deletion."""

import math

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.chance import duration
from dlqlab.twin.engine.compiled import inner, part
from dlqlab.twin.engine.heaps import pop, push
from dlqlab.twin.engine.layout import LETTERS, TASKS, Place, Reason, Step
from dlqlab.twin.engine.views import Sim


@part
def new_message(s: Sim, queue: int, task: int, generation: int) -> int:
    """A slot with a message that was sent now; the caller makes it visible or delays it."""
    clock = of.clock(s)[0]
    slot = clock.free_head
    m = of.messages(s)[slot]
    clock.free_head = m.next
    clock.free -= 1
    m.sent, m.task, m.serial, m.next = clock.now, task, clock.serial, -1
    m.receives, m.generation, m.state, m.queue, m.holds = 0, generation, Place.DEAD, queue, 0
    m.reason, m.error, m.source = Reason.NONE, 0, -1
    clock.serial += 1
    return int(slot)


@part
def let_go(s: Sim, slot: int) -> None:
    """One list, heap or batch less knows the slot; a deleted message that nobody knows makes room."""
    m = of.messages(s)[slot]
    m.holds -= 1
    if m.holds == 0 and m.state == Place.DEAD:
        clock = of.clock(s)[0]
        m.state = Place.FREE
        m.next = clock.free_head
        clock.free_head = slot
        clock.free += 1


@part
def show_new(s: Sim, slot: int) -> None:
    """The message is visible from now on, behind all others. The caller has taken it out of the count it was in."""
    m, q = of.messages(s)[slot], of.queues(s)[of.messages(s)[slot].queue]
    m.state, m.placed = Place.VISIBLE, of.clock(s)[0].now
    m.holds += 1
    q.visible += 1
    m.next = -1
    if q.head < 0:
        q.head = slot
    else:
        of.messages(s)[q.tail].next = slot
    q.tail = slot


@part
def show_again(s: Sim, slot: int) -> None:
    """As show_new, but where the target orders by send time the message keeps its place from the first time.

    Not so one that was received often.
    """
    m, clock, rules = of.messages(s)[slot], of.clock(s)[0], of.rules(s)[0]
    if not rules.by_sent or m.queue != TASKS or 0 < rules.back_after <= m.receives:
        show_new(s, slot)
        return
    m.state = Place.VISIBLE
    m.holds += 1
    of.queues(s)[m.queue].visible += 1
    clock.front_n = push(of.front(s), clock.front_n, m.sent, m.serial, slot)


@part
def show_later(s: Sim, slot: int, at_s: float, state: int) -> None:
    """The message is visible again at that time; Place.HIDDEN counts as in flight, Place.DELAYED does not."""
    clock, tick = of.clock(s)[0], of.rules(s)[0].tick
    if state == Place.HIDDEN:
        at_s += duration(s, Step.REAPPEAR)
    if tick > 0:
        at_s = math.ceil(at_s / tick) * tick
    m = of.messages(s)[slot]
    m.state = state
    m.holds += 1
    if state == Place.DELAYED:
        of.queues(s)[m.queue].delayed += 1
    clock.seq += 1
    clock.delayed_n = push(of.delayed(s), clock.delayed_n, at_s, clock.seq, slot)


@inner
def show_due(s: Sim) -> None:
    """The first of the messages that come back is visible now, unless it was deleted meanwhile."""
    clock = of.clock(s)[0]
    slot = of.delayed(s)[0].item
    clock.delayed_n = pop(of.delayed(s), clock.delayed_n)
    m = of.messages(s)[slot]
    if m.state in (Place.HIDDEN, Place.DELAYED):
        q = of.queues(s)[m.queue]
        if m.state == Place.HIDDEN:
            q.in_flight -= 1
        else:
            q.delayed -= 1
        show_again(s, slot)
    let_go(s, slot)


@inner
def _take(s: Sim, queue: int) -> int:
    """The visible message that is next in order, taken off its list; -1 where there is none. It may be deleted."""
    clock, q = of.clock(s)[0], of.queues(s)[queue]
    head = q.head
    if queue == TASKS and clock.front_n > 0:
        first = of.front(s)[0]
        if head < 0 or first.key <= of.messages(s)[head].placed:
            slot = first.item
            clock.front_n = pop(of.front(s), clock.front_n)
            return int(slot)
    if head < 0:
        return -1
    q.head = of.messages(s)[head].next
    if q.head < 0:
        q.tail = -1
    return int(head)


@part
def delete(s: Sim, p: int, k: int) -> None:
    """By the receipt of this delivery; whether one that is out of date still deletes depends on the target."""
    m = of.messages(s)[of.members(s)[p, k]]
    if m.state == Place.DEAD or m.queue != of.pollers(s)[p].mapping:
        return
    if m.receives != of.receipts(s)[p, k] and not of.rules(s)[0].stale_deletes:
        return
    q = of.queues(s)[m.queue]
    if m.state == Place.VISIBLE:
        q.visible -= 1
    elif m.state == Place.DELAYED:
        q.delayed -= 1
    else:
        q.in_flight -= 1
    m.state = Place.DEAD


@part
def _to_dead_letters(s: Sim, slot: int) -> None:
    """The queue's own move: inside a receive, in the place of one delivery too many."""
    m = of.messages(s)[slot]
    m.queue = LETTERS
    if not of.rules(s)[0].count_goes_on:
        m.receives = 0
    of.clock(s)[0].moves += 1
    show_new(s, slot)


@part
def receive(s: Sim, queue: int, p: int) -> int:
    """Fill the poller's batch with visible messages; returns how many are in it then."""
    clock, rules, q, poller = of.clock(s)[0], of.rules(s)[0], of.queues(s)[queue], of.pollers(s)[p]
    while poller.n < q.batch_size and q.in_flight < rules.in_flight_max:
        slot = _take(s, queue)
        if slot < 0:
            break
        m = of.messages(s)[slot]
        if m.state != Place.VISIBLE:
            let_go(s, slot)
            continue
        q.visible -= 1
        if queue == TASKS and clock.now - m.sent > rules.retention:
            m.state = Place.DEAD
            clock.expired += 1
        elif queue == TASKS and m.receives >= rules.max_attempts:
            _to_dead_letters(s, slot)
        else:
            m.receives += 1
            m.state = Place.IN_FLIGHT
            m.holds += 1
            q.in_flight += 1
            of.members(s)[p, poller.n], of.receipts(s)[p, poller.n] = slot, m.receives
            of.answers(s)[p, poller.n] = 0
            poller.n += 1
            if m.task >= 0 and of.tasks(s)[m.task].sampled:
                poller.sampled = 1
        let_go(s, slot)
    return int(poller.n)


@part
def hide(s: Sim, p: int, k: int, seconds: float) -> bool:
    """ChangeMessageVisibility of a record: counts from now, 0 shows it at once. Whether the caller is told that it is.

    A message that is visible again or was delivered anew stays as it is. A target for which any handle is good does not
    refuse the call.
    """
    clock = of.clock(s)[0]
    clock.changes += 1
    slot = of.members(s)[p, k]
    m = of.messages(s)[slot]
    if m.state != Place.IN_FLIGHT or m.receives != of.receipts(s)[p, k]:
        return bool(of.rules(s)[0].stale_deletes)
    if seconds > 0:
        show_later(s, slot, clock.now + seconds, Place.HIDDEN)
    else:
        of.queues(s)[m.queue].in_flight -= 1
        show_again(s, slot)
    return True
