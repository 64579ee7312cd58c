"""What of a template the emulator will not run."""

import json
from pathlib import Path

import click
from rich.markup import escape

from dlqlab import __version__
from dlqlab.check.check import check as checked
from dlqlab.check.finding import Finding, Weight
from dlqlab.cli.console import OUT
from dlqlab.deploy.templates import project_of, templates_of
from dlqlab.errors import UsageError
from dlqlab.lint.sarif import Result, log
from dlqlab.wording import count

EXIT_REFUSED = 1
_SIGNS = {Weight.REFUSED: "[bold red]✗ refused[/]", Weight.DIFFERS: "[yellow]≠ differs[/]"}
_SEVERITIES = {Weight.REFUSED: "error", Weight.DIFFERS: "warning"}


def check(path: Path, *, strict: bool, as_json: bool, sarif: bool) -> int:
    if as_json and sarif:
        raise UsageError("--json and --sarif are two forms of the same: give one of them")
    templates, layers = templates_of(path), project_of(path).layers
    found = {template: checked(template, layers) for template in templates}
    every = [one for findings in found.values() for one in findings]
    if sarif:
        results = [_result(one) for one in every]
        click.echo(json.dumps(log(results, version=__version__, root=Path.cwd()), indent=2))
    elif as_json:
        told = [{"file": str(one.file), "findings": [each.to_json() for each in found[one]]} for one in templates]
        click.echo(json.dumps(told, indent=2))
    else:
        for template in templates:
            _print(str(template.file), len(template.resources), found[template])
    breaches = set(Weight) if strict else {Weight.REFUSED}
    return EXIT_REFUSED if any(one.weight in breaches for one in every) else 0


def _print(file: str, resources: int, findings: list[Finding]) -> None:
    counts = ", ".join(f"{sum(one.weight is weight for one in findings)} {weight}" for weight in Weight)
    OUT.print(f"[bold]{escape(file)}[/]: {count(resources, 'resource')}: {counts}", soft_wrap=True)
    for one in findings:
        place = f"{one.resource.line}: " if one.resource.line else ""
        OUT.print(f"{_SIGNS[one.weight]} {place}{escape(str(one))}", soft_wrap=True)


def _result(one: Finding) -> Result:
    return Result(
        rule=one.rule,
        severity=_SEVERITIES[one.weight],
        text=" ".join(filter(None, [f"{one.resource.logical_id} ({one.resource.type})", one.what])),
        why=f"{one.why}.",
        remedy=f"{one.remedy}.",
        file=one.resource.file,
        line=one.resource.line,
    )
