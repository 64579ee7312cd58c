"""Starting, stopping and examining the emulator: up, down, env, doctor, pins, card."""

import json
import os

import click
from rich.markup import escape

from dlqlab.cli.actions.emulators import described, running, the_one
from dlqlab.cli.console import OUT
from dlqlab.contracts.verdict import EXIT_USAGE
from dlqlab.deploy.environment import FORMATS
from dlqlab.doctor import examine
from dlqlab.emulator import pins as table
from dlqlab.emulator import settings
from dlqlab.emulator.core.loopback import ANY_PORT, LOOPBACK
from dlqlab.emulator.host import fidelity_card, lifecycle
from dlqlab.emulator.host.lifecycle import DEFAULT_PORT, Emulator
from dlqlab.emulator.patches import ALL, by_default
from dlqlab.errors import UsageError
from dlqlab.paths import shown


def up(port: int | None, without: tuple[str, ...], *, foreground: bool, host: str) -> None:
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
    port = DEFAULT_PORT if port is None else port
    if foreground:
        lifecycle.serve(port, host=host, patches=patches, starting=lambda at: OUT.print(f"LocalStack starts at {at}"))
    with OUT.status("LocalStack starts"):
        emulator = lifecycle.start(port, bound=False, patches=patches)
    OUT.print(
        f"LocalStack serves at {emulator.endpoint} (pid {emulator.pid}, log {shown(emulator.log_path)})", soft_wrap=True
    )


def _already(port: int | None) -> Emulator | None:
    """The emulator that makes a start needless: on that port, or where none is given any that was started to stay."""
    if port == ANY_PORT:
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


def down(port: int | None, *, take_all: bool) -> None:
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
        OUT.print("no emulator of this project runs")


def env(port: int | None, form: str) -> None:
    click.echo(FORMATS[form](settings.client_environment(running(port).endpoint), os.environ))


def doctor(port: int | None) -> int:
    findings = examine(port, os.environ)
    for finding in findings:
        sign = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]≠[/]"}[finding.ok]
        OUT.print(f"{sign} {finding.subject:<12} {escape(finding.text)}", soft_wrap=True)
        if not finding.ok:
            OUT.print(f"  {'':<12} [bold]remedy:[/] {escape(finding.remedy)}", soft_wrap=True)
    return EXIT_USAGE if any(finding.ok is False for finding in findings) else 0


def pins(*, write: bool) -> int:
    differences = table.differences()
    wanted, installed = table.localstack_version(), table.installed_version()
    if wanted != installed:
        OUT.print(f"LocalStack is {installed}, fingerprints are of {wanted}", soft_wrap=True)
    for difference in differences:
        OUT.print(f"{escape(str(difference))}: read again {', '.join(difference.pin.used_by)}", soft_wrap=True)
    if not differences and wanted == installed:
        OUT.print(f"LocalStack {installed}: all {len(table.table().pins)} pins are as they were", soft_wrap=True)
        return 0
    if write:
        table.write()
        OUT.print(f"written: {shown(table.TABLE)}", soft_wrap=True)
        return int(any(difference.found is None for difference in differences))
    return 1


def card(port: int | None, *, as_json: bool) -> None:
    found = lifecycle.find_all() if port is None else [running(port)]
    if len(found) > 1:
        the_one(found, "say which with --port")
    entries = fidelity_card.card(found[0]) if found else fidelity_card.statements()
    if as_json:
        click.echo(json.dumps(entries, indent=2, ensure_ascii=False))
        return
    for entry in entries:
        sign = "[green]✓[/]" if entry["ok"] else "[yellow]≠[/]"
        OUT.print(f"{sign} [bold]{escape(str(entry['name']))}[/]: {escape(str(entry['statement']))}", soft_wrap=True)
