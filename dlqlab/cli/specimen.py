"""The command about what dlqlab comes with: its pipeline, scenarios, notebooks."""

from pathlib import Path

import click

from dlqlab.cli.declared import command


@click.group(short_help="The pipeline that dlqlab comes with, to copy.")
def specimen() -> None:
    """The pipeline under test that dlqlab comes with, its scenarios, load file, notebooks and documents."""


@specimen.command(short_help="Copy it to a folder, to read or to change.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("parts", nargs=-1, metavar="[PART]...")
@command
def copy() -> None:
    """Copy it to FOLDER, to read or to change: all of it, or each PART, such as notebooks or scenarios/outage.toml.

    A scenario goes by its name where it lies in scenarios/ of the folder that dlqlab is run in. A whole copy is used
    instead of the installed one where dlqlab is run in it.
    """


TITLE = "Specimen"
COMMANDS = (specimen,)
