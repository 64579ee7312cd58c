"""Where a command goes: the target that its options name, and the word of a person for one that is not this machine."""

import sys

import click
from rich.markup import escape

from dlqlab.cli import consent
from dlqlab.cli.actions.emulators import running
from dlqlab.cli.consent import Intent
from dlqlab.cli.console import ERR
from dlqlab.cli.targets import Where
from dlqlab.deploy.target import AWS, LOCAL_STAGE, Target, aws_target, local_target, url_target
from dlqlab.errors import UsageError


def resolve(where: Where) -> Target:
    """The target; makes no request.

    Raises:
        UsageError: the options contradict each other, or no emulator runs where one is meant.
    """
    if where.target is None:
        return local_target(running(where.port), stage=where.stage or LOCAL_STAGE, app=where.app)
    return elsewhere(where)


def elsewhere(where: Where) -> Target:
    """The target that --target names.

    Raises:
        UsageError: it cannot be used, or --port is given too.
    """
    assert where.target is not None
    if where.port is not None:
        raise UsageError("--port and --target are given: the port is part of the target's URL")
    if where.target == AWS:
        return aws_target(stage=where.stage, app=where.app)
    return url_target(where.target, stage=where.stage or LOCAL_STAGE, app=where.app)


def confirmed(where: Where, intent: Intent) -> Target:
    """The target, once a person has agreed where it is not this machine.

    Raises:
        UsageError: nobody agreed.
    """
    target = resolve(where)
    agree(where, target, intent)
    return target


def agree(where: Where, target: Target, intent: Intent) -> bool:
    """Show what is intended and ask for the word, unless the target is this machine; whether it was asked for.

    Raises:
        UsageError: the word was not given, or another.
    """
    if not consent.is_needed(target):
        return False
    ERR.print(escape(consent.describe(target, intent)), soft_wrap=True)
    given = where.confirm
    if given is None and sys.stdin.isatty():
        given = click.prompt(f"Type {consent.word(target)} to go on", err=True)
    consent.check(target, given)
    return True
