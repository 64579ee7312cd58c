"""The options that what-if and tune share: whose rules, which load, what prices, where to simulate."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlqlab.cli.console import ERR
from dlqlab.cli.quantities import Rate, Seconds
from dlqlab.cli.rules import rules_option

if TYPE_CHECKING:
    from dlqlab.contracts.scenario import Scenario
    from dlqlab.tune.jobs import World
    from dlqlab.tune.parallel import Perform

type Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the options say."""

    rules: str
    calibrate: str | None
    pace: str
    rate: float | None
    duration: float | None
    prices: Path | None
    memory_mb: int
    workers: int
    scheduler: str | None

    def world(self) -> "World":
        """The rules, the pace of arrivals and the prices.

        Raises:
            UsageError: there are no such rules, or no such run, or the price table cannot be used.
        """
        from dlqlab.tune.jobs import Pace, world_of  # noqa: PLC0415

        pace = Pace(self.pace)
        if self.calibrate is None:
            return world_of(self.rules, prices=self.prices, pace=pace, memory_mb=self.memory_mb)
        from dlqlab.run.stored_runs import find_run  # noqa: PLC0415
        from dlqlab.twin.calibrate import calibrate  # noqa: PLC0415
        from dlqlab.twin.parameters import parameters_of  # noqa: PLC0415

        fit = calibrate(find_run(self.calibrate), parameters_of(self.rules))
        return world_of(
            fit.parameters, prices=self.prices, pace=pace, memory_mb=self.memory_mb, calibrated_from=fit.run_id
        )

    def load(self, scenario: "Scenario") -> "Scenario":
        """The scenario with the load that is asked for.

        Raises:
            UsageError: there is no rate, or there are too many tasks.
        """
        from dlqlab.tune.jobs import at_rate  # noqa: PLC0415

        return at_rate(scenario, rate_per_s=self.rate, duration_s=self.duration)

    @contextmanager
    def performer(self, jobs: int) -> "Iterator[Perform]":
        """What does so many jobs, with a line that counts them on the error console: JSON stays clean."""
        from dlqlab.tune.parallel import performer  # noqa: PLC0415

        count = 0
        with ERR.status(f"simulations: 0 of {jobs}") as status:

            def done() -> None:
                nonlocal count
                count += 1
                status.update(f"simulations: {count} of {jobs}")

            with performer(workers=min(self.workers, jobs), scheduler=self.scheduler, done=done) as perform:
                yield perform


_OPTIONS = (
    rules_option("aws"),
    click.option("--calibrate", metavar="RUN", default=None, help="Take durations from a measured run."),
    click.option("--arrivals", "pace", type=click.Choice(["constant", "poisson"]), default="constant",
                 show_default=True, help="How tasks arrive."),
    click.option("--rate", type=Rate(), default=None, help="Tasks a second; default: the scenario's."),
    click.option("--duration", type=Seconds(), default=None, help="Of the load, such as 30s, 10m, 1h."),
    click.option("--prices", type=click.Path(dir_okay=False, path_type=Path), default=None, metavar="FILE",
                 help="A price table of your own; default: dlqlab/costs/prices.toml."),
    click.option("--memory", "memory_mb", type=click.IntRange(128, 10_240), default=256, show_default=True,
                 help="Memory of each function in MB, for its cost."),
    click.option("--workers", type=int, default=2, show_default=True, help="Processes side by side, 0 for none."),
    click.option("--scheduler", metavar="ADDRESS", default=None, help="A Dask scheduler to use instead."),
)  # fmt: skip


def asking(function: Command) -> Command:
    """The options; the command gets one argument ``asked`` instead."""

    @wraps(function)
    def run(**arguments: Any) -> Any:
        own = {name: arguments.pop(name) for name in Asked.__dataclass_fields__}
        return function(asked=Asked(**own), **arguments)

    decorated: Command = run
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
