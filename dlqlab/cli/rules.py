"""The option of commands that simulate: whose rules."""

from collections.abc import Callable
from typing import Any

import click

type Command = Callable[..., Any]


def rules_option(default: str | None, *, shown: str | None = None) -> Callable[[Command], Command]:
    """``--rules``; who gives ``--target``, which says where a pipeline is deployed, is told so.

    Args:
        default: what is taken where nothing is given.
        shown: what the help says instead.
    """

    def decorate(function: Command) -> Command:
        given = click.option(
            "--rules",
            default=default,
            show_default=shown or True,
            help="Whose rules: aws, localstack, localstack-stock.",
        )(function)
        return click.option("--target", hidden=True, expose_value=False, callback=_refuse)(given)

    return decorate


def _refuse(_context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise click.UsageError(
            f"--target says where a pipeline is deployed, and nothing is: whose rules are simulated is --rules {value}"
        )
