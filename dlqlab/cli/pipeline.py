"""The commands about the deployed pipeline: deploy, url, destroy."""

import time
from typing import TYPE_CHECKING

import click

from dlqlab.cli.console import OUT, command
from dlqlab.cli.targets import Where, of_any_pipeline, targeted, targeted_to_change
from dlqlab.errors import UsageError
from dlqlab.paths import shown

if TYPE_CHECKING:
    from dlqlab.deploy.target import Target


@click.command()
@targeted_to_change
@of_any_pipeline
@click.option("--stack-only", is_flag=True, help="Only queues, tables, log groups, alarms: chalice deploy is for you.")
@click.argument("scenario", required=False)
@command
def deploy(where: Where, scenario: str | None, *, stack_only: bool) -> None:
    """Deploy the pipeline for SCENARIO (default: default) and prove that it keeps failed tasks.

    Tasks and messages that are there already stay and go on. A pipeline that takes no scenario is deployed as its
    topology says, and compared with it.
    """
    from dlqlab.deploy import chalice, pipeline, stack  # noqa: PLC0415
    from dlqlab.run.consent import Intent  # noqa: PLC0415
    from dlqlab.run.progress import Phases  # noqa: PLC0415
    from dlqlab.run.scenarios import find  # noqa: PLC0415

    target = where.resolve()
    takes_scenario = target.topology.deploy.scenario
    if scenario and not takes_scenario:
        raise UsageError(
            f"{target.topology.name} takes no scenario ([deploy] in its topology.toml): leave out {scenario}"
        )
    chosen = find(scenario or "default") if takes_scenario else None
    where.agree(target, Intent(what="create or change queues, tables, alarms, functions, an API"))
    phases = Phases(OUT)
    if stack_only:
        with phases.phase("deploy", f"stack {stack.stack_name(target.topology)}"):
            stack.deploy_stack(target, chosen)
            chalice.prepare_project(target)
        project = shown(target.project_dir)
        OUT.print(f"next: chalice --project-dir {project} deploy --stage {target.stage}", soft_wrap=True)
        return
    if chosen is None:
        with phases.phase("deploy", target.topology.name) as phase:
            found = pipeline.apply_as_declared(target, progress=lambda text: phase.update(note=text))
            phase.note = f"{target.topology.name}: as its topology declares"
        OUT.print(f"API: {found}" if found else _entries(target), soft_wrap=True)
        return
    with phases.phase("deploy") as phase:
        url = pipeline.apply(target, chosen, progress=lambda text: phase.update(note=text))
        # What is sent from now on by hand is no part of the deployment's proof.
        started_ts = time.time() if chosen.faults.outage_duration_s else 0.0
        note = phase.note
        pipeline.configure(target, chosen, pipeline.BY_HAND_RUN_ID, run_started_ts=started_ts)
        phase.note = "stack, functions, API, partial batch responses: proven" + (f"; {note}" if note else "")
    OUT.print(f"API: {url}", soft_wrap=True)


@click.command()
@targeted
@of_any_pipeline
@command
def url(where: Where) -> None:
    """Print the API's URL and nothing else."""
    from dlqlab.deploy import pipeline  # noqa: PLC0415

    click.echo(pipeline.url(where.resolve()))


def _entries(target: "Target") -> str:
    """Where work comes in, of a pipeline without an API."""
    topology = target.topology
    texts = [
        f"{entry.kind} {topology.queue(entry.queue).name if entry.queue else entry.name or entry.function}"
        for entry in topology.entries
    ]
    return f"entries: {', '.join(texts) or 'none are declared'}"


@click.command()
@targeted_to_change
@of_any_pipeline
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
