"""The commands that ask the flight recorder about one task: its life, and why a message is where it is."""

from pathlib import Path

import click

from dlqlab.cli.declared import command
from dlqlab.cli.names import RUN
from dlqlab.cli.ports import PORT
from dlqlab.cli.targets import SPECIMEN

_RUN = click.option("--run", "run_name", type=RUN, metavar="RUN", help="A name under runs/, a folder, or latest.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as one JSON object.")


@click.command(short_help="Show the life of one task, from the client's request to its end.")
@click.argument("key")
@PORT
@_RUN
@SPECIMEN
@_JSON
@click.option(
    "--html",
    "html_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it as a page with a waterfall, which opens offline.",
)
@command
def trace() -> None:
    """Show the life of one task, as the flight recorder has it: the client's request, the invocations with their calls,
    how long messages waited, each receive with what became of it, moves to dead-letter queues, redrives.

    KEY is a task id, a message id, a request id (Lambda's or the client's) or a trace id. A KEY that several tasks
    share lists them. The topology of --specimen says where a message has the key of its task. The running emulator is
    asked, or --run: a run directory needs no emulator.
    """


@click.command(short_help="Say why a message is in the dead-letter queue.")
@click.argument("key", metavar="MESSAGE")
@PORT
@_RUN
@SPECIMEN
@_JSON
@command
def why() -> None:
    """Say why a message is in the dead-letter queue, or where it is else: each receive with what became of it, whether
    a function tried, and the last error with its log lines.

    MESSAGE is a message id, or any other key that dlqlab trace takes. The running emulator is asked, or --run: a run
    directory needs no emulator.
    """


TITLE = "Flight recorder"
COMMANDS = (trace, why)
