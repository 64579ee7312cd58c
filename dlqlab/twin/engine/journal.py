"""The log of events and invocations, of the sampled tasks only."""

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.compiled import inner, part
from dlqlab.twin.engine.layout import TASKS
from dlqlab.twin.engine.views import Sim


@inner
def count(s: Sim, column: int) -> None:
    """One more in this second."""
    of.series(s)[int(of.clock(s)[0].now), column] += 1


@inner
def note(s: Sim, event: int, p: int, k: int, reason: int, error: int, value: float, last: float) -> None:
    """One event about record k of the poller's batch, now."""
    if of.rules(s)[0].is_logged:
        _note(s, event, p, k, reason, error, value, last)


@part
def _note(s: Sim, event: int, p: int, k: int, reason: int, error: int, value: float, last: float) -> None:
    clock, poller = of.clock(s)[0], of.pollers(s)[p]
    m = of.messages(s)[of.members(s)[p, k]]
    if m.task >= 0 and not of.tasks(s)[m.task].sampled:
        return
    row = of.log(s)[clock.log_n]
    clock.log_n += 1
    row.t, row.value, row.last, row.event, row.reason, row.error = clock.now, value, last, event, reason, error
    row.invocation, row.environment = poller.invocation, of.environments(s)[poller.environment].name
    row.batch, row.function, row.is_cold = poller.n, poller.mapping, poller.is_cold
    row.task, row.serial, row.receives, row.generation = m.task, m.serial, of.receipts(s)[p, k], m.generation
    row.attempt = of.tasks(s)[m.task].attempts if m.task >= 0 else 0


@part
def note_breaker(s: Sim, event: int, p: int) -> None:
    """One transition of the breaker, now, made by the poller's function; always logged."""
    clock, poller = of.clock(s)[0], of.pollers(s)[p]
    if not of.rules(s)[0].is_logged:
        return
    row = of.log(s)[clock.log_n]
    clock.log_n += 1
    row.t, row.value, row.last, row.event, row.reason, row.error = clock.now, 0.0, 0.0, event, 0, 0
    row.invocation, row.environment = poller.invocation, of.environments(s)[poller.environment].name
    row.batch, row.function, row.is_cold = poller.n, TASKS, poller.is_cold
    row.task, row.serial, row.receives, row.generation, row.attempt = -1, -1, 0, 0, 0


@inner
def note_invocation(s: Sim, p: int, status: int) -> None:
    """The end of the poller's invocation, now."""
    clock, poller = of.clock(s)[0], of.pollers(s)[p]
    q = of.queues(s)[poller.mapping]
    q.invocations += 1
    q.busy_s += clock.now - poller.started
    if of.rules(s)[0].is_logged and poller.sampled:
        _note_invocation(s, p, status)


@part
def _note_invocation(s: Sim, p: int, status: int) -> None:
    clock, poller = of.clock(s)[0], of.pollers(s)[p]
    row = of.invocations(s)[clock.invocations_n]
    clock.invocations_n += 1
    row.invocation, row.environment = poller.invocation, of.environments(s)[poller.environment].name
    row.function, row.status, row.started = poller.mapping, status, poller.started
    row.ended, row.init = clock.now, poller.init if poller.is_cold else -1.0
