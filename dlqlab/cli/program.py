"""The program: its commands by module, and exit codes for wrong usage."""

import sys
from typing import Any

import click

from dlqlab import __version__
from dlqlab.cli import dlq, emulator, lint, measure, pipeline, run
from dlqlab.contracts.verdict import EXIT_BROKE, EXIT_USAGE


class Group(click.Group):
    """Wrong usage is exit code 3: 2 says unknown."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["standalone_mode"] = False
        try:
            return super().main(*args, **kwargs)
        except click.exceptions.Abort:
            sys.exit(EXIT_BROKE)
        except click.ClickException as error:
            error.show()
            sys.exit(EXIT_USAGE)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dlqlab")
def main() -> None:
    """Load-test a retry and dead-letter pipeline on a laptop and prove what happened to every task.

    Exit codes: 0 valid, 1 invalid, 2 unknown, 3 wrong usage, 4 the run broke.
    """


for _module in (emulator, pipeline, run, measure, dlq, lint):
    for _command in _module.COMMANDS:
        main.add_command(_command)
