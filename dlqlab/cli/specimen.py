"""The command about what dlqlab comes with: its pipeline, scenarios, notebooks."""

from pathlib import Path

import click
from rich.markup import escape

from dlqlab.cli.console import OUT, command
from dlqlab.paths import shown


@click.group()
def specimen() -> None:
    """The pipeline under test that dlqlab comes with, its scenarios, load file, notebooks and documents."""


@specimen.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("parts", nargs=-1, metavar="[PART]...")
@command
def copy(folder: Path, parts: tuple[str, ...]) -> None:
    """Copy it to FOLDER, to read or to change: all of it, or each PART, such as notebooks or scenarios/outage.toml.

    A scenario goes by its name where it lies in scenarios/ of the folder that dlqlab is run in. A whole copy is used
    instead of the installed one where dlqlab is run in it.
    """
    from dlqlab.bundle import copy_out  # noqa: PLC0415

    for target in copy_out(folder, parts):
        OUT.print(f"copied: {escape(shown(target))}", soft_wrap=True)


TITLE = "Specimen"
COMMANDS = (specimen,)
