"""The commands for any pipeline: adopt, map."""

from pathlib import Path

import click

from dlqlab.cli.declared import command
from dlqlab.cli.ports import PORT
from dlqlab.cli.targets import targeted


@click.command("map", short_help="Show what messages go through, and what is odd about it.")
@targeted
@click.option("--json", "as_json", is_flag=True, help="Print topology and findings as JSON.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Draw it into a file.")
@command
def map_() -> None:
    """Show queues, functions, mappings, pipes, topics, rules, schedules and alarms, found by AWS calls alone.

    No file says what to look for, whoever deployed it. It is only read: no message is received. What is odd about it is
    said by the rules of dlqlab lint, each with its remedy.
    """


@click.command(short_help="Write a project file for the pipeline in a folder.")
@PORT
@click.option("--force", is_flag=True, help="Write it anew where there is one.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
@command
def adopt() -> None:
    """Write a dlqlab.toml for the pipeline in FOLDER (default: here): what deploys it, where messages come in.

    SAM, CDK, Serverless, Chalice, CloudFormation and Terraform are recognised. Where an emulator of this project runs,
    the ways into what is deployed on it stand in the file as remarks. What could not be seen is a question in it.
    """


TITLE = "Any pipeline"
COMMANDS = (adopt, map_)
