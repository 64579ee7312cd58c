"""What the options of what-if and tune come to: rules, pace and prices; a load; and who simulates."""

from collections.abc import Iterator
from contextlib import contextmanager

from dlqlab.cli.actions.compiling import say_what_takes_so_long
from dlqlab.cli.console import ERR
from dlqlab.cli.world_options import WorldOptions
from dlqlab.contracts.scenario import Scenario
from dlqlab.run.stored_runs import find_run
from dlqlab.tune.jobs import Pace, World, at_rate, world_of
from dlqlab.tune.parallel import Perform, performer
from dlqlab.twin.calibrate import calibrate
from dlqlab.twin.parameters import parameters_of

RULES = "aws"
WORKERS = 2


def world_asked(options: WorldOptions) -> World:
    """The rules, the pace of arrivals and the prices.

    Raises:
        UsageError: there are no such rules, or no such run, or the price table cannot be used.
    """
    pace, rules = Pace(options.pace or Pace.CONSTANT), options.rules or RULES
    if options.calibrate is None:
        return world_of(rules, prices=options.prices, pace=pace, memory_mb=options.memory_mb)

    fit = calibrate(find_run(options.calibrate), parameters_of(rules))
    return world_of(
        fit.parameters, prices=options.prices, pace=pace, memory_mb=options.memory_mb, calibrated_from=fit.run_id
    )


def with_asked_load(options: WorldOptions, scenario: Scenario) -> Scenario:
    """The scenario with the load that is asked for.

    Raises:
        UsageError: there is no rate, or there are too many tasks.
    """
    return at_rate(scenario, rate_per_s=options.rate, duration_s=options.duration)


@contextmanager
def performing(options: WorldOptions, jobs: int) -> Iterator[Perform]:
    """What does so many jobs, with a line that counts them on the error console: JSON stays clean."""
    count = 0
    say_what_takes_so_long()
    with ERR.status(f"simulations: 0 of {jobs}") as status:

        def done() -> None:
            nonlocal count
            count += 1
            status.update(f"simulations: {count} of {jobs}")

        with performer(
            workers=min(WORKERS if options.workers is None else options.workers, jobs),
            scheduler=options.scheduler,
            done=done,
        ) as perform:
            yield perform
