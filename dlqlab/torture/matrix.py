"""The rows of a matrix: faults from outside, one kind at a time and in chosen pairs, as a pipeline's parts ask for."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dlqlab.contracts.injection import Fault, Kind
from dlqlab.contracts.topology import Consumer, Function, Topology
from dlqlab.torture.portable import Names, portable, slug

RATE = 0.2
"""The share of tasks that a row strikes: of a batch of ten, so many that some batches are spared."""
ALWAYS_RATE = 0.1
STALLED_MAX_S = 30
"""A function with a longer timeout is not stalled past it, nor nearly to it: the row would take minutes."""
SLOW = "slow"
SLOW_SHARE = 0.8
"""Of its timeout, for which a function is slow: it still ends by itself."""
THROTTLED_RECEIVES = (1, 2, 3)
"""Of a spell of throttles: AWS advises a maxReceiveCount of at least 5 because of them (Lambda developer guide,
"Configuring a queue to use with Lambda")."""
OUTAGE_FROM_S, OUTAGE_S = 2.0, 2.0
"""After the first message, so that work is under way; so short that to wait for it alone is not yet to be held up."""
TARGETS_MAX = 8
"""Calls that a row strikes, the most frequent first."""
BASELINE = "baseline"
_OUTAGE = "everything is gone for 2 s: functions are killed in the middle of their work, clients are refused"
_READS = ("Get", "BatchGet", "Query", "Scan", "Describe", "List", "Receive", "Head")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its name, what it does in a sentence, and its faults; the baseline has none.

    ``tasks``: numbers of the tasks that are sent, from 0; without any the first ones of the load are.
    """

    name: str
    what: str
    faults: tuple[Fault, ...] = ()
    is_quick: bool = False
    """Whether it belongs to the short matrix."""
    tasks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A call of AWS's APIs that functions of the pipeline make, with the name of what it is about."""

    function: str
    operation: str
    resource: str
    n: int = 1

    @property
    def writes(self) -> bool:
        """Whether it may change anything."""
        return is_write(self.operation.partition(":")[2])


def is_write(operation: str) -> bool:
    """Whether a call of this operation, without its service, may change anything."""
    return not operation.startswith(_READS)


@dataclass(frozen=True, slots=True)
class Matrix:
    """The rows, and in sentences which are left out."""

    rows: tuple[Row, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What of a pipeline rows are about. ``naming``: functions whose answers name failed messages, asked or not."""

    takers: tuple[tuple[Function, Consumer], ...]
    apis: tuple[str, ...]
    queues: tuple[str, ...]
    targets: tuple[Target, ...]
    naming: frozenset[str]
    fifo_fed: frozenset[str]


def matrix(
    topology: Topology, targets: Sequence[Target] = (), *, naming: Collection[str] = (), quick: bool = False
) -> Matrix:
    """The matrix of a pipeline, without the baseline.

    Args:
        topology: as it is deployed.
        targets: the calls that its functions were seen to make.
        naming: functions that were seen to answer with batchItemFailures though nobody asks for them.
        quick: only the rows that reveal most.
    """
    takers = tuple((topology.function(one.function), one) for one in topology.consumers if one.is_enabled)
    standard = (queue.name for queue in topology.queues if not queue.fifo)
    worked = {topology.queue(one.queue).name for one in topology.consumers if one.is_enabled}
    apis = dict.fromkeys(topology.function(one.function).name for one in topology.entries if one.function)
    most = sorted(targets, key=lambda one: -one.n)[:TARGETS_MAX]
    parts = _Parts(
        takers,
        tuple(apis),
        tuple(name for name in standard if name in worked),
        tuple(most),
        frozenset(naming) | {function.name for function, consumer in takers if consumer.response_types},
        frozenset(function.name for function, consumer in takers if topology.queue(consumer.queue).fifo),
    )
    names = Names(
        {one.name for one in topology.functions},
        {one.name for one in topology.queues},
        {one.resource for one in targets},
    )
    made = (
        *_of_functions(parts),
        *_of_calls(parts),
        *_of_queues(parts, worked),
        *_of_requests(topology),
        *_of_all(topology),
    )
    singles = [replace(row, faults=portable(row.faults, names)) for row in made]
    every = [
        row
        for row in (*singles, *_pairs(singles, fifo=bool(parts.fifo_fed)))
        if row.faults and (row.is_quick or not quick)
    ]
    return Matrix(tuple(every), tuple(_left_out(parts, topology)))


def _left_out(parts: _Parts, topology: Topology) -> Iterator[str]:
    for function, _ in parts.takers:
        if function.timeout_s is None or function.timeout_s > STALLED_MAX_S:
            yield f"stall: {function.name} has a timeout of over {STALLED_MAX_S} s, or it is not known"
    if any(queue.fifo for queue in topology.queues):
        yield "duplicate, late, reorder: FIFO queues have neither a second delivery nor a delay of single messages"
    if not parts.targets:
        yield "calls: the functions were not seen to call AWS's APIs"


def _of_functions(parts: _Parts) -> Iterator[Row]:
    """Each kind at all functions that mappings give messages to."""
    functions = [function for function, _ in parts.takers]

    def once(kind: Kind, what: str, *, is_quick: bool = False, some: Sequence[Function] = functions) -> Row:
        faults = [_fault(kind, one.name, function=one.name, receives=(1,), rate=RATE) for one in some]
        return Row(kind.value, f"{what}, at the first receive", tuple(faults), is_quick)

    yield once(Kind.ERROR, "invocations fail before the handler is called", is_quick=True)
    always = [
        _fault(Kind.ERROR, one.name, function=one.name, rate=ALWAYS_RATE, tag="always", whole_task=True)
        for one in functions
    ]
    yield Row("error-always", "invocations fail at every receive: dead letters must come", tuple(always))
    yield once(Kind.ANSWER_LOST, "the handler does its work and the invocation fails all the same", is_quick=True)
    yield once(Kind.KILL, "the process is killed when its work is done, before it answers", is_quick=True)
    yield once(Kind.MEMORY, "the process is killed for its memory, when its work is done")
    yield once(Kind.INIT, "a new environment cannot be initialised")
    yield once(Kind.THROTTLE, "invocations are throttled", is_quick=True)
    spell = [
        _fault(
            Kind.THROTTLE,
            one.name,
            function=one.name,
            rate=ALWAYS_RATE,
            tag="spell",
            receives=THROTTLED_RECEIVES,
            whole_task=True,
        )
        for one in functions
    ]
    yield Row(
        "throttle-spell", f"invocations are throttled at the first {len(THROTTLED_RECEIVES)} receives", tuple(spell)
    )
    asking = [function for function, consumer in parts.takers if consumer.response_types]
    yield once(Kind.MALFORMED, "the answer of a batch is malformed", is_quick=True, some=asking)
    # Of a FIFO queue's batch the function would have to name all that follow too: the fault would break the order.
    naming = [one for one in functions if one.name in parts.naming - parts.fifo_fed]
    named = once(Kind.NAMED, "a message that is done is named in batchItemFailures", some=naming)
    yield replace(named, is_quick=any(one not in asking for one in naming))
    yield _stalled(functions, SLOW, f"the process takes {SLOW_SHARE:.0%} of its timeout longer", SLOW_SHARE, 0.0)
    yield _stalled(functions, "stall", "the process stands still past its timeout", 1.0, 2.0)
    lost = [_fault(Kind.ANSWER_LOST, name, function=name, rate=RATE, tag="entry") for name in parts.apis]
    yield Row("entry-answer-lost", "the function behind an entry does its work, and its answer is lost", tuple(lost))


def _stalled(functions: Sequence[Function], name: str, what: str, share: float, over_s: float) -> Row:
    """Each function stands still for this share of its timeout, and so much longer."""
    faults = [
        _fault(
            Kind.STALL,
            one.name,
            tag=name if name != Kind.STALL else "",
            function=one.name,
            receives=(1,),
            rate=RATE,
            delay_s=one.timeout_s * share + over_s,
        )
        for one in functions
        if one.timeout_s is not None and one.timeout_s <= STALLED_MAX_S
    ]
    return Row(name, f"{what}, at the first receive", tuple(faults))


def _of_calls(parts: _Parts) -> Iterator[Row]:
    """Each kind at the calls that functions were seen to make."""

    def struck(kind: Kind, what: str, *, is_quick: bool = False, writes: bool = False, **more: Any) -> Row:
        some = [one for one in parts.targets if one.writes or not writes]
        given = {"receives": (1,), "rate": RATE, **more}
        faults = [_call_fault(kind, one, **given) for one in some]
        return Row(kind.value, what, tuple(faults), is_quick)

    yield struck(Kind.CALL_THROTTLED, "the first try of a call is throttled", attempts=1)
    yield struck(Kind.CALL_FAILED, "calls fail with 5xx, however often they are tried")
    yield struck(Kind.CALL_DENIED, "calls are refused for good, at the first receive", is_quick=True, writes=True)
    takers = {function.name for function, _ in parts.takers}
    poison = [
        _call_fault(Kind.CALL_DENIED, one, tag="always", rate=ALWAYS_RATE, whole_task=True)
        for one in parts.targets
        if one.writes and one.function in takers
    ]
    yield Row(
        "call-denied-always",
        "calls of a task are refused at every receive: dead letters must come",
        tuple(poison),
        is_quick=True,
    )
    yield struck(Kind.CALL_RESET, "the connection of a call's first try is closed", attempts=1)
    yield struck(
        Kind.CALL_ANSWER_LOST, "a call is done, and its answer is lost", is_quick=True, writes=True, attempts=1
    )
    yield struck(Kind.CALL_SLOW, "answers of calls come 2 s later")


def _call_fault(kind: Kind, one: Target, *, tag: str = "", **more: Any) -> Fault:
    about = f"{one.function} {one.operation} {one.resource}"
    return _fault(kind, about, tag=tag, function=one.function, operation=one.operation, resource=one.resource, **more)


def _of_queues(parts: _Parts, worked: Iterable[str]) -> Iterator[Row]:
    """Each kind at all queues that functions work on."""

    def struck(kind: Kind, what: str, queues: Iterable[str], *, is_quick: bool = False, **more: Any) -> Row:
        faults = [_fault(kind, name, queue=name, **{"rate": RATE, **more}) for name in queues]
        return Row(kind.value, what, tuple(faults), is_quick)

    yield struck(
        Kind.DELETE_DROPPED, "the first delete of a message is dropped", sorted(worked), is_quick=True, receives=(1,)
    )
    yield struck(
        Kind.DUPLICATE,
        "a message can be received a second time at once",
        parts.queues,
        is_quick=True,
        receives=(1,),
        delay_s=0.0,
    )
    yield struck(Kind.LATE, "messages are visible 5 s late", parts.queues)
    yield struck(Kind.REORDER, "messages come in another order", parts.queues, rate=1.0)


def _of_requests(topology: Topology) -> Iterator[Row]:
    if topology.has_api:
        fault = Fault(kind=Kind.REQUEST_FAILED, rate=RATE)
        yield Row("request-failed", "requests are answered with 503, and nothing is done", (fault,))


def _of_all(topology: Topology) -> Iterator[Row]:
    """The whole emulator, once the first queue that somebody works on is reached."""
    queues = [topology.queue(one.queue).name for one in topology.consumers if one.is_enabled]
    if queues:
        fault = Fault(kind=Kind.OUTAGE, after_queue=queues[0], from_s=OUTAGE_FROM_S, delay_s=OUTAGE_S)
        yield Row("outage", _OUTAGE, (fault,))


_PAIRED: Sequence[tuple[str, str]] = (
    (Kind.ERROR, Kind.DELETE_DROPPED),
    (Kind.ANSWER_LOST, Kind.LATE),
    (Kind.KILL, Kind.DUPLICATE),
    (Kind.CALL_ANSWER_LOST, Kind.ERROR),
)
_FIFO_PAIRED: Sequence[tuple[str, str]] = ((Kind.CALL_DENIED, SLOW),)
"""While one message of a group is slow, those that follow gather, and come as one batch."""


def _pairs(singles: Sequence[Row], *, fifo: bool) -> Iterator[Row]:
    by_name = {row.name: row for row in singles if row.faults}
    for first, second in (*_PAIRED, *(_FIFO_PAIRED if fifo else ())):
        if first in by_name and second in by_name:
            one, other = by_name[first], by_name[second]
            what = f"{one.what}; and {other.what}"
            yield Row(f"{one.name}+{other.name}", what, (*one.faults, *other.faults))


def _fault(kind: Kind, about: str, *, tag: str = "", **more: Any) -> Fault:
    make: Callable[..., Fault] = Fault
    return make(kind=kind, name="-".join(filter(None, (kind.value, tag, slug(about)))), **more)
