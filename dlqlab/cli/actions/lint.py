"""Holding settings against the rules of AWS and of retries."""

import json
from pathlib import Path

import click
from rich.markup import escape

from dlqlab import __version__
from dlqlab.cli.actions.lint_templates import Linted, of_templates, sarif_results
from dlqlab.cli.actions.targets import resolve
from dlqlab.cli.console import ERR, OUT
from dlqlab.cli.targets import Where
from dlqlab.contracts.lookup import template_path
from dlqlab.contracts.scenarios import find
from dlqlab.errors import UsageError
from dlqlab.lint.rule import Finding, LintResult, Severity
from dlqlab.lint.rule import lint as apply
from dlqlab.lint.rules import RULES
from dlqlab.lint.sarif import log
from dlqlab.lint.settings import of_scenario
from dlqlab.lint.stack import of_stack
from dlqlab.specimens import task_system

EXIT_BREACH = 1
_SIGNS = {"error": "[bold red]✗ error[/]", "warning": "[yellow]≠ warning[/]", "info": "[dim]i info[/]"}


def lint(
    where: Where, subject: str | None, *, stack: bool, strict: bool, brief: bool, as_json: bool, sarif: bool
) -> int:
    if not stack and (where.port is not None or where.target or where.stage or where.specimen):
        raise UsageError("--port, --target, --stage and --specimen are about a stack: give --stack, too")
    if as_json and sarif:
        raise UsageError("--json and --sarif are two forms of the same: give one of them")
    path = template_path(subject) if subject else None
    linted = of_templates(path) if path else [] if stack and subject is None else _of_scenario(subject or "default")
    if stack:
        linted += _of_stack(where)
    results = [one.result for one in linted]
    if sarif:
        click.echo(json.dumps(log(sarif_results(linted), version=__version__, root=Path.cwd()), indent=2))
    elif as_json:
        click.echo(json.dumps([result.to_json() for result in results], indent=2))
    else:
        for result in results:
            _print(result, brief=brief)
    for note in [note for one in linted for note in one.notes]:
        ERR.print(f"[yellow]![/] {escape(note)}", soft_wrap=True)
    breaches = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return EXIT_BREACH if any(result.count(severity) for result in results for severity in breaches) else 0


def _of_scenario(name: str) -> list[Linted]:
    return [Linted(result=apply(of_scenario(find(name), task_system("local")), RULES))]


def _of_stack(where: Where) -> list[Linted]:
    target = resolve(where)
    subject = f"stack {target.stage} at {target.endpoint or target.label}"
    return [Linted(result=apply(one, RULES)) for one in of_stack(target.client, target.topology, subject=subject)]


def _print(result: LintResult, *, brief: bool) -> None:
    counts = ", ".join(f"{result.count(severity)} {severity}" for severity in Severity)
    OUT.print(f"[bold]{escape(result.subject)}[/]: {result.checked} rules checked: {counts}", soft_wrap=True)
    for finding in result.findings:
        print_finding(finding, brief=brief)
    if result.unchecked:
        OUT.print(f"  [dim]not checked, nothing is said about them: {', '.join(result.unchecked)}[/]", soft_wrap=True)


def print_finding(finding: Finding, *, brief: bool) -> None:
    rule = finding.rule
    OUT.print(f"{_SIGNS[rule.severity]} [bold]{rule.id}[/]: {escape(finding.statement)}", soft_wrap=True)
    if brief:
        return
    for name, text in (("why", rule.why), ("remedy", rule.remedy), ("source", rule.source)):
        OUT.print(f"    {name}: {escape(text)}", soft_wrap=True)
