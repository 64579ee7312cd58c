"""The commands for any pipeline: map."""

from pathlib import Path

import click

from dlqlab.cli.declared import command
from dlqlab.cli.targets import targeted


@click.command("map", short_help="Show what messages go through, and what is odd about it.")
@targeted
@click.option("--json", "as_json", is_flag=True, help="Print topology and findings as JSON.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Draw it into a file.")
@command
def map_() -> None:
    """Show queues, functions, mappings, pipes, topics, rules, schedules and alarms, found by AWS calls alone.

    No file says what to look for, whoever deployed it. It is only read: no message is received. What is odd about it is
    said by the rules of dlqlab lint, each with its remedy.
    """


TITLE = "Any pipeline"
COMMANDS = (map_,)
