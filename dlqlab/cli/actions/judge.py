"""Finished runs and runs to come: report, compare, plan, preflight."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from dlqlab.analysis.plan import plan as make_plan
from dlqlab.analysis.summary import to_junit, to_markdown
from dlqlab.cli.actions.targets import confirmed
from dlqlab.cli.consent import Intent
from dlqlab.cli.console import ERR, OUT
from dlqlab.cli.judge import NO_LIMIT
from dlqlab.cli.targets import Where
from dlqlab.contracts.plain import to_plain
from dlqlab.contracts.scenarios import find
from dlqlab.contracts.verdict import Verdict
from dlqlab.errors import UsageError
from dlqlab.fidelity.findings import run_probes
from dlqlab.fidelity.mapping import DEADLINE_S, mapping_probe
from dlqlab.paths import shown
from dlqlab.report.comparison import compare_runs, print_comparison, render_comparison
from dlqlab.report.render import render
from dlqlab.report.terminal import print_line, print_verdict
from dlqlab.report.verdicts import verdict_of
from dlqlab.run.preflight import card_entry, probe_fidelity, probe_retries
from dlqlab.run.stored_runs import find_run
from dlqlab.wording import number

STDOUT = Path("-")


def compare(
    first: str, second: str, html: Path | None, junit: Path | None, markdown: Path | None, **limits: float
) -> int:
    out = beside(junit, markdown)
    finite = {name: limit for name, limit in limits.items() if limit != float("inf")}
    if not finite:
        raise UsageError(f"every limit is {NO_LIMIT}: nothing would be judged, leave one")
    found = compare_runs(find_run(first), find_run(second), finite)
    print_comparison(found, out)
    write_summaries(found.verdict, junit, markdown)
    if html:
        with out.status("notebook and HTML"):
            page = render_comparison(found, html)
        out.print(f"page: {shown(page)}", soft_wrap=True)
    return found.verdict.exit_code


def plan(precision: float, confidence: float, scenario: str, *, as_json: bool) -> None:
    if not 50 <= confidence < 100:  # noqa: PLR2004  (per cent)
        raise UsageError(f"--confidence {confidence:g}: give 50 to below 100 per cent")
    chosen = find(scenario)
    try:
        found = make_plan(chosen, precision=precision, confidence=confidence / 100)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
        return
    OUT.print(f"{escape(chosen.name)}: to know a rate to ± {precision * 100:g} pp at {confidence:g} %")
    for need in found.needs:
        trials = f"{need.trials:,} {need.trial}s" + (f" = {need.tasks:,} tasks" if need.trial != "task" else "")
        now = f"{chosen.load.tasks:,} tasks give ± {number(need.half_width_now * 100, 2)} pp"
        OUT.print(f"  {need.name} of {number(need.rate * 100)} %: {trials} ({now})", soft_wrap=True)
    if found.load_s is None:
        OUT.print("  the scenario names no rate: how long that takes is the machine's")
        return
    rate = f"{number(chosen.load.rate_per_s)} tasks/s"
    OUT.print(
        f"  {found.tasks:,} tasks at {rate}: {found.load_s:,.0f} s of load, {found.wait_s} s for the last retries"
    )
    needed = f"--tasks {found.tasks} --duration {found.load_s * 1.1 + 1:.0f}"
    OUT.print(f"  in the scenario's \\[load]: tasks = {found.tasks}, duration_s = {found.load_s * 1.1 + 1:.0f} "
              f"(dlqlab load: {needed})", soft_wrap=True)  # fmt: skip


def report(run_dir: str, junit: Path | None, markdown: Path | None, *, rejudge: bool, no_page: bool) -> int:
    out = beside(junit, markdown)
    found = find_run(run_dir)
    verdict = verdict_of(found, anew=rejudge)
    write_summaries(verdict, junit, markdown)
    if not no_page:
        with out.status("notebook and HTML"):
            page = render(found)
    print_verdict(verdict, out)
    if not no_page:
        out.print(f"report: {shown(page)}", soft_wrap=True)
    return verdict.exit_code


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


def write_summaries(verdict: Verdict, junit: Path | None, markdown: Path | None) -> None:
    """The verdict for other programs, as files or on standard output, where asked for.

    Raises:
        UsageError: a file cannot be written.
    """
    for path, text in ((junit, to_junit), (markdown, to_markdown)):
        if path == STDOUT:
            click.echo(text(verdict), nl=False)
        elif path is not None:
            try:
                path.write_text(text(verdict), encoding="utf-8")
            except OSError as error:
                raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def beside(junit: Path | None, markdown: Path | None) -> Console:
    """Where people read on: standard error where standard output is for a program.

    Raises:
        UsageError: both summaries are wanted on standard output.
    """
    if junit == markdown == STDOUT:
        raise UsageError("--junit - and --markdown - are given: give a file for one of them")
    return ERR if STDOUT in {junit, markdown} else OUT
