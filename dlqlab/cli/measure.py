"""The commands about finished runs and runs to come: compare, plan, report."""

import json
import re
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from dlqlab.cli.console import OUT, command
from dlqlab.cli.targets import Where, targeted_to_change
from dlqlab.contracts.verdict import Verdict
from dlqlab.errors import UsageError
from dlqlab.paths import shown
from dlqlab.wording import number

_POINTS = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?:pp|%)")
NO_LIMIT = "none"


class Points(click.ParamType[float]):
    """Percentage points, ``1pp`` or ``0.5 pp``, as a ratio: 0.01, 0.005. A bare number would leave open which it is."""

    name = "points"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = _POINTS.fullmatch(value.strip())
        if not found:
            self.fail(f"{value!r}: give percentage points such as 1pp", param, ctx)
        return float(found["number"]) / 100


class Limit(click.ParamType[float]):
    """A limit in a unit (``pp``, ``s``, ``ms``), or ``none`` for no limit, which is infinity."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.name = f"{unit}|{NO_LIMIT}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*{self.unit}", value.strip())
        if value == NO_LIMIT:
            return float("inf")
        if not found:
            self.fail(f"{value!r}: give a number with its unit such as 2{self.unit}, or {NO_LIMIT}", param, ctx)
        return float(found[1]) / (100 if self.unit == "pp" else 1)


LIMITS: dict[str, tuple[str, str, str, str]] = {
    "dlq_share": ("--max-dlq", "pp", "2pp", "Share of tasks in the dead-letter queue."),
    "unanswered_share": ("--max-unanswered", "pp", "1pp", "Share of requests without an answer."),
    "failure_rate": ("--max-failures", "pp", NO_LIMIT, "Failure rate."),
    "retry_lateness_s_p50": ("--max-lateness", "s", "1s", "Median lateness of retries."),
    "retry_lateness_s_p95": ("--max-lateness-p95", "s", NO_LIMIT, "p95 of the lateness of retries."),
    "completion_s_p50": ("--max-completion", "s", NO_LIMIT, "Median time from sending to completion."),
    "completion_s_p95": ("--max-completion-p95", "s", NO_LIMIT, "p95 of the time from sending to completion."),
    "submission_ms_p50": ("--max-answer", "ms", NO_LIMIT, "Median time to the API's answer."),
    "submission_ms_p95": ("--max-answer-p95", "ms", NO_LIMIT, "p95 of the time to the API's answer."),
}
"""Measure -> option, unit, default, help. Rates and lateness are the policy's; times are the machine's as well."""

_FILE = click.Path(dir_okay=False, path_type=Path)
JUNIT = click.option("--junit", type=_FILE, metavar="FILE", help="Write the verdict as JUnit XML, for a CI server.")
MARKDOWN = click.option("--markdown", type=_FILE, metavar="FILE", help="Write it as Markdown, for a job summary.")


def _with_limits(function: Any) -> Any:
    for measure, (option, unit, default, text) in reversed(LIMITS.items()):
        function = click.option(
            option, measure, type=Limit(unit), metavar=f"N{unit}", default=default, show_default=True, help=text
        )(function)
    return function


@click.command()
@click.argument("first", metavar="FIRST")
@click.argument("second", metavar="SECOND")
@click.option("--html", type=_FILE, metavar="FILE", help="Write the comparison with its charts as one page.")
@JUNIT
@MARKDOWN
@_with_limits
@command
def compare(
    first: str, second: str, html: Path | None, junit: Path | None, markdown: Path | None, **limits: float
) -> int:
    """Compare two runs and judge whether SECOND is worse than FIRST by more than the limits; needs no emulator.

    FIRST and SECOND are names under runs/ or folders. Exit code: 0 no worse than the limits, 1 worse by more than a
    limit, 2 the data do not tell. The whole interval of a difference counts, not the difference alone. Each --max says
    how much more SECOND may have than FIRST; "none" judges no limit of that measure.
    """
    from dlqlab.report.comparison import compare_runs, print_comparison, render_comparison  # noqa: PLC0415
    from dlqlab.run.stored_runs import find_run  # noqa: PLC0415

    finite = {name: limit for name, limit in limits.items() if limit != float("inf")}
    if not finite:
        raise UsageError(f"every limit is {NO_LIMIT}: nothing would be judged, leave one")
    found = compare_runs(find_run(first), find_run(second), finite)
    print_comparison(found, OUT)
    write_summaries(found.verdict, junit, markdown)
    if html:
        with OUT.status("notebook and HTML"):
            page = render_comparison(found, html)
        OUT.print(f"page: {shown(page)}", soft_wrap=True)
    return found.verdict.exit_code


@click.command()
@click.option("--precision", type=Points(), default="1pp", show_default=True, help="Half the interval's width.")
@click.option(
    "--confidence", type=float, default=95, show_default=True, metavar="PERCENT", help="Level of the interval."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.argument("scenario", default="default")
@command
def plan(precision: float, confidence: float, scenario: str, *, as_json: bool) -> None:
    """How many tasks SCENARIO must send, and how long that takes, until its rates are known to a precision."""
    from dlqlab.analysis.plan import plan as make_plan  # noqa: PLC0415
    from dlqlab.contracts.scenarios import find  # noqa: PLC0415

    if not 50 <= confidence < 100:  # noqa: PLR2004 - per cent
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


@click.command()
@click.argument("run_dir", default="latest", metavar="[RUN]")
@click.option("--rejudge", is_flag=True, help="Judge the evidence anew before the report is made.")
@click.option("--no-page", is_flag=True, help="Only the verdict: no notebook, no HTML.")
@JUNIT
@MARKDOWN
@command
def report(run_dir: str, junit: Path | None, markdown: Path | None, *, rejudge: bool, no_page: bool) -> int:
    """Judge RUN (a name under runs/ or a folder; default: the newest) and make its report; needs no emulator."""
    from dlqlab.report.render import render  # noqa: PLC0415
    from dlqlab.report.terminal import print_verdict  # noqa: PLC0415
    from dlqlab.report.verdicts import verdict_of  # noqa: PLC0415
    from dlqlab.run.stored_runs import find_run  # noqa: PLC0415

    found = find_run(run_dir)
    verdict = verdict_of(found, anew=rejudge)
    write_summaries(verdict, junit, markdown)
    if not no_page:
        with OUT.status("notebook and HTML"):
            page = render(found)
    print_verdict(verdict, OUT)
    if not no_page:
        OUT.print(f"report: {shown(page)}", soft_wrap=True)
    return verdict.exit_code


@click.command()
@targeted_to_change
@click.option("--quick", is_flag=True, help="Only the probes that each run makes; without the mapping's, about 10 s.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@command
def preflight(where: Where, *, quick: bool, as_json: bool) -> None:
    """Find out by probes of the AWS API where the running target does not do as AWS does."""
    from dlqlab.cli.consent import Intent  # noqa: PLC0415
    from dlqlab.contracts.plain import to_plain  # noqa: PLC0415
    from dlqlab.fidelity.findings import run_probes  # noqa: PLC0415
    from dlqlab.fidelity.mapping import DEADLINE_S, mapping_probe  # noqa: PLC0415
    from dlqlab.report.terminal import print_line  # noqa: PLC0415
    from dlqlab.run.preflight import card_entry, probe_fidelity, probe_retries  # noqa: PLC0415

    target = where.confirmed(Intent(what="create queues, functions and metrics, probe them and remove them"))
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
    """The verdict as files for other programs, where asked for.

    Raises:
        UsageError: a file cannot be written.
    """
    from dlqlab.analysis.summary import to_junit, to_markdown  # noqa: PLC0415

    for path, text in ((junit, to_junit), (markdown, to_markdown)):
        if path is None:
            continue
        try:
            path.write_text(text(verdict), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


TITLE = "Judge"
COMMANDS = (report, compare, plan, preflight)
