"""Finished runs: report, compare."""

from pathlib import Path

import click
from rich.console import Console

from dlqlab.analysis.summary import to_junit, to_markdown
from dlqlab.cli.console import ERR, OUT
from dlqlab.cli.judge import NO_LIMIT
from dlqlab.contracts.verdict import Verdict
from dlqlab.errors import UsageError
from dlqlab.paths import shown
from dlqlab.report.comparison import compare_runs, print_comparison, render_comparison
from dlqlab.report.render import render
from dlqlab.report.terminal import print_verdict
from dlqlab.report.verdicts import verdict_of
from dlqlab.run.stored_runs import find_run

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
