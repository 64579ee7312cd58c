"""The command that probes what a target does as AWS: preflight."""

import click

from dlqlab.cli.declared import command
from dlqlab.cli.targets import targeted_to_change


@click.command(short_help="Probe where the target does not do as AWS does.")
@targeted_to_change
@click.option("--quick", is_flag=True, help="Only the probes that each run makes; without the mapping's, about 10 s.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@command
def preflight() -> None:
    """Find out by probes of the AWS API where the running target does not do as AWS does."""
