"""The command that exports the deployed API's description."""

from pathlib import Path

import click

from dlqlab.cli.declared import command
from dlqlab.cli.targets import targeted


@click.command(short_help="Export the API's OpenAPI description.")
@targeted
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it there.")
@click.option("--no-server", is_flag=True, help="Leave the API's URL out, as in docs/openapi.json.")
@command
def openapi() -> None:
    """Export the OpenAPI description of the deployed API."""


TITLE = "API"
COMMANDS = (openapi,)
