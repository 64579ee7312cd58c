"""What a target does as AWS, and what not."""

import json

import click
from rich.markup import escape

from dlqlab.cli.actions.targets import confirmed
from dlqlab.cli.consent import Intent
from dlqlab.cli.console import OUT
from dlqlab.cli.targets import Where
from dlqlab.contracts.plain import to_plain
from dlqlab.fidelity.findings import run_probes
from dlqlab.fidelity.mapping import DEADLINE_S, mapping_probe
from dlqlab.report.terminal import print_line
from dlqlab.run.preflight import card_entry, probe_fidelity, probe_retries


def preflight(where: Where, *, quick: bool, as_json: bool) -> None:
    target = confirmed(where, Intent(what="create queues, functions and metrics, probe them and remove them"))
    with OUT.status("probes"):
        entries = probe_fidelity(target, probe_retries(target))
        if not quick:
            found = run_probes(target.client, [mapping_probe()], deadline_s=DEADLINE_S)
            entries += [card_entry(finding) for finding in found]
    if as_json:
        click.echo(json.dumps(to_plain(entries), indent=2))
        return
    for entry in entries:
        sign = {True: "[green]✓[/]", False: "[yellow]≠[/]", None: "?"}[entry.ok]
        print_line(OUT, sign, entry.name, escape(entry.statement), width=max(len(one.name) for one in entries))
