"""Holding settings against the rules of AWS and of retries."""

import json

import click
from rich.markup import escape

from dlqlab.cli.actions.targets import resolve
from dlqlab.cli.console import OUT
from dlqlab.cli.targets import Where
from dlqlab.contracts.scenarios import find
from dlqlab.errors import UsageError
from dlqlab.lint.rule import Finding, LintResult, Severity
from dlqlab.lint.rule import lint as apply
from dlqlab.lint.rules import RULES
from dlqlab.lint.settings import of_scenario
from dlqlab.lint.stack import of_stack
from dlqlab.specimens import task_system

EXIT_BREACH = 1
_SIGNS = {"error": "[bold red]✗ error[/]", "warning": "[yellow]≠ warning[/]", "info": "[dim]i info[/]"}


def lint(where: Where, scenario: str | None, *, stack: bool, strict: bool, brief: bool, as_json: bool) -> int:
    if not stack and (where.port is not None or where.target or where.stage or where.specimen):
        raise UsageError("--port, --target, --stage and --specimen are about a stack: give --stack, too")
    subjects = [] if stack and scenario is None else [of_scenario(find(scenario or "default"), task_system("local"))]
    if stack:
        target = resolve(where)
        subject = f"stack {target.stage} at {target.endpoint or target.label}"
        subjects += of_stack(target.client, target.topology, subject=subject)
    results = [apply(subject, RULES) for subject in subjects]
    if as_json:
        click.echo(json.dumps([result.to_json() for result in results], indent=2))
    else:
        for result in results:
            _print(result, brief=brief)
    breaches = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return EXIT_BREACH if any(result.count(severity) for result in results for severity in breaches) else 0


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
