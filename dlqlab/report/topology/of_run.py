"""The picture of a pipeline with the numbers of one run on it, as a notebook shows it."""

from dataclasses import dataclass
from typing import Any

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.node_numbers import node_numbers
from dlqlab.errors import EvidenceError
from dlqlab.report.topology.picture import svg
from dlqlab.report.topology.text import lines


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture as SVG, and what it says as lines of text; without a picture the text says why there is none."""

    svg: str | None
    text: str

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What Jupyter shows."""
        return {"text/plain": self.text} | ({"image/svg+xml": self.svg} if self.svg else {})

    def __repr__(self) -> str:
        return self.text


def drawn(facts: Facts) -> Drawing:
    """The topology of the run with its numbers; without a record the topology alone, with the reason."""
    try:
        topology = facts.topology
    except EvidenceError as error:
        return Drawing(None, f"no picture: {error}")
    text = "\n".join(lines(topology))
    try:
        numbers = node_numbers(facts)
    except EvidenceError as error:
        return Drawing(svg(topology), f"no numbers on it: {error}\n\n{text}")
    return Drawing(svg(topology, numbers), text)
