"""The commands about the deployed pipeline: deploy, url, destroy."""

import time

import click

from dlqlab.cli.console import OUT, command
from dlqlab.cli.targets import Where, targeted, targeted_to_change
from dlqlab.paths import shown


@click.command()
@targeted_to_change
@click.option("--stack-only", is_flag=True, help="Only queues, tables, log groups, alarms: chalice deploy is for you.")
@click.argument("scenario", default="default")
@command
def deploy(where: Where, scenario: str, *, stack_only: bool) -> None:
    """Deploy the pipeline for SCENARIO and prove that it keeps failed tasks.

    Tasks and messages that are there already stay and go on.
    """
    from dlqlab.deploy import chalice, pipeline, stack  # noqa: PLC0415
    from dlqlab.run.consent import Intent  # noqa: PLC0415
    from dlqlab.run.progress import Phases  # noqa: PLC0415
    from dlqlab.run.scenarios import find  # noqa: PLC0415

    chosen = find(scenario)
    target = where.confirmed(Intent(what="create or change queues, tables, alarms, functions, an API"))
    phases = Phases(OUT)
    if stack_only:
        with phases.phase("deploy", f"stack {stack.stack_name(target.stage)}"):
            stack.deploy_stack(target, chosen)
            chalice.prepare_project(target)
        project = shown(target.project_dir)
        OUT.print(f"next: chalice --project-dir {project} deploy --stage {target.stage}", soft_wrap=True)
        return
    with phases.phase("deploy") as phase:
        url = pipeline.apply(target, chosen, progress=lambda text: phase.update(note=text))
        # What is sent from now on by hand is not part of the deployment's proof.
        started_ts = time.time() if chosen.faults.outage_duration_s else 0.0
        note = phase.note
        pipeline.configure(target, chosen, pipeline.BY_HAND_RUN_ID, run_started_ts=started_ts)
        phase.note = "stack, functions, API, partial batch responses: proven" + (f"; {note}" if note else "")
    OUT.print(f"API: {url}", soft_wrap=True)


@click.command()
@targeted
@command
def url(where: Where) -> None:
    """Print the API's URL and nothing else."""
    from dlqlab.deploy import pipeline  # noqa: PLC0415

    click.echo(pipeline.url(where.resolve()))


@click.command()
@targeted_to_change
@command
def destroy(where: Where) -> None:
    """Remove everything that deploy made."""
    from dlqlab.deploy import pipeline  # noqa: PLC0415
    from dlqlab.run.consent import Intent  # noqa: PLC0415

    target = where.confirmed(Intent(what="remove functions, API, queues, tables and all that is in them"))
    with OUT.status("removing functions, API, stack"):
        pipeline.destroy(target)
    OUT.print("removed")


TITLE = "Deployment"
COMMANDS = (deploy, url, destroy)
