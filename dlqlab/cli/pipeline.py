"""The commands about the deployed pipeline: deploy, url, destroy."""

import click

from dlqlab.cli.console import OUT, command
from dlqlab.cli.ports import PORT, running


@click.command()
@PORT
@click.argument("scenario", default="default")
@command
def deploy(port: int, scenario: str) -> None:
    """Deploy the pipeline for SCENARIO and prove that it keeps failed tasks."""
    from dlqlab.deploy import pipeline  # noqa: PLC0415
    from dlqlab.deploy.target import local_target  # noqa: PLC0415
    from dlqlab.run.progress import Phases  # noqa: PLC0415
    from dlqlab.run.scenarios import find  # noqa: PLC0415

    target = local_target(running(port))
    with Phases(OUT).phase("deploy") as phase:
        url = pipeline.apply(target, find(scenario), progress=lambda text: phase.update(note=text))
        phase.note = "stack, functions, API, partial batch responses: proven"
    OUT.print(f"API: {url}", soft_wrap=True)


@click.command()
@PORT
@command
def url(port: int) -> None:
    """Print the API's URL and nothing else."""
    from dlqlab.deploy import pipeline  # noqa: PLC0415
    from dlqlab.deploy.target import local_target  # noqa: PLC0415

    click.echo(pipeline.url(local_target(running(port))))


@click.command()
@PORT
@command
def destroy(port: int) -> None:
    """Remove everything that deploy made."""
    from dlqlab.deploy import pipeline  # noqa: PLC0415
    from dlqlab.deploy.target import local_target  # noqa: PLC0415

    with OUT.status("removing functions, API, stack"):
        pipeline.destroy(local_target(running(port)))
    OUT.print("removed")


COMMANDS = (deploy, url, destroy)
