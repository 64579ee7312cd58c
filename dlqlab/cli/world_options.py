"""The options that what-if and tune share: whose rules, which load, what prices, where to simulate."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from dlqlab.cli.names import RUN
from dlqlab.cli.quantities import Rate, Seconds
from dlqlab.cli.rules import rules_option

type Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldOptions:
    """What the options say."""

    rules: str | None
    calibrate: str | None
    pace: str | None
    rate: float | None
    duration: float | None
    prices: Path | None
    memory_mb: int
    workers: int | None
    scheduler: str | None


_OPTIONS = (
    rules_option(None, shown="aws"),
    click.option("--calibrate", type=RUN, metavar="RUN", default=None, help="Take durations from a measured run."),
    click.option("--arrivals", "pace", type=click.Choice(["constant", "poisson"]), default=None,
                 show_default="constant", help="How tasks arrive."),
    click.option("--rate", type=Rate(), default=None, help="Tasks a second; default: the scenario's."),
    click.option("--duration", type=Seconds(), default=None, help="Of the load, such as 30s, 10m, 1h."),
    click.option("--prices", type=click.Path(dir_okay=False, path_type=Path), default=None, metavar="FILE",
                 help="A price table of your own; default: dlqlab/costs/prices.toml."),
    click.option("--memory", "memory_mb", type=click.IntRange(128, 10_240), default=256, show_default=True,
                 help="Memory of each function in MB, for its cost."),
    click.option("--workers", type=int, default=None, show_default="2", help="Processes side by side, 0 for none."),
    click.option("--scheduler", metavar="ADDRESS", default=None, help="A Dask scheduler to use instead."),
)  # fmt: skip


def asking(function: Command) -> Command:
    """The options; the command gets one argument ``options`` instead."""

    @wraps(function)
    def run(**arguments: Any) -> Any:
        own = {name: arguments.pop(name) for name in WorldOptions.__dataclass_fields__}
        return function(options=WorldOptions(**own), **arguments)

    decorated: Command = run
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
