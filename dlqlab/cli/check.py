"""The command that says beforehand what the emulator will not run: check."""

from pathlib import Path

import click

from dlqlab.cli.declared import command


@click.command(short_help="Say before deploying what will not run here.")
@click.option("--strict", is_flag=True, help="Exit code 1 also for what runs otherwise than on AWS.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--sarif", is_flag=True, help="Print it as SARIF, for code review.")
@click.argument("path", type=click.Path(path_type=Path), default=Path())
@command
def check() -> None:
    """Say what of PATH (default: the folder here) the emulator refuses, or runs otherwise than AWS does.

    Nothing is deployed or started. PATH is a template of CloudFormation or SAM, cdk.out, .serverless, the JSON of a
    plan of Terraform, or a folder with one of them. Exit code: 0 nothing is refused, 1 something is, 3 wrong usage.
    docs/check.md tells the findings.
    """


TITLE = "Before deploying"
COMMANDS = (check,)
