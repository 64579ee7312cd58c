"""Lab and pipeline apart: the lab's code does not know the parts of a pipeline by heart."""

import ast
from collections.abc import Iterator
from pathlib import Path

from dlqlab import paths
from dlqlab.contracts.topology import Topology
from dlqlab.contracts.topology_file import read_topology

LAB = paths.ROOT / "dlqlab"
FOLDERS = [paths.APP, *sorted(path.parent for path in (paths.ROOT / "examples").glob("*/topology.toml"))]
ALLOWED = {
    ("archive", "topology.py"): "evidence.archive, a field of every topology",
    ("archive", "topology_file.py"): "evidence.archive, a field of every topology",
    ("api", "target.py"): "the stage of API Gateway, as .chalice/config.json says",
    ("api", "stack_addresses.py"): "a part of an address of the AWS API",
}
"""Role and name of the module -> why the word stands there, though it is not about the part of a pipeline."""
OTHER_MEANINGS = {
    "tasks": "the table TASKS of a run directory, evidence.tasks of a topology, and a unit of what is counted",
}
"""Roles that are words of the lab, too; that none names a queue, the last test sees to."""


def nodes(path: Path, *words: str) -> Iterator[ast.AST]:
    """The syntax tree of a module that contains one of the words at all; a text without them is not parsed."""
    text = path.read_text()
    if any(word in text for word in words):
        yield from ast.walk(ast.parse(text))


def texts(path: Path, known: set[str]) -> Iterator[str]:
    """The literal texts of a module that are among the known."""
    for node in nodes(path, *known):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in known:
            yield node.value


def parts(topology: Topology) -> set[str]:
    """The roles and names of all parts."""
    tables = {table.role: table.name for table in topology.tables}
    named = topology.queue_names | topology.function_names | tables
    return {*named, *named.values()}


def test_lab_names_no_part_of_a_pipeline() -> None:
    """Queues, functions and tables are looked up: no literal of the lab is one of their roles or names."""
    topologies = [read_topology(folder, stage) for folder in FOLDERS for stage in ("local", "{stage}")]
    known = set().union(*map(parts, topologies)) - OTHER_MEANINGS.keys()
    found = {(text, path.name) for path in sorted(LAB.rglob("*.py")) for text in texts(path, known)}

    assert ALLOWED.keys() == found


def test_no_queue_is_compared_with_a_literal() -> None:
    """A column of queues is never held against a role written down in the lab: ``frame["queue"] == "tasks"``."""
    found = [
        f"{path.relative_to(paths.ROOT)}:{node.lineno}"
        for path in sorted(LAB.rglob("*.py"))
        for node in nodes(path, '["queue"]', "['queue']")
        if isinstance(node, ast.Compare) and _is_of_queues(node)
    ]

    assert [] == found


def _is_of_queues(node: ast.Compare) -> bool:
    sides = [node.left, *node.comparators]
    literal = any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides)
    return literal and any(
        isinstance(side, ast.Subscript) and isinstance(side.slice, ast.Constant) and side.slice.value == "queue"
        for side in sides
    )
