"""How the number of pollers follows the backlog."""

from dlqlab.twin.engine import views as of
from dlqlab.twin.engine.compiled import part
from dlqlab.twin.engine.layout import NEVER, Phase
from dlqlab.twin.engine.mapping import TICK_S
from dlqlab.twin.engine.views import Sim


@part
def _resize(s: Sim, queue: int) -> None:
    """As many pollers as are allowed; of too many, those go that have nothing to do."""
    q = of.queues(s)[queue]
    while q.live + 1 <= q.allowed:
        q.gone -= 1
        p = of.idle(s)[2 + queue, q.gone]
        of.pollers(s)[p].phase = Phase.IDLE
        of.idle(s)[queue, q.idle] = p
        q.idle += 1
        q.live += 1
    while q.live > q.allowed and q.idle > 0:
        q.idle -= 1
        p = of.idle(s)[queue, q.idle]
        of.pollers(s)[p].phase = Phase.GONE
        of.idle(s)[2 + queue, q.gone] = p
        q.gone += 1
        q.live -= 1


@part
def tick(s: Sim) -> None:
    """Grow while there is a backlog and nobody to take it, shrink back while pollers idle."""
    clock, rules = of.clock(s)[0], of.rules(s)[0]
    clock.next_tick = NEVER
    for queue in range(2):
        q = of.queues(s)[queue]
        if q.visible > 0 and q.idle == 0:
            q.allowed = min(float(q.max), q.allowed + rules.per_s * TICK_S)
        elif q.visible == 0 and q.idle > 0:
            q.allowed = max(float(q.start), q.allowed - rules.per_s * TICK_S)
        _resize(s, queue)
        if q.allowed > q.start:
            clock.next_tick = clock.now + TICK_S
