"""The command line: each command is a few lines around a function of the package."""

import sys
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from dlqlab import __version__, dlq_cli, measure_cli, paths
from dlqlab.console import OUT, command, shown
from dlqlab.contracts.verdict import EXIT_BROKE, EXIT_USAGE
from dlqlab.emulator import lifecycle
from dlqlab.emulator.lifecycle import DEFAULT_PORT
from dlqlab.errors import UsageError
from dlqlab.ports import PORT, Port, running


class Group(click.Group):
    """Wrong usage is exit code 3: 2 says unknown."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["standalone_mode"] = False
        try:
            return super().main(*args, **kwargs)
        except click.exceptions.Abort:
            sys.exit(EXIT_BROKE)
        except click.ClickException as error:
            error.show()
            sys.exit(EXIT_USAGE)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dlqlab")
def main() -> None:
    """Load-test a retry and dead-letter pipeline on a laptop and prove what happened to every task.

    Exit codes: 0 valid, 1 invalid, 2 unknown, 3 wrong usage, 4 the run broke.
    """


for _command in (measure_cli.report, measure_cli.compare, measure_cli.plan, measure_cli.preflight, dlq_cli.dlq):
    main.add_command(_command)


@main.command()
@PORT
@click.option("--without-patch", "without", multiple=True, metavar="NAME", help="Leave a patch of LocalStack out.")
@command
def up(port: int, without: tuple[str, ...]) -> None:
    """Start the emulator; returns once it serves."""
    from dlqlab.emulator.patches import ALL  # noqa: PLC0415

    unknown = sorted(set(without) - set(ALL))
    if unknown:
        raise UsageError(f"--without-patch {unknown[0]}: there is no such patch, there are {', '.join(ALL)}")
    running = lifecycle.find(port) if port else None
    if running:
        OUT.print(f"LocalStack runs already at {running.endpoint} (pid {running.pid})")
        return
    patches = tuple(name for name in ALL if name not in without)
    with OUT.status("LocalStack starts"):
        emulator = lifecycle.start(port or lifecycle.free_port(), bound=False, patches=patches)
    OUT.print(f"LocalStack serves at {emulator.endpoint} (pid {emulator.pid}, log {shown(emulator.log_path)})")


@main.command()
@click.option(
    "--port", type=Port(), default=None, help="Only the emulator on this port; default: all of this checkout."
)
@command
def down(port: int | None) -> None:
    """Stop the emulator and every function process."""
    found = [emulator for emulator in lifecycle.find_all() if port in {None, emulator.port}]
    for emulator in found:
        lifecycle.stop(emulator)
        OUT.print(f"stopped LocalStack at {emulator.endpoint} (pid {emulator.pid})")
    if not found:
        OUT.print("no emulator of this checkout runs")


@main.command()
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


@main.command()
@PORT
@command
def url(port: int) -> None:
    """Print the API's URL and nothing else."""
    from dlqlab.deploy import pipeline  # noqa: PLC0415
    from dlqlab.deploy.target import local_target  # noqa: PLC0415

    click.echo(pipeline.url(local_target(running(port))))


@main.command()
@PORT
@command
def env(port: int) -> None:
    """Print shell exports with which any AWS tool talks to the emulator."""
    from dlqlab.emulator import settings  # noqa: PLC0415

    for name, value in settings.client_environment(running(port).endpoint).items():
        click.echo(f"export {name}={value}")


@main.command()
@PORT
@command
def destroy(port: int) -> None:
    """Remove everything that deploy made."""
    from dlqlab.deploy import pipeline  # noqa: PLC0415
    from dlqlab.deploy.target import local_target  # noqa: PLC0415

    with OUT.status("removing functions, API, stack"):
        pipeline.destroy(local_target(running(port)))
    OUT.print("removed")


@main.command()
@PORT
@click.option("--keep", is_flag=True, help="Leave the emulator running afterwards.")
@click.option("--seed", type=int, help="Another seed than the scenario's.")
@click.option("--runs", type=click.Path(path_type=Path), default=paths.RUNS, help="Folder for run directories.")
@click.argument("scenario", default="default")
@command
def run(port: int, scenario: str, *, keep: bool, seed: int | None, runs: Path) -> int:
    """Run SCENARIO from start to verdict: start, deploy, load, drain, collect, judge, report.

    SCENARIO is a name under scenarios/ or a TOML file.
    """
    from dlqlab.report.terminal import print_verdict  # noqa: PLC0415
    from dlqlab.run.runner import Runner  # noqa: PLC0415
    from dlqlab.run.scenarios import find  # noqa: PLC0415

    chosen = find(scenario, seed=seed)
    runner = Runner(scenario=chosen, console=OUT, port=port, keep=keep, runs_root=runs.resolve())
    OUT.print(f"[bold]{escape(chosen.name)}[/] (seed {chosen.seed}): {escape(chosen.description)}")
    verdict = runner.execute()
    OUT.print()
    print_verdict(verdict, OUT)
    OUT.print(f"report: {shown(runner.run.html_path)}", soft_wrap=True)
    return verdict.exit_code


@main.command()
@PORT
@click.option("--ui", is_flag=True, help="Locust's web UI instead of a load that starts by itself.")
@click.option("--web-port", type=click.IntRange(1, 65535), default=8089, show_default=True, help="Port of the web UI.")
@click.option("--users", type=int, help="Concurrent clients.")
@click.option("--rate", type=float, help="Tasks a second; 0 is as fast as the users can.")
@click.option("--duration", type=float, help="Seconds.")
@click.option("--tasks", type=int, help="At most this many tasks.")
@click.option("--payload-bytes", type=int, help="Size of each payload.")
@click.option("--seed", type=int, help="Seed of ids and payloads.")
@click.argument("scenario", default="default")
@command
def load(port: int, scenario: str, *, ui: bool, web_port: int, seed: int | None, **options: Any) -> None:
    """Send SCENARIO's load to the deployed API; options win over the scenario."""
    from dlqlab.run.by_hand import load_by_hand  # noqa: PLC0415
    from dlqlab.run.scenarios import find  # noqa: PLC0415

    changed = {_LOAD_FIELDS[name]: value for name, value in options.items() if value is not None}
    chosen = find(scenario, seed=seed, load=changed)
    load_by_hand(running(port), chosen, OUT, ui=ui, web_port=web_port)


_LOAD_FIELDS = {
    "users": "users",
    "rate": "rate_per_s",
    "duration": "duration_s",
    "tasks": "tasks",
    "payload_bytes": "payload_bytes",
}


@main.command()
@command
def scenarios() -> None:
    """List the scenarios with one line each."""
    from dlqlab.run.scenarios import known  # noqa: PLC0415

    for scenario in known():
        OUT.print(f"{scenario.name:<24} {escape(scenario.description)}", soft_wrap=True)


@main.command()
@PORT
@command
def doctor(port: int) -> int:
    """Say what is missing or in the way, and the remedy."""
    from dlqlab.doctor import examine  # noqa: PLC0415

    findings = examine(port or DEFAULT_PORT)
    for finding in findings:
        OUT.print(f"{'[green]✓[/]' if finding.ok else '[red]✗[/]'} {finding.subject:<12} {escape(finding.text)}")
        if not finding.ok:
            OUT.print(f"  {'':<12} [bold]remedy:[/] {escape(finding.remedy)}", soft_wrap=True)
    return 0 if all(finding.ok for finding in findings) else EXIT_USAGE
