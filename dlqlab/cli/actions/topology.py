"""What messages go through, and what is odd about it."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.markup import escape

from dlqlab.cli.actions.lint import print_finding
from dlqlab.cli.actions.targets import resolve
from dlqlab.cli.console import ERR, OUT
from dlqlab.cli.targets import Where
from dlqlab.contracts.project import FILE
from dlqlab.contracts.topology import Topology
from dlqlab.deploy.adopting import project_text, recognised
from dlqlab.deploy.survey.survey import survey
from dlqlab.deploy.target import Target, emulator_target
from dlqlab.emulator.host import lifecycle
from dlqlab.errors import UsageError
from dlqlab.lint.rule import LintResult, Severity, lint, lint_topology
from dlqlab.lint.rules import RULES, TOPOLOGY_RULES
from dlqlab.lint.stack import of_stack
from dlqlab.report.topology.picture import svg as drawn
from dlqlab.report.topology.text import lines
from dlqlab.run.own_entries import ways_in
from dlqlab.wording import count


def adopt(folder: Path, *, port: int | None, force: bool) -> None:
    path = folder / FILE
    if path.exists() and not force:
        raise UsageError(f"{path} is there already: edit it, or give --force to write it anew")
    found = recognised(folder)
    running = lifecycle.find_all() if port is None else [one for one in (lifecycle.find(port),) if one]
    deployed = []
    if running:
        target = emulator_target(running[0])
        deployed = ways_in(survey(target.client, name=folder.name).topology)
    path.write_text(project_text(folder, found, deployed), encoding="utf-8")
    tool, place = found[0] if found else (None, folder)
    where = "" if place == folder else f" in {place.relative_to(folder)}"
    OUT.print(
        f"{path}: {f'deployed by {tool}{where}' if tool else 'nothing that deploys it was recognised'}", soft_wrap=True
    )
    questions = [line for line in path.read_text(encoding="utf-8").splitlines() if "QUESTION" in line]
    for line in questions:
        OUT.print(f"  [yellow]?[/] {escape(line.partition('QUESTION: ')[2])}", soft_wrap=True)
    OUT.print("next: dlqlab run" if not questions else "answer them in the file; next: dlqlab run", soft_wrap=True)


def map_(where: Where, *, as_json: bool, svg: Path | None) -> None:
    target = resolve(where)
    subject = target.endpoint or target.label
    found = survey(target.client, name=subject)
    results = findings(target, found.topology, subject)
    if svg is not None:
        svg.write_text(drawn(found.topology), encoding="utf-8")
    if as_json:
        told = {"topology": found.topology.to_json(), "notes": found.notes}
        click.echo(json.dumps(told | {"lint": [one.to_json() for one in results]}, indent=2))
        return
    for line in lines(found.topology) or ["no queue and no function is deployed"]:
        OUT.print(escape(line), soft_wrap=True)
    for note in found.notes:
        ERR.print(f"[yellow]![/] {escape(note)}", soft_wrap=True)
    _print_findings(results)
    if svg is not None:
        OUT.print(f"\ndrawn: {svg}", soft_wrap=True)


def _print_findings(results: Sequence[LintResult]) -> None:
    """What is wrong or doubtful, each once; what is merely worth knowing is counted."""
    found = list(dict.fromkeys(finding for one in results for finding in one.findings))
    shown = [finding for finding in found if finding.rule.severity is not Severity.INFO]
    if shown:
        OUT.print()
    for finding in shown:
        print_finding(finding, brief=False)
    others = len(found) - len(shown)
    if others:
        OUT.print(f"\n{count(others, 'remark')} more: dlqlab map --json", soft_wrap=True)


def findings(target: Target, topology: Topology, subject: str) -> list[LintResult]:
    """What the rules say about the pipeline as a whole, then about each queue with a consumer."""
    whole = lint_topology(topology, TOPOLOGY_RULES, subject=subject)
    return [whole, *(lint(one, RULES) for one in of_stack(target.client, topology, subject=subject))]
