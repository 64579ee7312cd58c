"""The deployed pipeline: deploy, url, destroy."""

import time
from pathlib import Path

import click
from rich.markup import escape

from dlqlab.cli.actions.emulators import running
from dlqlab.cli.actions.targets import agree, confirmed, resolve
from dlqlab.cli.consent import Intent
from dlqlab.cli.console import OUT
from dlqlab.cli.targets import Where
from dlqlab.contracts.project import find_project, read_project
from dlqlab.contracts.scenarios import find
from dlqlab.deploy import chalice, pipeline, stack
from dlqlab.deploy.target import Target, emulator_target
from dlqlab.deploy.tools import LOG
from dlqlab.errors import UsageError
from dlqlab.paths import shown
from dlqlab.progress import Phases
from dlqlab.run.own_entries import ways_in
from dlqlab.run.project_deployment import deploy_project


def deploy(where: Where, scenario: str | None, *, stack_only: bool) -> None:
    file = _project_file(where) if scenario is None and not stack_only else None
    if file is not None:
        _deploy_project(file, where)
        return
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


def _project_file(where: Where) -> Path | None:
    """The project file of the folder where the user stands, unless the options are about something else."""
    is_about_specimen = where.specimen is not None or where.target is not None or where.stage is not None
    return None if is_about_specimen else find_project(Path.cwd())


def _deploy_project(file: Path, where: Where) -> None:
    """By the project's own tool, on the emulator that runs; what is there already is brought up to date."""
    project, target = read_project(file), emulator_target(running(where.port))
    with Phases(OUT).phase("deploy", str(project.deploy.tool)) as phase:
        log = target.state_dir / LOG
        found = deploy_project(project, file.parent, target, log=log, progress=lambda text: phase.update(note=text))
        phase.note = f"{project.deploy.tool}: {found.summary}"
    ways = [f"{one.kind} {one.name}" for one in ways_in(found.topology)]
    OUT.print(f"ways in: {escape(', '.join(ways) or 'none found')}; next: dlqlab run", soft_wrap=True)


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
    file = _project_file(where)
    if file is not None:
        raise UsageError(f"{file.name}: what your own tool deployed goes with its emulator: dlqlab down")
    target = confirmed(where, Intent(what="remove functions, API, queues, tables and all that is in them"))
    with OUT.status("removing functions, API, stack"):
        was_there = pipeline.destroy(target)
    nothing = f"nothing is deployed at {target.label}, stage {target.stage}: there was nothing to remove"
    OUT.print("removed" if was_there else nothing, soft_wrap=True)
