"""The commands about dead letters: list, show, redrive."""

import click

from dlqlab.cli.declared import command
from dlqlab.cli.targets import targeted, targeted_to_change

CAUSE = click.option("--cause", metavar="TEXT", help="Only those with this reason or error type.")


@click.group(short_help="Look at dead letters and send their tasks back.")
def dlq() -> None:
    """Look at dead letters and send their tasks back to the queue."""


@dlq.command("list", short_help="List what the archive holds, newest last.")
@targeted
@CAUSE
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Show the newest so many.")
@click.option("--json", "as_json", is_flag=True, help="Print all of them as JSON, one a line.")
@command
def list_letters() -> None:
    """List what the archive holds, newest last, and how many have which cause."""


@dlq.command(short_help="Show everything that is kept about ID as JSON.")
@targeted
@click.argument("ids", nargs=-1, required=True, metavar="ID")
@command
def show() -> None:
    """Show everything that is kept about ID (a task or an archived message) as JSON."""


@dlq.command(short_help="Send FAILED tasks back to the queue.")
@targeted_to_change
@CAUSE
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "take_all", is_flag=True, help="Every dead letter.")
@click.option("--rate", type=click.FloatRange(0, 1000, min_open=True), default=10, show_default=True, help="A second.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@command
def redrive() -> None:
    """Send FAILED tasks back to the queue for a new generation of attempts: these IDs, one cause, or all.

    A task that has left FAILED meanwhile is skipped, so the same redrive again does nothing.
    """


TITLE = "Dead letters"
COMMANDS = (dlq,)
