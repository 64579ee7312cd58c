"""A topology as text and as a picture."""

import xml.etree.ElementTree as ET
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dlqlab.contracts.topology import Consumer, Entry, EntryKind, Function, Pipe, Queue, Topology
from dlqlab.report.topology.graph import Way, graph
from dlqlab.report.topology.picture import svg
from dlqlab.report.topology.text import lines

ORDERS = Topology(
    name="orders",
    entries=(
        Entry(kind=EntryKind.HTTP, name="POST /orders", function="api"),
        Entry(kind=EntryKind.TOPIC, name="placed", queue="orders", filter='{"kind": ["new"]}'),
    ),
    queues=(
        Queue(role="orders", name="orders", dead_letters="dead", max_receive_count=3, visibility_timeout_s=30),
        Queue(role="dead", name="orders-dead", retention_s=1_209_600),
        Queue(role="bills", name="bills <&>"),
    ),
    functions=(
        Function(role="api", name="api", timeout_s=3, may_send_to=("orders",)),
        Function(role="worker", name="worker", may_send_to=("orders", "bills")),
        Function(role="undertaker", name="undertaker", may_send_to=("orders",)),
        Function(role="idle", name="idle"),
    ),
    consumers=(
        Consumer(queue="orders", function="worker", batch_size=10),
        Consumer(queue="dead", function="undertaker"),
    ),
    pipes=(Pipe(name="audit", source="bills", target="arn:aws:sns:us-east-1:000000000000:audit"),),
)


def test_lines_follow_the_messages() -> None:
    assert lines(ORDERS) == [
        "→ POST /orders",
        "  ƒ api (time-out 3 s)",
        "    may send to ▤ orders (hidden 30 s)",
        "      [batch 10] ƒ worker",
        "        may send to ▤ bills <&>",
        "          by pipe [audit] … audit",
        "      dead letters to [after 3 receives] ✝ orders-dead (kept 14 d)",
        "        ƒ undertaker",
        "          may send to ▤ orders",
        "→ topic placed",
        '  [filter {"kind": ["new"]}] ▤ orders',
    ]


def test_topic_that_a_function_publishes_to_comes_after_it() -> None:
    publisher = Function(role="api", name="api", may_publish_to=("placed",))
    worker = Function(role="worker", name="worker", may_publish_to=("placed",))  # works on what comes of it
    found = replace(ORDERS, functions=(publisher, worker), pipes=(), queues=ORDERS.queues[:2])

    assert lines(replace(found, consumers=ORDERS.consumers[:1])) == [
        "→ POST /orders",
        "  ƒ api",
        "    may send to → topic placed",
        '      [filter {"kind": ["new"]}] ▤ orders (hidden 30 s)',
        "        [batch 10] ƒ worker",
        "        dead letters to [after 3 receives] ✝ orders-dead (kept 14 d)",
    ]


def test_columns_go_on_but_for_the_way_back() -> None:
    """All ways lead to a later column but the one that closes a circle."""
    found = graph(ORDERS)
    columns = {node.key: node.column for node in found.nodes}
    back = {(edge.source, edge.target) for edge in found.edges if columns[edge.target] <= columns[edge.source]}

    assert {("function undertaker", "queue orders")} == back
    assert "function idle" not in columns


def test_picture_is_sound_and_says_its_numbers() -> None:
    """Names are escaped, every way has a title, numbers of a run stand on their node."""
    root = ET.fromstring(svg(ORDERS, {"queue orders": ("120 entered", "3 lost")}))
    texts = ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("text")]

    assert {"bills <&>", "120 entered", "3 lost"} <= set(texts)
    titles = ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("title")]
    assert f"{Way.REDRIVE}: after 3 receives" in titles


def test_nothing_is_drawn_of_nothing() -> None:
    assert lines(Topology(name="empty")) == []
    ET.fromstring(svg(Topology(name="empty")))


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Any queues, functions and ways between them, circles and two mappings of one queue included."""
    queues, functions = [f"q{n}" for n in range(draw(st.integers(1, 4)))], [f"f{n}" for n in range(3)]
    pairs = draw(st.lists(st.tuples(st.sampled_from(queues), st.sampled_from(functions)), max_size=5))
    sends = {name: draw(st.lists(st.sampled_from(queues), max_size=2, unique=True)) for name in functions}
    dead = {name: draw(st.none() | st.sampled_from(queues)) for name in queues}
    return Topology(
        name="any",
        queues=tuple(Queue(role=name, name=name, dead_letters=dead[name]) for name in queues),
        functions=tuple(Function(role=name, name=name, may_send_to=tuple(sends[name])) for name in functions),
        consumers=tuple(Consumer(queue=queue, function=function) for queue, function in pairs),
    )


@given(topologies())
def test_every_queue_is_told_and_drawn(topology: Topology) -> None:
    told = "\n".join(lines(topology))
    ET.fromstring(svg(topology))

    for queue in topology.queues:
        assert f" {queue.name}" in told
    for one in topology.consumers:
        assert f" {one.function}" in told
