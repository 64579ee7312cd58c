"""Sending load: run, load; and the list of what can be run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.markup import escape

from dlqlab.cli.actions.ahead import import_ahead
from dlqlab.cli.actions.emulators import for_run
from dlqlab.cli.actions.targets import agree, elsewhere, resolve
from dlqlab.cli.consent import load_intent
from dlqlab.cli.console import OUT
from dlqlab.cli.targets import Where
from dlqlab.contracts.injection import Plan
from dlqlab.contracts.project import find_project, read_project
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenarios import find, known
from dlqlab.deploy.target import LOCAL_STAGE
from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host.lifecycle import DEFAULT_PORT
from dlqlab.errors import UsageError
from dlqlab.paths import shown
from dlqlab.progress import Phases
from dlqlab.report.terminal import print_verdict
from dlqlab.run.by_hand import load_by_hand
from dlqlab.run.cells import gather_cells
from dlqlab.run.injection import read_plan
from dlqlab.run.project_runner import ProjectRunner
from dlqlab.run.runner import Runner
from dlqlab.run.same_end import play_same_end

DEFAULT = "default"
CONCLUDE = "dlqlab.report.conclude"
REPORT = ("dlqlab.report.render", "dlqlab.report.engine")


def run(where: Where, scenario: str | None, *, faults: Path | None, cells: int, same_end: bool, **options: Any) -> int:
    file = find_project(Path.cwd()) if scenario is None and where.specimen is None else None
    if file is not None:
        if where.target or where.stage or cells > 1:
            raise UsageError(
                f"--target, --stage and --cells are about the task system; {file.name} says what is run here"
            )
        play = _run_same_end if same_end else _run_project
        return play(file, where, faults=faults, **options)
    if same_end:
        raise UsageError(
            "--same-end compares plays of your own pipeline: there is no dlqlab.toml here; see dlqlab adopt"
        )
    return _run_scenario(where, scenario or DEFAULT, faults=faults, cells=cells, **options)


def _run_project(file: Path, where: Where, *, keep: bool, no_page: bool, **options: Any) -> int:
    runner = _project_runner(file, port=for_run(where.port), keep=keep, **options)
    _import_ahead(no_page=no_page)
    return _concluded(runner.gather(), runner.phases, no_page=no_page)


def _run_same_end(file: Path, where: Where, *, keep: bool, no_page: bool, **options: Any) -> int:
    """Three plays; they start emulators of their own, one after another, on the port that is given or any free one."""
    if keep:
        raise UsageError("--keep with --same-end: each play has an emulator of its own that ends with it")
    runner = _project_runner(file, port=where.port or ANY_PORT, keep=False, **options)
    _import_ahead(no_page=no_page)
    gathered, last = play_same_end(runner, lambda text: OUT.print(f"[bold]{escape(text)}[/]", soft_wrap=True))
    return _concluded(gathered, last.phases, no_page=no_page)


def _project_runner(
    file: Path, *, faults: Path | None, port: int, keep: bool, seed: int | None, tasks: int | None, runs: Path
) -> ProjectRunner:
    project = read_project(file)
    project = project if seed is None else replace(project, seed=seed)
    load = project.load if tasks is None else replace(project.load, tasks=tasks)
    project = replace(project, load=load)
    OUT.print(f"[bold]{escape(project.name)}[/]: {load.tasks:,} tasks at {load.rate_per_s:g} a second", soft_wrap=True)
    return ProjectRunner(
        project=project,
        plan=project.plan()
        if faults is None
        else read_plan(faults, seed=project.seed, task_key=project.task.key or None),
        root=file.parent,
        console=OUT,
        port=port,
        keep=keep,
        runs_root=runs.resolve(),
    )


def _run_scenario(
    where: Where,
    scenario: str,
    *,
    faults: Path | None,
    keep: bool,
    seed: int | None,
    tasks: int | None,
    runs: Path,
    cells: int,
    no_page: bool,
) -> int:
    if faults is not None and where.target:
        raise UsageError(
            "--faults and --target are given: faults from outside strike in the emulator that a run starts"
        )
    if cells > 1 and faults is not None:
        raise UsageError(f"--cells {cells} with --faults: faults from outside strike one emulator")
    if cells > 1 and (keep or where.target):
        raise UsageError(f"--cells {cells} with {'--keep' if keep else '--target'}: cells start and stop emulators")
    chosen = find(scenario, seed=seed, load={} if tasks is None else {"tasks": tasks})
    plan = Plan() if faults is None else read_plan(faults, seed=chosen.seed)
    if plan.tasks:
        raise UsageError(f"{faults}: tasks is for the load of a dlqlab.toml: take it out for a scenario")
    target = elsewhere(where) if where.target else None
    what = "deploy, empty the stage's queues and tables, send load"
    runner = Runner(
        scenario=chosen,
        plan=plan,
        console=OUT,
        port=DEFAULT_PORT if target or cells > 1 else for_run(where.port),
        keep=keep,
        runs_root=runs.resolve(),
        stage=where.stage or LOCAL_STAGE,
        target=target,
        allow_remote=target is not None and agree(where, target, load_intent(what, chosen, target)),
    )
    OUT.print(f"[bold]{escape(chosen.name)}[/] (seed {chosen.seed}): {escape(chosen.description)}", soft_wrap=True)
    _import_ahead(no_page=no_page)
    gathered = runner.gather() if cells == 1 else gather_cells(runner, cells)
    return _concluded(gathered, runner.phases, no_page=no_page)


def _import_ahead(*, no_page: bool) -> None:
    import_ahead((CONCLUDE,) if no_page else (CONCLUDE, *REPORT))


def _concluded(gathered: RunDir, phases: Phases, *, no_page: bool) -> int:
    """The end of a run: judged, reported, its verdict printed; the exit code."""
    from dlqlab.report.conclude import conclude  # noqa: PLC0415  (heavy: imported ahead, while the run waits)

    verdict = conclude(gathered, phases, with_page=not no_page)
    OUT.print()
    print_verdict(verdict, OUT)
    made = f"evidence: {shown(gathered.path)}" if no_page else f"report: {shown(gathered.html_path)}"
    OUT.print(made, soft_wrap=True)
    return verdict.exit_code


def load(where: Where, scenario: str, *, ui: bool, web_port: int, seed: int | None, runs: Path, **options: Any) -> None:
    changed = {_LOAD_FIELDS[name]: value for name, value in options.items() if value is not None}
    chosen = find(scenario, seed=seed, load=changed)
    target = resolve(where)
    allow_remote = agree(where, target, load_intent("send load", chosen, target))
    sent = load_by_hand(
        target, chosen, OUT, ui=ui, web_port=web_port, allow_remote=allow_remote, runs_root=runs.resolve()
    )
    OUT.print(f"ledger: {shown(sent.ledger_parts)}; next: dlqlab collect {shown(sent.path)}", soft_wrap=True)


_LOAD_FIELDS = {
    "users": "users",
    "rate": "rate_per_s",
    "duration": "duration_s",
    "tasks": "tasks",
    "payload_bytes": "payload_bytes",
}


def scenarios() -> None:
    for scenario in known():
        OUT.print(f"{scenario.name:<24} {escape(scenario.description)}", soft_wrap=True)
