"""The command that says how large a run must be: plan."""

import click

from dlqlab.cli.declared import command
from dlqlab.cli.names import SCENARIO
from dlqlab.cli.quantities import Points


@click.command(short_help="How many tasks SCENARIO's rates need to be known.")
@click.option("--precision", type=Points(), default="1pp", show_default=True, help="Half the interval's width.")
@click.option(
    "--confidence", type=float, default=95, show_default=True, metavar="PERCENT", help="Level of the interval."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.argument("scenario", type=SCENARIO, default="default")
@command
def plan() -> None:
    """How many tasks SCENARIO must send, and how long that takes, until its rates are known to a precision."""
