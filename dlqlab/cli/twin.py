"""The command that plays a scenario in simulated time: simulate."""

from pathlib import Path

import click

from dlqlab import paths
from dlqlab.cli.declared import command
from dlqlab.cli.names import SCENARIO
from dlqlab.cli.quantities import Rate, Seconds
from dlqlab.cli.rules import rules_option

SHAPES = ("paced", "constant", "poisson", "ramp", "burst")


@click.command(short_help="Play SCENARIO in simulated time, without an emulator.")
@click.option("--tasks", type=click.IntRange(1), default=None, help="How many tasks; default: the scenario's.")
@click.option("--rate", type=Rate(), default=None, help="Tasks a second; default: the scenario's.")
@rules_option("localstack")
@click.option("--calibrate", metavar="RUN", help="Take durations from a measured run.")
@click.option(
    "--arrivals",
    "shape",
    type=click.Choice(SHAPES),
    default="paced",
    show_default=True,
    help="When tasks are sent: paced as the load generator with its users, or open at the rate.",
)
@click.option("--to-rate", type=Rate(), help="ramp: the last rate; burst: the rate of the bursts.")
@click.option("--every", type=Seconds(), default=60.0, show_default=True, help="burst: from one to the next.")
@click.option("--lasts", type=Seconds(), default=10.0, show_default=True, help="burst: how long one is.")
@click.option("--trace", metavar="RUN", help="Send what the clients of a measured run sent, when they did.")
@click.option("--seed", type=click.IntRange(0), default=None, help="Another seed than the scenario's: other fates.")
@click.option("--timing-seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the durations.")
@click.option("--no-page", is_flag=True, help="Only evidence and verdict: no notebook, no HTML.")
@click.option("--runs", type=click.Path(path_type=Path), default=paths.RUNS, help="Folder for run directories.")
@click.argument("scenario", type=SCENARIO, default="default")
@command
def simulate() -> None:
    """Play SCENARIO in simulated time: evidence, verdict and report as of a run, and no emulator.

    Each task meets the fate that it would meet in a run. With more than 50,000 tasks the evidence holds that many of
    them, drawn evenly; aggregates.json counts all. The first simulation of a project compiles, for about a minute.
    """


TITLE = "Simulate"
COMMANDS = (simulate,)
