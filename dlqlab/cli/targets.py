"""The options that say where the pipeline is: an emulator's port, or any endpoint, or an AWS account."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from dlqlab.cli.console import ERR
from dlqlab.cli.ports import PORT, Port, running
from dlqlab.errors import UsageError

if TYPE_CHECKING:
    from dlqlab.cli.consent import Intent
    from dlqlab.deploy.target import Target

TARGET_METAVAR = "URL|aws"
TARGET_NAMES = ("port", "target", "stage", "confirm")
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
    "of this checkout, else 4566.",
)
_STAGE = click.option("--stage", metavar="NAME", help="Stage of the app; default: local. An account needs another one.")
_CONFIRM = click.option(
    "--confirm", metavar="STAGE@HOST", help="The word that a target which is not this machine asks for."
)


type Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What the options say."""

    port: int | None
    target: str | None
    stage: str | None
    confirm: str | None = None

    def resolve(self) -> "Target":
        """The target; makes no request.

        Raises:
            UsageError: the options contradict each other, or no emulator runs where one is meant.
        """
        from dlqlab.deploy.target import LOCAL_STAGE, local_target  # noqa: PLC0415

        if self.target is None:
            return local_target(running(self.port), stage=self.stage or LOCAL_STAGE)
        return self.elsewhere()

    def elsewhere(self) -> "Target":
        """The target that --target names.

        Raises:
            UsageError: it cannot be used, or --port is given too.
        """
        from dlqlab.deploy.target import AWS, LOCAL_STAGE, aws_target, url_target  # noqa: PLC0415

        assert self.target is not None
        if self.port is not None:
            raise UsageError("--port and --target are given: the port is part of the target's URL")
        if self.target == AWS:
            return aws_target(stage=self.stage)
        return url_target(self.target, stage=self.stage or LOCAL_STAGE)

    def confirmed(self, intent: "Intent") -> "Target":
        """The target, once a person has agreed where it is not this machine.

        Raises:
            UsageError: nobody agreed.
        """
        target = self.resolve()
        self.agree(target, intent)
        return target

    def agree(self, target: "Target", intent: "Intent") -> bool:
        """Show what is intended and ask for the word, unless the target is this machine; whether it was asked for.

        Raises:
            UsageError: the word was not given, or another.
        """
        from dlqlab.cli import consent  # noqa: PLC0415

        if not consent.is_needed(target):
            return False
        ERR.print(escape(consent.describe(target, intent)), soft_wrap=True)
        given = self.confirm
        if given is None and sys.stdin.isatty():
            given = click.prompt(f"Type {consent.word(target)} to go on", err=True)
        consent.check(target, given)
        return True


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
        *, port: int | None, target: str | None, stage: str | None, confirm: str | None = None, **arguments: Any
    ) -> Any:
        where = Where(port=port, target=target, stage=stage, confirm=confirm)
        return function(where=where, **arguments)

    return run
