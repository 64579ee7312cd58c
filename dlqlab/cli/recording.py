"""Options of the commands that start an emulator: its flight recorder, what functions may reach, what is pretended."""

import os
from collections.abc import Callable
from typing import Any

import click

from dlqlab.contracts.function_needs import endpoint_problem
from dlqlab.emulator import settings
from dlqlab.emulator.latency.table import read as read_table
from dlqlab.emulator.limits import quotas
from dlqlab.errors import UsageError

Command = Callable[..., Any]


def _setting(variable: str, value: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    """Passes the choice on to the emulators that this process and its children start."""

    def choose(_context: click.Context, _parameter: click.Parameter, is_given: bool) -> None:
        if is_given:
            os.environ[variable] = value

    return choose


def _allow(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> None:
    """As above, beside what the shell's variable allows already."""
    for one in given:
        if problem := endpoint_problem(one):
            raise click.BadParameter(problem)
    if given:
        before = os.environ.get(settings.ALLOW_NETWORK)
        os.environ[settings.ALLOW_NETWORK] = ",".join([*filter(None, [before]), *given])


def _slow(_context: click.Context, _parameter: click.Parameter, given: str | None) -> None:
    if given is not None:
        try:
            read_table(given)
        except UsageError as error:
            raise click.BadParameter(str(error)) from None
        os.environ[settings.LATENCY] = given


def _limit(_context: click.Context, _parameter: click.Parameter, given: str | None) -> None:
    if given is not None:
        try:
            quotas.chosen(given)
        except UsageError as error:
            raise click.BadParameter(str(error)) from None
        os.environ[settings.LIMITS] = given


def recorded(function: Command) -> Command:
    """Adds the options of the recorder, ``--allow-network``, ``--enforce-iam``, ``--latency`` and ``--limits``."""
    text = "Let functions reach this address outside of the machine too; * for any port; again for more."
    function = click.option(
        "--allow-network", metavar="HOST:PORT", multiple=True, expose_value=False, callback=_allow, help=text
    )(function)
    text = "Let calls take as long as on AWS: aws, or the path of a table of your own."
    function = click.option("--latency", metavar="TABLE", expose_value=False, callback=_slow, help=text)(function)
    text = "Keep to the quotas of an AWS account: aws, or aws,NAME=NUMBER,... for others."
    function = click.option("--limits", metavar="QUOTAS", expose_value=False, callback=_limit, help=text)(function)
    iam = "Allow and refuse calls of functions by the policies of IAM, as AWS does."
    for name, variable, value, text in (
        ("--enforce-iam", settings.ENFORCE_IAM, settings.ON, iam),
        ("--no-bodies", settings.RECORDED_BODIES, settings.NO_BODIES, "Record no bodies of messages."),
        ("--no-recorder", settings.RECORDER, settings.OFF, "Start the emulator without its flight recorder."),
    ):
        choose = _setting(variable, value)
        function = click.option(name, is_flag=True, expose_value=False, callback=choose, help=text)(function)
    return function


def pretending(function: Command) -> Command:
    """Adds ``--allow-pretended``."""
    text = "Report resources of templates as made that the emulator cannot make, instead of refusing them."
    choose = _setting(settings.PRETENDED, settings.ALLOWED)
    return click.option("--allow-pretended", is_flag=True, expose_value=False, callback=choose, help=text)(function)
