"""The command that holds settings against the rules of AWS and of retries: lint."""

import click

from dlqlab.cli.declared import command
from dlqlab.cli.names import SCENARIO_OR_TEMPLATE
from dlqlab.cli.targets import of_any_pipeline, targeted


@click.command(short_help="Check settings against rules of AWS and of retries.")
@targeted
@of_any_pipeline
@click.option("--stack", is_flag=True, help="Check what is deployed, read by AWS calls; with SCENARIO check both.")
@click.option("--strict", is_flag=True, help="Exit code 1 for warnings too.")
@click.option("--brief", is_flag=True, help="Only the statements, without why, source and remedy.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--sarif", is_flag=True, help="Print it as SARIF, for code review.")
@click.argument("subject", type=SCENARIO_OR_TEMPLATE, metavar="[SCENARIO|TEMPLATE]", default=None, required=False)
@command
def lint() -> None:
    """Hold SCENARIO (default: default), a TEMPLATE, or what is deployed, against rules of AWS and of retries.

    TEMPLATE is a template of CloudFormation or SAM, cdk.out, .serverless, the JSON of a plan of Terraform, or a folder
    with one of them.

    Where the stack is, say --port, --target and --stage; it is only read. Exit code: 0 no error, 1 an error (or a
    warning, with --strict), 3 wrong usage. docs/lint.md lists the rules.
    """


TITLE = "Check settings"
COMMANDS = (lint,)
