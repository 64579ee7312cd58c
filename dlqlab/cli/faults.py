"""The commands about faults from outside: list, on, off, clear."""

from pathlib import Path

import click

from dlqlab.cli.declared import command
from dlqlab.cli.ports import PORT


@click.group(short_help="Break a running pipeline on purpose, from outside of its code.")
def faults() -> None:
    """Break what runs on the emulator on purpose, without a change to its code: dlqlab faults on FILE."""


@faults.command("list", short_help="List the faults in force, and how often each has struck.")
@PORT
@click.option("--kinds", is_flag=True, help="List the kinds of faults that there are instead.")
@command
def list_faults() -> None:
    """List the faults in force, and how often each has struck."""


@faults.command("on", short_help="Put the [[faults]] of FILE in force.")
@PORT
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the draws.")
@click.argument("file", type=click.Path(path_type=Path))
@command
def on() -> None:
    """Put the [[faults]] of FILE in force from now on, in place of those in force; it may be a dlqlab.toml."""


@faults.command("off", short_help="Take single faults away, by their names.")
@PORT
@click.argument("names", nargs=-1, required=True, metavar="NAME")
@command
def off() -> None:
    """Take the faults with these names away; the others go on, and count their strikes from 0."""


@faults.command("clear", short_help="Take all faults away.")
@PORT
@command
def clear() -> None:
    """Take all faults away, and say how often each has struck."""


TITLE = "Faults from outside"
COMMANDS = (faults,)
