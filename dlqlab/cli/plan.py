"""The command that says how large a run must be: plan."""

import click

from dlqlab.cli.declared import command
from dlqlab.cli.names import RUN, SCENARIO
from dlqlab.cli.quantities import Points


@click.command(short_help="How many tasks SCENARIO's rates need to be known.")
@click.option("--precision", type=Points(), default="1pp", show_default=True, help="Half the interval's width.")
@click.option(
    "--confidence", type=float, default=95, show_default=True, metavar="PERCENT", help="Level of the interval."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--from", "run_dir", type=RUN, metavar="RUN", help="A run of your own pipeline; default: the newest.")
@click.argument("scenario", type=SCENARIO, required=False)
@command
def plan() -> None:
    """How many tasks SCENARIO (default: default) must send, and how long that takes, until its rates are known to a
    precision.

    Without SCENARIO, in a folder with a dlqlab.toml or below it: for the pipeline of that file, by the rates that it
    promises, else by those of a run of it.
    """
