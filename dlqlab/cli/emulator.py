"""The commands about the emulator: up, down, env, doctor."""

import os

import click
from rich.markup import escape

from dlqlab.cli.console import OUT, command, shown
from dlqlab.cli.ports import PORT, Port, running
from dlqlab.contracts.verdict import EXIT_USAGE
from dlqlab.deploy.environment import FORMATS
from dlqlab.emulator import lifecycle
from dlqlab.emulator.lifecycle import DEFAULT_PORT, LOOPBACK
from dlqlab.errors import UsageError


@click.command()
@PORT
@click.option("--without-patch", "without", multiple=True, metavar="NAME", help="Leave a patch of LocalStack out.")
@click.option("--foreground", is_flag=True, help="Stay in front and log to the terminal; Ctrl-C ends it.")
@click.option("--host", default=LOOPBACK, show_default=True, help="Address to listen on; for containers.")
@command
def up(port: int, without: tuple[str, ...], *, foreground: bool, host: str) -> None:
    """Start the emulator; returns once it serves."""
    from dlqlab.emulator.patches import ALL  # noqa: PLC0415

    unknown = sorted(set(without) - set(ALL))
    if unknown:
        raise UsageError(f"--without-patch {unknown[0]}: there is no such patch, there are {', '.join(ALL)}")
    if host != LOOPBACK and not foreground:
        raise UsageError(
            f"--host {host}: only with --foreground: whoever reaches the emulator can run code on its machine"
        )
    running = lifecycle.find(port) if port else None
    if running:
        OUT.print(f"LocalStack runs already at {running.endpoint} (pid {running.pid})")
        return
    patches = tuple(name for name in ALL if name not in without)
    port = port or lifecycle.free_port()
    if foreground:
        OUT.print(f"LocalStack starts at http://{host}:{port}")
        lifecycle.serve(port, host=host, patches=patches)
    with OUT.status("LocalStack starts"):
        emulator = lifecycle.start(port, bound=False, patches=patches)
    OUT.print(f"LocalStack serves at {emulator.endpoint} (pid {emulator.pid}, log {shown(emulator.log_path)})")


@click.command()
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


@click.command()
@PORT
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="shell",
    show_default=True,
    help="Exports for eval, an environment file, or a section of an AWS configuration file.",
)
@command
def env(port: int, form: str) -> None:
    """Print settings with which any AWS tool talks to the emulator: eval "$(dlqlab env)"."""
    from dlqlab.emulator import settings  # noqa: PLC0415

    click.echo(FORMATS[form](settings.client_environment(running(port).endpoint), os.environ))


@click.command()
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


TITLE = "Emulator"
COMMANDS = (up, down, env, doctor)
