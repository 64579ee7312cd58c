"""The commands about finished runs and runs to come: report, compare, plan, preflight."""

import re
from pathlib import Path
from typing import Any

import click

from dlqlab.cli.declared import command
from dlqlab.cli.names import RUN
from dlqlab.cli.plan import plan
from dlqlab.cli.preflight import preflight

NO_LIMIT = "none"


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
_FILE_OR_OUT = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
JUNIT = click.option(
    "--junit", type=_FILE_OR_OUT, metavar="FILE", help="Write the verdict as JUnit XML, for a CI server; - to stdout."
)
MARKDOWN = click.option(
    "--markdown", type=_FILE_OR_OUT, metavar="FILE", help="Write it as Markdown, for a job summary; - to stdout."
)


def _with_limits(function: Any) -> Any:
    for measure, (option, unit, default, text) in reversed(LIMITS.items()):
        function = click.option(
            option, measure, type=Limit(unit), metavar=f"N{unit}", default=default, show_default=True, help=text
        )(function)
    return function


@click.command(short_help="Judge whether SECOND is worse than FIRST.")
@click.argument("first", type=RUN, metavar="FIRST")
@click.argument("second", type=RUN, metavar="SECOND")
@click.option("--html", type=_FILE, metavar="FILE", help="Write the comparison with its charts as one page.")
@JUNIT
@MARKDOWN
@_with_limits
@command
def compare() -> None:
    """Compare two runs and judge whether SECOND is worse than FIRST by more than the limits; needs no emulator.

    FIRST and SECOND are names under runs/ or folders. Exit code: 0 no worse than the limits, 1 worse by more than a
    limit, 2 the data do not tell. The whole interval of a difference counts, not the difference alone. Each --max says
    how much more SECOND may have than FIRST; "none" judges no limit of that measure.
    """


@click.command(short_help="Judge RUN (default: the newest) and make its report.")
@click.argument("run_dir", type=RUN, default="latest", metavar="[RUN]")
@click.option("--rejudge", is_flag=True, help="Judge the evidence anew before the report is made.")
@click.option("--no-page", is_flag=True, help="Only the verdict: no notebook, no HTML.")
@JUNIT
@MARKDOWN
@command
def report() -> None:
    """Judge RUN (a name under runs/ or a folder; default: the newest) and make its report; needs no emulator."""


TITLE = "Judge"
COMMANDS = (report, compare, plan, preflight)
