"""A topology as nodes and edges, each node in the column that messages reach it in. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dlqlab.contracts.topology import Entry, EntryKind, Function, Topology


class Shape(StrEnum):
    """What a node is."""

    ENTRY = "entry"
    QUEUE = "queue"
    FUNCTION = "function"
    DEAD_LETTERS = "dead-letter queue"
    ELSEWHERE = "elsewhere"


class Way(StrEnum):
    """How messages get from one node to the next."""

    ENTERS = "enters"
    CONSUMED = "event source mapping"
    PIPED = "pipe"
    MAY_SEND = "named in its variables"
    REDRIVE = "redrive policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """``key`` is unique; ``label`` what stands on it, ``notes`` its settings in short; ``column`` counted from 0."""

    key: str
    shape: Shape
    label: str
    notes: tuple[str, ...] = ()
    column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """From one node to another; ``note`` is what is set for the way."""

    source: str
    target: str
    way: Way
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes in the order of their columns, and within these of the topology."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph(topology: Topology) -> Graph:
    """The topology without functions and entries that nothing comes from or goes to."""
    dead = {f"queue {queue.dead_letters}" for queue in topology.queues}
    edges = tuple(sorted(dict.fromkeys(_edges(topology)), key=lambda edge: _rank(edge, dead)))
    joined = {edge.source for edge in edges} | {edge.target for edge in edges}
    queues = {f"queue {queue.role}" for queue in topology.queues}
    columns = _columns(edges)
    nodes = [
        Node(key=key, shape=shape, label=label, notes=notes, column=columns.get(key, 0))
        for key, shape, label, notes in _nodes(topology)
        if key in joined or key in queues
    ]
    return Graph(nodes=tuple(sorted(nodes, key=lambda node: node.column)), edges=edges)


def _rank(edge: Edge, dead: Collection[str]) -> int:
    """What is told first: the ways that are sure, then variables that name a queue, last those that name a dead-letter
    queue, so that dead letters come after the queue that they are moved from.
    """
    if edge.way is not Way.MAY_SEND:
        return 0
    return 2 if edge.target in dead else 1


def source_of(entry: Entry) -> str:
    """The key of an entry's node: entries of one topic, bus, bucket or schedule share one."""
    return f"{entry.kind} {entry.name}"


def _nodes(topology: Topology) -> Iterator[tuple[str, Shape, str, tuple[str, ...]]]:
    for key in dict.fromkeys(map(source_of, topology.entries)):
        kind, _, name = key.partition(" ")
        yield key, Shape.ENTRY, name if kind == EntryKind.HTTP else key, ()
    dead = {queue.dead_letters for queue in topology.queues}
    for queue in topology.queues:
        notes = [f"hidden {queue.visibility_timeout_s} s"] if queue.visibility_timeout_s is not None else []
        notes += [f"kept {_days(queue.retention_s)}"] if queue.retention_s is not None else []
        shape = Shape.DEAD_LETTERS if queue.role in dead else Shape.QUEUE
        yield f"queue {queue.role}", shape, queue.name, tuple(notes)
    for function in topology.functions:
        notes = [f"time-out {function.timeout_s} s"] if function.timeout_s is not None else []
        if function.reserved_concurrency is not None:
            notes.append(f"reserved {function.reserved_concurrency}")
        yield f"function {function.role}", Shape.FUNCTION, function.name, tuple(notes)
    for pipe in topology.pipes:
        if pipe.target.startswith("arn:"):
            yield pipe.target, Shape.ELSEWHERE, pipe.target.rpartition(":")[2], ()


def _edges(topology: Topology) -> Iterator[Edge]:
    for entry in topology.entries:
        target = f"queue {entry.queue}" if entry.queue else f"function {entry.function}"
        note = f"filter {entry.filter}" if entry.filter else ""
        yield Edge(source=source_of(entry), target=target, way=Way.ENTERS, note=note)
    for one in topology.consumers:
        notes = [f"batch {one.batch_size}"] if one.batch_size is not None else []
        notes += [f"window {one.batch_window_s} s"] if one.batch_window_s else []
        notes += [f"at most {one.max_concurrency} at once"] if one.max_concurrency else []
        notes += ["reports failures"] if one.response_types else []
        notes += [f"{len(one.filters)} filters"] if one.filters else []
        notes += [] if one.is_enabled else ["disabled"]
        yield Edge(
            source=f"queue {one.queue}", target=f"function {one.function}", way=Way.CONSUMED, note=", ".join(notes)
        )
    queues = set(topology.queue_names)
    for pipe in topology.pipes:
        kind = "" if pipe.target.startswith("arn:") else "queue " if pipe.target in queues else "function "
        yield Edge(source=f"queue {pipe.source}", target=f"{kind}{pipe.target}", way=Way.PIPED, note=pipe.name)
    for function in topology.functions:
        for target in _sends(topology, function):
            yield Edge(source=f"function {function.role}", target=target, way=Way.MAY_SEND)
    for queue in topology.queues:
        if queue.dead_letters:
            yield Edge(
                source=f"queue {queue.role}",
                target=f"queue {queue.dead_letters}",
                way=Way.REDRIVE,
                note=f"after {queue.max_receive_count} receives" if queue.max_receive_count else "",
            )


def _sends(topology: Topology, function: Function) -> Iterator[str]:
    """Where a function may send or publish to, but for what it works on: it needs the address of its own queue for
    visibility timeouts alone.
    """
    own = {one.queue for one in topology.consumers if one.function == function.role}
    yield from (f"queue {role}" for role in function.may_send_to if role not in own)
    for entry in topology.entries:
        if entry.place in function.may_publish_to and not topology.works_on(function, entry):
            yield source_of(entry)


def _columns(edges: tuple[Edge, ...]) -> dict[str, int]:
    """The longest way to each node that passes no node twice, so that edges go to the right except where they go back.

    A way back, as of a function that sends to the queue that it works on, is left out.
    """
    following: dict[str, list[str]] = {}
    for edge in edges:
        following.setdefault(edge.source, []).append(edge.target)
    targets = {edge.target for edge in edges}
    starts = [*(edge.source for edge in edges if edge.source not in targets), *following]
    order, back = _in_depth(following, starts)
    columns = dict.fromkeys(order, 0)
    for key in reversed(order):
        for after in following.get(key, ()):
            if (key, after) not in back:
                columns[after] = max(columns[after], columns[key] + 1)
    return columns


def _in_depth(following: Mapping[str, Sequence[str]], starts: Iterable[str]) -> tuple[list[str], set[tuple[str, str]]]:
    """A walk in depth: nodes in the order in which they were left, and the edges that lead back on their own way."""
    order: list[str] = []
    is_left: dict[str, bool] = {}
    back: set[tuple[str, str]] = set()

    def walk(key: str) -> None:
        is_left[key] = False
        for after in following.get(key, ()):
            if after not in is_left:
                walk(after)
            elif not is_left[after]:
                back.add((key, after))
        is_left[key] = True
        order.append(key)

    for key in starts:
        if key not in is_left:
            walk(key)
    return order, back


def _days(seconds: int) -> str:
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
