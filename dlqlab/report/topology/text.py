"""A topology as lines of text: each way from an entry to its end, a step a line, indented."""

from collections.abc import Iterator

from dlqlab.contracts.topology import Topology
from dlqlab.report.topology.graph import Edge, Graph, Node, Shape, Way, graph

_SIGNS = {Shape.ENTRY: "→", Shape.QUEUE: "▤", Shape.FUNCTION: "ƒ", Shape.DEAD_LETTERS: "✝", Shape.ELSEWHERE: "…"}
_WAYS = {Way.PIPED: "by pipe ", Way.MAY_SEND: "may send to ", Way.REDRIVE: "dead letters to "}


def lines(topology: Topology) -> list[str]:
    """Every node once with what follows it; where it is met again, its name alone."""
    found = graph(topology)
    nodes = {node.key: node for node in found.nodes}
    targets = {edge.target for edge in found.edges}
    told: set[str] = set()
    result = []
    for node in found.nodes:
        if node.key not in targets or (node.key not in told and _is_unreached(node, told, found)):
            result += list(_told(node, found, nodes, told, 0, ""))
    return result


def _is_unreached(node: Node, told: set[str], found: Graph) -> bool:
    """Whether nothing that is told later leads to it: it is part of a circle without a way in."""
    sources = {edge.source for edge in found.edges if edge.target == node.key}
    return sources <= told | {node.key} or node.column == 0


def _told(node: Node, found: Graph, nodes: dict[str, Node], told: set[str], depth: int, before: str) -> Iterator[str]:
    notes = f" ({', '.join(node.notes)})" if node.notes else ""
    again = node.key in told
    yield f"{'  ' * depth}{before}{_SIGNS[node.shape]} {node.label}{'' if again else notes}"
    if again:
        return
    told.add(node.key)
    for edge in found.edges:
        if edge.source == node.key:
            yield from _told(nodes[edge.target], found, nodes, told, depth + 1, _before(edge))


def _before(edge: Edge) -> str:
    note = f"[{edge.note}] " if edge.note else ""
    return f"{_WAYS.get(edge.way, '')}{note}"
