"""The program: its commands by module, and exit codes for wrong usage.

The modules declare options and help only; what a command does is imported when it runs (see ``declared``).
"""

import sys
from collections.abc import Sequence
from typing import Any, Protocol

import click

from dlqlab import __version__
from dlqlab.cli import (
    check,
    collect,
    dlq,
    emulator,
    export,
    faults,
    hunt,
    judge,
    lint,
    logs,
    openapi,
    pipeline,
    run,
    specimen,
    sql,
    topology,
    torture,
    trace,
    tune,
    twin,
)
from dlqlab.contracts.verdict import EXIT_BROKE, EXIT_USAGE


class Section(Protocol):
    """What a module of this package gives the program."""

    @property
    def TITLE(self) -> str:  # noqa: N802  (a module's constant; a property, because nobody here may change it)
        """What stands above its commands in the help."""

    @property
    def COMMANDS(self) -> Sequence[click.Command]:  # noqa: N802  (as above)
        """In the order of the help."""


_SECTIONS: tuple[Section, ...] = (
    run,
    judge,
    collect,
    logs,
    sql,
    trace,
    export,
    dlq,
    topology,
    check,
    lint,
    twin,
    tune,
    torture,
    hunt,
    faults,
    emulator,
    pipeline,
    specimen,
    openapi,
)


class Group(click.Group):
    """Wrong usage is exit code 3: 2 says unknown. The help lists the commands by what they are about."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["standalone_mode"] = False
        try:
            return super().main(*args, **kwargs)
        except click.exceptions.Abort:
            sys.exit(EXIT_BROKE)
        except click.ClickException as error:
            error.show()
            sys.exit(EXIT_USAGE)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's signature)
        name_width = max(map(len, self.commands))  # of all, so that the sections line up
        for module in _SECTIONS:
            with formatter.section(module.TITLE):
                rows = [((found.name or "").ljust(name_width), found.short_help or "") for found in module.COMMANDS]
                formatter.write_dl(rows)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="dlqlab")
def main() -> None:
    """Load-test a retry and dead-letter pipeline on a laptop and prove what happened to every task.

    Exit codes: 0 valid, 1 invalid, 2 unknown, 3 wrong usage, 4 the run broke or was interrupted.
    """


for _module in _SECTIONS:
    for _command in _module.COMMANDS:
        main.add_command(_command)
