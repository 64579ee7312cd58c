"""What a chart is made of, and how one is found by its name.

A chart is one module of a folder of SUBJECTS, by what it is a chart of: ``run`` of one run of the task system,
``pipeline`` of one run of any pipeline, ``pair``, ``sweep``, ``validation``. ``data`` takes the subject and gives what
``draw`` takes. The module's name is the chart's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final

from dlqlab.analysis.facts import Facts
from dlqlab.charts.style import Chart, annotated, no_data, styled
from dlqlab.errors import EvidenceError

SUBJECTS: Final = ("run", "pipeline", "pair", "sweep", "validation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot[S, **P]:
    """A chart: its title where there is nothing to draw, and both halves."""

    title: str
    data: Callable[[S], Mapping[str, Any]]
    draw: Callable[P, Chart]
    needs: tuple[str, ...]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Chart:
        """The chart of data that is there already."""
        return self.draw(*args, **kwargs)

    def of(self, subject: S) -> Chart:
        """The chart of its subject, or where the evidence for it is missing one that says so."""
        try:
            chart: Chart = self.draw(**self.data(subject))  # type: ignore[call-arg]  # the two halves are one module's
        except EvidenceError as error:
            return no_data(self.title, str(error))
        return annotated(chart, _caveats(subject, self.needs)) if isinstance(subject, Facts) else chart


def charted[S, **P](
    title: str, data: Callable[[S], Mapping[str, Any]], *, needs: Sequence[str] = ()
) -> Callable[[Callable[P, Chart]], Plot[S, P]]:
    """Make a drawing function, with where its data come from, a chart.

    Args:
        title: what it is called where there is nothing to draw.
        data: the subject -> the arguments of the drawing function.
        needs: the fidelity probes that its source rests on: one that failed is written below the chart.
    """

    def declare(draw: Callable[P, Chart]) -> Plot[S, P]:
        return Plot(title=title, data=data, draw=styled(draw), needs=tuple(needs))

    return declare


def names() -> dict[str, str]:
    """Name of each chart -> what it is a chart of, one of SUBJECTS; nothing is imported for it."""
    here = Path(__file__).parent
    return {module.name: subject for subject in SUBJECTS for module in iter_modules([str(here / subject)])}


def find(name: str) -> Plot[Any, ...]:
    """The chart of this name.

    Raises:
        KeyError: there is none; the names that there are are said.
    """
    known = names()
    if name not in known:
        raise KeyError(f"no chart {name}: there are {', '.join(sorted(known))}")
    found: Plot[Any, ...] = import_module(f"dlqlab.charts.{known[name]}.{name}").draw
    return found


def show(name: str, subject: object) -> Chart:
    """The chart of this name, drawn: of ``Facts``, of a pair of them, of a ``Sweep`` or of a ``Validation``.

    Raises:
        KeyError: there is no such chart.
    """
    return find(name).of(subject)


def _caveats(facts: Facts, needs: Sequence[str]) -> list[str]:
    """What the probes found that is not as on AWS, as far as the chart needs it."""
    return [entry.statement for entry in facts.manifest.fidelity if entry.name in needs and not entry.ok]
