"""The options that say where the pipeline is: an emulator's port, or any endpoint, or an AWS account."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from dlqlab import paths
from dlqlab.cli.ports import PORT, Port

TARGET_METAVAR = "URL|aws"
TARGET_NAMES = ("port", "target", "stage", "confirm", "specimen")
_TARGET = click.option(
    "--target",
    metavar=TARGET_METAVAR,
    help="An endpoint that speaks the AWS API, or an account; default: the emulator.",
)
_PORT_TO_RUN = click.option(
    "--port",
    type=Port(starts=True),
    default=None,
    help="Run on the emulator of this port, started where none runs, or auto for a free one; default: the one emulator "
    "of this project, else 4566.",
)
_STAGE = click.option("--stage", metavar="NAME", help="Stage of the app; default: local. An account needs another one.")
_CONFIRM = click.option(
    "--confirm", metavar="STAGE@HOST", help="The word that a target which is not this machine asks for."
)
SPECIMEN = click.option(
    "--specimen",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Pipeline under test: a folder with a topology.toml; default: the task system in app/.",
)

type Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What the options say."""

    port: int | None
    target: str | None
    stage: str | None
    confirm: str | None = None
    specimen: Path | None = None

    @property
    def app(self) -> Path:
        """Folder of the pipeline under test."""
        return paths.APP if self.specimen is None else self.specimen.resolve()


def of_any_pipeline(function: Command) -> Command:
    """The option for commands that work on any pipeline; stands under one of those that say where it is."""
    return SPECIMEN(function)


def targeted(function: Command) -> Command:
    """Options for commands that look; the command gets one argument ``where`` instead."""
    return _with(function, PORT, _TARGET, _STAGE)


def targeted_to_change(function: Command) -> Command:
    """Options for commands that create, send or remove something."""
    return _with(function, PORT, _TARGET, _STAGE, _CONFIRM)


def targeted_to_run(function: Command) -> Command:
    """Options for a command that starts an emulator where none runs."""
    return _with(function, _PORT_TO_RUN, _TARGET, _STAGE, _CONFIRM)


def _with(function: Command, *options: Callable[[Command], Command]) -> Command:
    decorated = _gathered(function)
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


def _gathered(function: Command) -> Command:
    @wraps(function)
    def run(
        *,
        port: int | None,
        target: str | None,
        stage: str | None,
        confirm: str | None = None,
        specimen: Path | None = None,
        **arguments: Any,
    ) -> Any:
        where = Where(port=port, target=target, stage=stage, confirm=confirm, specimen=specimen)
        return function(where=where, **arguments)

    return run
