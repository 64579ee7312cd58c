"""A small sweep, simulated once for all tests that look at one."""

from functools import cache

from dlqlab.contracts.scenario import Load, Scenario
from dlqlab.tune.jobs import World, world_of
from dlqlab.tune.parallel import performer
from dlqlab.tune.sweep import Question, Sweep, run_sweep
from dlqlab.tune.variations import parse_variation
from taskrules.faults import FaultPlan

SMALL = Scenario(name="small", load=Load(tasks=400, duration_s=10, rate_per_s=40))
OUTAGE = Scenario(
    name="small-outage",
    load=Load(tasks=1200, duration_s=30, rate_per_s=40),
    faults=FaultPlan(failure_rate=0.1, outage_start_s=12, outage_duration_s=5),
)


def aws() -> World:
    """AWS with the project's price table."""
    return world_of("aws", prices=None)


def question(scenario: Scenario = SMALL, *vary: str, seeds: int = 2, growth: tuple[float, ...] = ()) -> Question:
    """A question about a scenario."""
    return Question(
        scenario=scenario,
        variations=tuple(parse_variation(text) for text in vary),
        world=aws(),
        seeds=seeds,
        growth=growth,
    )


@cache
def small_sweep() -> Sweep:
    """Eight settings, of which two are refused, in an outage; the chosen one at three rates."""
    asked = question(OUTAGE, "base_s=1,4", "batch_size=1,20", "batch_window_s=0,1", growth=(0.5, 1, 2))
    with performer(workers=0) as perform:
        return run_sweep(asked, perform)
