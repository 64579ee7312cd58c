"""The deployed pipeline: deploy, url, destroy."""

import time

import click

from dlqlab.cli.actions.targets import agree, confirmed, resolve
from dlqlab.cli.consent import Intent
from dlqlab.cli.console import OUT
from dlqlab.cli.targets import Where
from dlqlab.contracts.scenarios import find
from dlqlab.deploy import chalice, pipeline, stack
from dlqlab.deploy.target import Target
from dlqlab.errors import UsageError
from dlqlab.paths import shown
from dlqlab.progress import Phases


def deploy(where: Where, scenario: str | None, *, stack_only: bool) -> None:
    target = resolve(where)
    takes_scenario = target.topology.deploy.scenario
    if scenario and not takes_scenario:
        raise UsageError(
            f"{target.topology.name} takes no scenario ([deploy] in its topology.toml): leave out {scenario}"
        )
    chosen = find(scenario or "default") if takes_scenario else None
    agree(where, target, Intent(what="create or change queues, tables, alarms, functions, an API"))
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


def url(where: Where) -> None:
    click.echo(pipeline.url(resolve(where)))


def _entries(target: Target) -> str:
    """Where work comes in, of a pipeline without an API."""
    topology = target.topology
    texts = [
        f"{entry.kind} {topology.queue(entry.queue).name if entry.queue else entry.name or entry.function}"
        for entry in topology.entries
    ]
    return f"entries: {', '.join(texts) or 'none are declared'}"


def destroy(where: Where) -> None:
    target = confirmed(where, Intent(what="remove functions, API, queues, tables and all that is in them"))
    with OUT.status("removing functions, API, stack"):
        was_there = pipeline.destroy(target)
    nothing = f"nothing is deployed at {target.label}, stage {target.stage}: there was nothing to remove"
    OUT.print("removed" if was_there else nothing, soft_wrap=True)
