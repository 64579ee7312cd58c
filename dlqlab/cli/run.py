"""The commands that send load: run, load; and the list of what can be run."""

from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from dlqlab import paths
from dlqlab.cli.console import OUT, command
from dlqlab.cli.ports import for_run
from dlqlab.cli.quantities import Rate, Seconds
from dlqlab.cli.recording import recorded
from dlqlab.cli.targets import Where, targeted_to_change, targeted_to_run
from dlqlab.emulator.lifecycle import DEFAULT_PORT
from dlqlab.errors import UsageError
from dlqlab.paths import shown

RUNS = click.option("--runs", type=click.Path(path_type=Path), default=paths.RUNS, help="Folder for run directories.")


@click.command()
@targeted_to_run
@click.option("--keep", is_flag=True, help="Leave the emulator running afterwards.")
@click.option("--seed", type=int, help="Another seed than the scenario's.")
@recorded
@RUNS
@click.option("--cells", type=click.IntRange(1, 64), default=1, help="Emulators side by side that share the tasks.")
@click.argument("scenario", default="default")
@command
def run(where: Where, scenario: str, *, keep: bool, seed: int | None, runs: Path, cells: int) -> int:
    """Run SCENARIO from start to verdict: start, deploy, load, drain, collect, judge, report.

    SCENARIO is a name under scenarios/ or a TOML file. The run empties the stage's queues and tables before its load.
    With --target nothing is started or stopped.
    """
    from dlqlab.deploy.target import LOCAL_STAGE  # noqa: PLC0415
    from dlqlab.report.terminal import print_verdict  # noqa: PLC0415
    from dlqlab.run.cells import run_cells  # noqa: PLC0415
    from dlqlab.run.consent import load_intent  # noqa: PLC0415
    from dlqlab.run.runner import Runner  # noqa: PLC0415
    from dlqlab.run.scenarios import find  # noqa: PLC0415

    if cells > 1 and (keep or where.target):
        raise UsageError(f"--cells {cells} with {'--keep' if keep else '--target'}: cells start and stop emulators")
    chosen = find(scenario, seed=seed)
    target = where.elsewhere() if where.target else None
    what = "deploy, empty the stage's queues and tables, send load"
    runner = Runner(
        scenario=chosen,
        console=OUT,
        port=DEFAULT_PORT if target or cells > 1 else for_run(where.port),
        keep=keep,
        runs_root=runs.resolve(),
        stage=where.stage or LOCAL_STAGE,
        target=target,
        allow_remote=target is not None and where.agree(target, load_intent(what, chosen, target)),
    )
    OUT.print(f"[bold]{escape(chosen.name)}[/] (seed {chosen.seed}): {escape(chosen.description)}")
    verdict = runner.execute() if cells == 1 else run_cells(runner, cells)
    OUT.print()
    print_verdict(verdict, OUT)
    OUT.print(f"report: {shown(runner.run.html_path)}", soft_wrap=True)
    return verdict.exit_code


@click.command()
@targeted_to_change
@click.option("--ui", is_flag=True, help="With Locust's web UI, which stays until Ctrl-C.")
@click.option("--web-port", type=click.IntRange(1, 65535), default=8089, show_default=True, help="Port of the web UI.")
@click.option("--users", type=int, help="Concurrent clients.")
@click.option("--rate", type=Rate(), help="Tasks a second; 0 is as fast as the users can.")
@click.option("--duration", type=Seconds(), help="Of the load, such as 30s, 10m, 1h.")
@click.option("--tasks", type=int, help="At most this many tasks.")
@click.option("--payload-bytes", type=int, help="Size of each payload.")
@click.option("--seed", type=int, help="Seed of ids and payloads.")
@RUNS
@click.argument("scenario", default="default")
@command
def load(where: Where, scenario: str, *, ui: bool, web_port: int, seed: int | None, runs: Path, **options: Any) -> None:
    """Send SCENARIO's load to the deployed API; options win over the scenario."""
    from dlqlab.run.by_hand import load_by_hand  # noqa: PLC0415
    from dlqlab.run.consent import load_intent  # noqa: PLC0415
    from dlqlab.run.scenarios import find  # noqa: PLC0415

    changed = {_LOAD_FIELDS[name]: value for name, value in options.items() if value is not None}
    chosen = find(scenario, seed=seed, load=changed)
    target = where.resolve()
    allow_remote = where.agree(target, load_intent("send load", chosen, target))
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


@click.command()
@command
def scenarios() -> None:
    """List the scenarios with one line each."""
    from dlqlab.run.scenarios import known  # noqa: PLC0415

    for scenario in known():
        OUT.print(f"{scenario.name:<24} {escape(scenario.description)}", soft_wrap=True)


TITLE = "Run"
COMMANDS = (run, load, scenarios)
