"""Which ways a message can go a run ever took, and which never: a pass that exercised nothing proves little."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, attempts_of, failures, successes
from dlqlab.analysis.life_parts import Attempt, Stay
from dlqlab.contracts.recorded import Kind, Outcome
from dlqlab.contracts.topology import Consumer, Topology, Work
from dlqlab.errors import EvidenceError

RETRY, LAST, DEAD = "a retry", "the last receive", "a dead letter"
AGAIN, PARTIAL, BATCH = "a duplicate delivery", "a partial batch failure", "a batch of several"
THROTTLE, BREAK, TAKEN, REDRIVE = "a throttle", "an end in the middle", "a dead letter worked off", "a redrive"
PLAIN = "exercised nothing but the straight way"
_PLAIN = frozenset({BATCH})
"""What also happens where nothing goes wrong."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One way that messages can go at a queue, and how many of them took it."""

    queue: str
    what: str
    n: int


def reach(flow: Flow) -> tuple[Transition, ...]:
    """Every way that the topology has, with how many messages took it; nothing where the topology is not known."""
    if flow.topology is None:
        return ()
    topology = flow.topology
    by_queue: dict[str, list[Stay]] = {}
    for stay in flow.stays:
        by_queue.setdefault(stay.queue, []).append(stay)
    found = []
    for work in topology.works:
        consumers = [one for one in topology.consumers if one.queue == work.queue.role and one.is_enabled]
        if consumers:
            found += _of_work(work, consumers, by_queue.get(work.queue.name, []))
    for name in _dead_letter_queues(topology):
        found += _of_letters(name, topology, by_queue.get(name, []))
    return tuple(found)


def never(some: Iterable[Transition]) -> tuple[Transition, ...]:
    """Those that no message took."""
    return tuple(one for one in some if not one.n)


def is_plain(some: Sequence[Transition]) -> bool:
    """Whether every message went the straight way, so that nothing of what retries are for was exercised."""
    return not any(one.n for one in some if one.what not in _PLAIN)


def sentence(some: Sequence[Transition]) -> str:
    """What the run never reached, in words; empty where it reached everything."""
    left = never(some)
    if not left:
        return ""
    by_queue: dict[str, list[str]] = {}
    for one in left:
        by_queue.setdefault(one.queue, []).append(one.what)
    text = "; ".join(f"{queue}: {', '.join(parts)}" for queue, parts in by_queue.items())
    return (
        f"exercised nothing but the straight way: never reached {text}" if is_plain(some) else f"never reached {text}"
    )


def told(facts: Facts) -> str:
    """What a run never reached, for its report; why that is not known, where it is not."""
    try:
        some = reach(facts.flow)
    except EvidenceError as error:
        return f"not known: {error}"
    if not some:
        return "not known: the run does not say what the pipeline consists of"
    return sentence(some) or "every way that messages can go was taken"


def _of_work(work: Work, consumers: Sequence[Consumer], stays: Sequence[Stay]) -> list[Transition]:
    limit, asks = work.queue.max_receive_count, any(one.response_types for one in consumers)
    ways = {
        RETRY: (_again_after_failure(stay) for stay in stays),
        AGAIN: (_is_duplicate(stay) for stay in stays),
        THROTTLE: (any(each.outcome == Outcome.THROTTLED for each in _all(stay)) for stay in stays),
        BREAK: (any(each.outcome in {Outcome.TIMEOUT, Outcome.CRASH} for each in _all(stay)) for stay in stays),
    }
    if limit is not None and work.dead_letter_queue is not None:
        ways[LAST] = (any((each.receive_count or 0) >= limit for each in stay.deliveries) for stay in stays)
        ways[DEAD] = (stay.left == Kind.MOVED for stay in stays)
    if any(one.batch_size != 1 for one in consumers):
        ways[BATCH] = (any(each.batch > 1 for each in _all(stay)) for stay in stays)
    if asks:
        ways[PARTIAL] = (any(each.outcome == Outcome.OK and each.failed for each in _all(stay)) for stay in stays)
    return [Transition(work.queue.name, what, sum(found)) for what, found in ways.items()]


def _of_letters(name: str, topology: Topology, stays: Sequence[Stay]) -> list[Transition]:
    queue = next(one for one in topology.queues if one.name == name)
    found = [Transition(name, REDRIVE, sum(stay.left == Kind.REDRIVEN for stay in stays))]
    if any(one.queue == queue.role for one in topology.consumers):
        found.append(Transition(name, TAKEN, sum(bool(successes(stay)) for stay in stays)))
    return found


def _dead_letter_queues(topology: Topology) -> list[str]:
    roles = dict.fromkeys(one.dead_letters for one in topology.queues if one.dead_letters)
    return [topology.queue(role).name for role in roles]


def _again_after_failure(stay: Stay) -> bool:
    """Whether a message was received again after an attempt at it had failed."""
    return len(stay.deliveries) > 1 and bool(failures(stay))


def _is_duplicate(stay: Stay) -> bool:
    """Whether an attempt began after, or while, another one of the same function did the work."""
    attempts = list(attempts_of(stay))
    return any(
        later is not done and later.function == done.function and later.started_ts >= done.started_ts
        for done in successes(stay)
        for later in attempts
    )


def _all(stay: Stay) -> Iterable[Attempt]:
    return (each for delivery in stay.deliveries for each in delivery.attempts)
