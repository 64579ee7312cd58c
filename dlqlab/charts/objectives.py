"""The objectives of a sweep, as its charts name and write them."""

from dataclasses import dataclass

from dlqlab.tune.measures import MEASURES, OBJECTIVES
from dlqlab.wording import number


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One objective: its column, its title, its unit (ratio, s, USD, 1/s or none), and which way is good."""

    column: str
    title: str
    unit: str
    more_is_better: bool = False


def measured_objectives() -> list[Objective]:
    """The objectives by which settings are compared."""
    chosen = ((name, MEASURES[name]) for name in OBJECTIVES)
    return [
        Objective(column=name, title=one.title, unit=one.unit, more_is_better=one.more_is_better)
        for name, one in chosen
    ]


def in_unit(value: float, unit: str) -> str:
    """A short number with its unit, for ticks and cells."""
    match unit:
        case "ratio":
            return f"{100 * value:.4g} %"
        case "USD":
            return f"{number(value)} USD"
        case "":
            return f"{value:,.0f}"
        case _:
            return f"{value:,.3g} {unit}" if value < 1_000 else f"{value:,.0f} {unit}"  # noqa: PLR2004  (three digits, then thousands)
