"""The commands about the deployed pipeline: deploy, url, destroy."""

import click

from dlqlab.cli.declared import command
from dlqlab.cli.names import SCENARIO
from dlqlab.cli.targets import of_any_pipeline, targeted, targeted_to_change


@click.command(short_help="Deploy the pipeline for SCENARIO and prove it.")
@targeted_to_change
@of_any_pipeline
@click.option("--stack-only", is_flag=True, help="Only queues, tables, log groups, alarms: chalice deploy is for you.")
@click.argument("scenario", type=SCENARIO, required=False)
@command
def deploy() -> None:
    """Deploy the pipeline for SCENARIO (default: default) and prove that it keeps failed tasks.

    In a folder with a dlqlab.toml or below it, without SCENARIO: the pipeline of that file, by its own tool.

    Tasks and messages that are there already stay and go on. A pipeline that takes no scenario is deployed as its
    topology says, and compared with it.
    """


@click.command(short_help="Print the API's URL and nothing else.")
@targeted
@of_any_pipeline
@command
def url() -> None:
    """Print the API's URL and nothing else."""


@click.command(short_help="Remove everything that deploy made.")
@targeted_to_change
@of_any_pipeline
@command
def destroy() -> None:
    """Remove everything that deploy made."""


TITLE = "Deployment"
COMMANDS = (deploy, url, destroy)
