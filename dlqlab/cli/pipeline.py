"""The commands about the deployed pipeline: deploy, url, destroy."""

import click

from dlqlab.cli.declared import command
from dlqlab.cli.names import SCENARIO
from dlqlab.cli.targets import targeted, targeted_to_change


@click.command(short_help="Deploy the pipeline for SCENARIO and prove it.")
@targeted_to_change
@click.option("--stack-only", is_flag=True, help="Only queues, tables, log groups, alarms: chalice deploy is for you.")
@click.argument("scenario", type=SCENARIO, default="default")
@command
def deploy() -> None:
    """Deploy the pipeline for SCENARIO and prove that it keeps failed tasks.

    Tasks and messages that are there already stay and go on.
    """


@click.command(short_help="Print the API's URL and nothing else.")
@targeted
@command
def url() -> None:
    """Print the API's URL and nothing else."""


@click.command(short_help="Remove everything that deploy made.")
@targeted_to_change
@command
def destroy() -> None:
    """Remove everything that deploy made."""


TITLE = "Deployment"
COMMANDS = (deploy, url, destroy)
