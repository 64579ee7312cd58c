"""A topology as an SVG picture: columns from the entries on the left to the last queue on the right.

Numbers of a run can stand on the nodes. Text is text, so that it can be searched and read aloud; colours have a name in
words beside them, so that nothing rests on colour alone.
"""

from collections.abc import Mapping, Sequence
from html import escape

from dlqlab.contracts.topology import Topology
from dlqlab.report.topology.graph import Edge, Graph, Node, Shape, Way, graph

_WIDTH, _LINE, _PAD = 210, 15, 10
_GAP_X, _GAP_Y = 120, 26
_LETTERS_MAX = 30
_FILLS = {
    Shape.ENTRY: ("#eef2f7", "#57606a"),
    Shape.QUEUE: ("#fff7dd", "#b98900"),
    Shape.FUNCTION: ("#e8f2fb", "#1a6fb5"),
    Shape.DEAD_LETTERS: ("#fdecec", "#c62f2f"),
    Shape.ELSEWHERE: ("#ffffff", "#57606a"),
}
_LINES = {Way.REDRIVE: ("#c62f2f", "6 4"), Way.MAY_SEND: ("#57606a", "2 3")}
_PLAIN = ("#57606a", "")


def svg(topology: Topology, numbers: Mapping[str, Sequence[str]] | None = None) -> str:
    """The picture.

    Args:
        topology: what is drawn.
        numbers: lines to stand on a node of a run, by its key: ``queue ROLE``, ``function ROLE``.
    """
    found = graph(topology)
    boxes = _boxes(found, numbers or {})
    width = max((x + _WIDTH for x, _, _ in boxes.values()), default=0) + _PAD
    height = max((y + height for _, y, height in boxes.values()), default=0) + _PAD
    edges = "".join(_edge(edge, boxes) for edge in found.edges)
    nodes = "".join(_node(node, boxes[node.key], (numbers or {}).get(node.key, ())) for node in found.nodes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="{escape(topology.name)}: {len(found.nodes)} parts" font-family="system-ui, sans-serif" '
        f'font-size="11"><rect width="100%" height="100%" fill="#ffffff"/>{_ARROWS}{edges}{nodes}</svg>'
    )


_ARROWS = "<defs>" + "".join(
    f'<marker id="a{colour[1:]}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    f'<path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
    for colour in sorted({colour for colour, _ in (*_LINES.values(), _PLAIN)})
) + "</defs>"  # fmt: skip

type Box = tuple[int, int, int]
"""Left, top, height."""


def _boxes(found: Graph, numbers: Mapping[str, Sequence[str]]) -> dict[str, Box]:
    bottoms: dict[int, int] = {}
    boxes = {}
    for node in found.nodes:
        height = 2 * _PAD + _LINE * (1 + bool(node.notes) + len(numbers.get(node.key, ())))
        top = bottoms.get(node.column, _PAD)
        boxes[node.key] = (_PAD + node.column * (_WIDTH + _GAP_X), top, height)
        bottoms[node.column] = top + height + _GAP_Y
    return boxes


def _node(node: Node, box: Box, numbers: Sequence[str]) -> str:
    x, y, height = box
    fill, stroke = _FILLS[node.shape]
    rows = [_short(node.label), *([", ".join(node.notes)] if node.notes else []), *numbers]
    texts = "".join(
        f'<text x="{x + _PAD}" y="{y + _PAD + 10 + at * _LINE}"{' font-weight="600"' if not at else ""} '
        f'fill="{"#1b1f24" if not at else "#57606a"}">{escape(row)}</text>'
        for at, row in enumerate(rows)
    )
    radius = 16 if node.shape is Shape.FUNCTION else 4
    return (
        f"<g><title>{escape(f'{node.shape}: {node.label}')}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{height}" rx="{radius}" fill="{fill}" stroke="{stroke}"/>'
        f"{texts}</g>"
    )


def _edge(edge: Edge, boxes: Mapping[str, Box]) -> str:
    colour, dashes = _LINES.get(edge.way, _PLAIN)
    (x1, y1, height1), (x2, y2, height2) = boxes[edge.source], boxes[edge.target]
    start_x, start_y, end_y = x1 + _WIDTH, y1 + height1 // 2, y2 + height2 // 2
    if x2 > x1:
        bend = (x2 - start_x) // 2
        path = f"M{start_x} {start_y} C{start_x + bend} {start_y} {x2 - bend} {end_y} {x2} {end_y}"
        at_x, at_y = start_x + bend, (start_y + end_y) // 2 - 4
    else:  # back to an earlier column, or within one: below the boxes
        low = max(y1 + height1, y2 + height2) + _GAP_Y // 2
        path = (
            f"M{x1 + _WIDTH // 2} {y1 + height1} C{x1 + _WIDTH // 2} {low} {x2 + _WIDTH // 2} {low} "
            f"{x2 + _WIDTH // 2} {y2 + height2}"
        )
        at_x, at_y = (x1 + x2 + _WIDTH) // 2, low
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    said = escape(_short(edge.note))
    note = f'<text x="{at_x}" y="{at_y}" text-anchor="middle" fill="#57606a" font-size="9">{said}</text>'
    return (
        f"<g><title>{escape(f'{edge.way}: {edge.note}' if edge.note else str(edge.way))}</title>"
        f'<path d="{path}" fill="none" stroke="{colour}"{dash} marker-end="url(#a{colour[1:]})"/>'
        f"{note if edge.note else ''}</g>"
    )


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS_MAX else f"{text[: _LETTERS_MAX - 1]}…"
