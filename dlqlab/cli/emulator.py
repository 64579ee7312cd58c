"""The commands about the emulator: up, down, env, doctor."""

import os

import click
from rich.markup import escape

from dlqlab.cli.console import OUT, command
from dlqlab.cli.ports import AUTO, PORT, Port, described, running, the_one
from dlqlab.cli.recording import recorded
from dlqlab.contracts.verdict import EXIT_USAGE
from dlqlab.deploy.environment import FORMATS
from dlqlab.emulator import lifecycle
from dlqlab.emulator.lifecycle import DEFAULT_PORT, LOOPBACK, Emulator
from dlqlab.errors import UsageError
from dlqlab.paths import shown


@click.command()
@click.option(
    "--port",
    type=Port(starts=True),
    default=None,
    help=f"Port to listen on, or auto for a free one; default: {DEFAULT_PORT}, if no emulator of this checkout runs.",
)
@click.option("--without-patch", "without", multiple=True, metavar="NAME", help="Leave a patch of LocalStack out.")
@recorded
@click.option("--foreground", is_flag=True, help="Stay in front and log to the terminal; Ctrl-C ends it.")
@click.option("--host", default=LOOPBACK, show_default=True, help="Address to listen on; for containers.")
@command
def up(port: int | None, without: tuple[str, ...], *, foreground: bool, host: str) -> None:
    """Start the emulator; returns once it serves. One that runs already is left as it is."""
    from dlqlab.emulator.patches import ALL, by_default  # noqa: PLC0415

    unknown = sorted(set(without) - set(ALL))
    if unknown:
        raise UsageError(f"--without-patch {unknown[0]}: there is no such patch, there are {', '.join(ALL)}")
    if host != LOOPBACK and not foreground:
        raise UsageError(
            f"--host {host}: only with --foreground: whoever reaches the emulator can run code on its machine"
        )
    patches = tuple(name for name in by_default() if name not in without)
    running = _already(port)
    if running:
        _say_running(running, patches, foreground=foreground)
        return
    port = lifecycle.free_port() if port == AUTO else port or DEFAULT_PORT
    if foreground:
        OUT.print(f"LocalStack starts at http://{host}:{port}")
        lifecycle.serve(port, host=host, patches=patches)
    with OUT.status("LocalStack starts"):
        emulator = lifecycle.start(port, bound=False, patches=patches)
    OUT.print(
        f"LocalStack serves at {emulator.endpoint} (pid {emulator.pid}, log {shown(emulator.log_path)})", soft_wrap=True
    )


def _already(port: int | None) -> Emulator | None:
    """The emulator that makes a start needless: on that port, or where none is given any that was started to stay."""
    if port == AUTO:
        return None
    if port is not None:
        return lifecycle.find(port)
    return next((found for found in lifecycle.find_all() if found.bound_to is None), None)


def _say_running(running: Emulator, patches: tuple[str, ...], *, foreground: bool) -> None:
    where = f"LocalStack runs already at {running.endpoint} ({described(running)})"
    if foreground or running.patches != patches:
        other = "in the background" if foreground else "with other patches"
        raise UsageError(f"{where}, {other}: dlqlab down --port {running.port} first, or give --port auto for another")
    OUT.print(f"{where}; for another one give --port auto", soft_wrap=True)


@click.command()
@PORT
@click.option("--all", "take_all", is_flag=True, help="Every emulator of this checkout, those of runs under way too.")
@command
def down(port: int | None, *, take_all: bool) -> None:
    """Stop the emulator and every function process."""
    if take_all and port is not None:
        raise UsageError("--port and --all are given: give one of them")
    found = lifecycle.find_all()
    if port is not None:
        found = [running(port)]
    elif len(found) > 1 and not take_all:
        the_one(found, "say which with --port, or --all")
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
def env(port: int | None, form: str) -> None:
    """Print settings with which any AWS tool talks to the emulator: eval "$(dlqlab env)".

    For SDKs, the AWS CLI, chalice, cdklocal, serverless with serverless-localstack, sam. Settings of the shell that
    lead elsewhere are unset, and this machine is exempted from its proxies. AWS CLI 1 takes no endpoint for "aws sqs"
    but by --endpoint-url: the shell gets a function aws that gives it; in scripts give it yourself.
    """
    from dlqlab.emulator import settings  # noqa: PLC0415

    click.echo(FORMATS[form](settings.client_environment(running(port).endpoint), os.environ))


@click.command()
@PORT
@command
def doctor(port: int | None) -> int:
    """Say what is missing or in the way, and the remedy. Exit code: 0 all is there, 3 something is missing.

    Marked ≠ is what hinders other tools in this shell, such as the AWS CLI, and not dlqlab.
    """
    from dlqlab.doctor import examine  # noqa: PLC0415

    findings = examine(port, os.environ)
    for finding in findings:
        sign = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]≠[/]"}[finding.ok]
        OUT.print(f"{sign} {finding.subject:<12} {escape(finding.text)}", soft_wrap=True)
        if not finding.ok:
            OUT.print(f"  {'':<12} [bold]remedy:[/] {escape(finding.remedy)}", soft_wrap=True)
    return EXIT_USAGE if any(finding.ok is False for finding in findings) else 0


TITLE = "Emulator"
COMMANDS = (up, down, env, doctor)
