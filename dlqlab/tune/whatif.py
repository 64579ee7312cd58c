"""What would happen: one setting, several seeds, each measure as a mean with its interval."""

import math
from dataclasses import dataclass
from typing import Any, Final

from dlqlab.contracts.scenario import Scenario
from dlqlab.errors import UsageError
from dlqlab.tune.intervals import CONFIDENCE, Mean, mean_of
from dlqlab.tune.jobs import Job, World
from dlqlab.tune.measures import COST_OF, MEASURES
from dlqlab.tune.parallel import Perform
from dlqlab.wording import number

SEEDS_MAX: Final = 1_000
NOT_ENOUGH: Final = "not enough data: one seed"
LONG_S: Final = 120
HUNDREDS: Final = 100  # need no decimals


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The measures of a scenario, and the cost by service."""

    scenario: Scenario
    seeds: tuple[int, ...]
    measures: dict[str, Mean]
    costs: dict[str, Mean]

    def to_json(self, world: World) -> dict[str, Any]:
        return {
            "scenario": self.scenario.to_dict(),
            "world": world.to_json(),
            "seeds": list(self.seeds),
            "confidence": CONFIDENCE,
            "measures": {
                name: mean.to_json() | {"title": MEASURES[name].title, "unit": MEASURES[name].unit}
                for name, mean in self.measures.items()
            },
            "cost_usd_by_service": {service: mean.to_json() for service, mean in self.costs.items()},
        }


def answer(scenario: Scenario, world: World, perform: Perform, *, seeds: int) -> Forecast:
    """Simulate the scenario's load with so many seeds, from its own on.

    Raises:
        UsageError: the number of seeds is impossible.
    """
    if not 1 <= seeds <= SEEDS_MAX:
        raise UsageError(f"seeds is {seeds}: give 1 to {SEEDS_MAX}")
    numbers = tuple(scenario.seed + place for place in range(seeds))
    rows = perform([Job(setting=0, seed=seed, scenario=scenario.to_dict()) for seed in numbers], world)
    return Forecast(
        scenario=scenario,
        seeds=numbers,
        measures={name: mean_of([row[name] for row in rows]) for name in MEASURES},
        costs={
            name.removeprefix(COST_OF): mean_of([row[name] for row in rows])
            for name in rows[0]
            if name.startswith(COST_OF)
        },
    )


def shown(mean: Mean, unit: str) -> tuple[str, str]:
    """A mean and its interval as people read them."""
    value = amount(mean.mean, unit)
    if mean.half_width is None:
        return value, NOT_ENOUGH if mean.n == 1 else "no interval: not a number in every seed"
    if unit == "ratio":
        return value, f"± {number(100 * mean.half_width, 2)} pp"
    if mean.half_width < HUNDREDS:
        return value, f"± {number(mean.half_width, 2)} {unit}".strip()
    return value, f"± {amount(mean.half_width, unit)}"


def amount(value: float, unit: str) -> str:
    """A number with its unit: ratios as per cent, long times also in minutes or hours."""
    if not math.isfinite(value):
        return "none" if math.isnan(value) else "never"
    if unit == "ratio":
        return f"{number(100 * value)} %"
    if unit == "s" and value >= LONG_S:
        return f"{value:,.0f} s ({_long(value)})"
    text = f"{value:,.2f}" if unit == "USD" and value >= 1 else number(value)
    return f"{text} {unit}".strip()


def _long(seconds: float) -> str:
    hour, minute = 3600, 60
    return f"{seconds / hour:.1f} h" if seconds >= 2 * hour else f"{seconds / minute:.1f} min"
