"""The deployed pipeline: deploy, url, destroy."""

import time

import click

from dlqlab.cli.actions.targets import confirmed, resolve
from dlqlab.cli.consent import Intent
from dlqlab.cli.console import OUT
from dlqlab.cli.targets import Where
from dlqlab.contracts.scenarios import find
from dlqlab.deploy import chalice, pipeline, stack
from dlqlab.paths import shown
from dlqlab.progress import Phases


def deploy(where: Where, scenario: str, *, stack_only: bool) -> None:
    chosen = find(scenario)
    target = confirmed(where, Intent(what="create or change queues, tables, alarms, functions, an API"))
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
        # What is sent from now on by hand is no part of the deployment's proof.
        started_ts = time.time() if chosen.faults.outage_duration_s else 0.0
        note = phase.note
        pipeline.configure(target, chosen, pipeline.BY_HAND_RUN_ID, run_started_ts=started_ts)
        phase.note = "stack, functions, API, partial batch responses: proven" + (f"; {note}" if note else "")
    OUT.print(f"API: {url}", soft_wrap=True)


def url(where: Where) -> None:
    click.echo(pipeline.url(resolve(where)))


def destroy(where: Where) -> None:
    target = confirmed(where, Intent(what="remove functions, API, queues, tables and all that is in them"))
    with OUT.status("removing functions, API, stack"):
        was_there = pipeline.destroy(target)
    nothing = f"nothing is deployed at {target.label}, stage {target.stage}: there was nothing to remove"
    OUT.print("removed" if was_there else nothing, soft_wrap=True)
