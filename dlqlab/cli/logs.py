"""The command that asks log lines, of a run or of what runs now."""

import click

from dlqlab.cli.declared import command
from dlqlab.cli.targets import targeted


@click.command(short_help="Ask log lines in the language of Logs Insights.")
@targeted
@click.argument("run_and_query", nargs=-1, required=True, metavar="[RUN] QUERY")
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="NAME",
    help="A log group, or NAME* for all that begin so. May be repeated.",
)
@click.option("--since", metavar="TIME", help="Lines from then on: 2026-01-31T10:00, or 10m ago; live: 1h.")
@click.option("--limit", type=click.IntRange(1, 10_000), help="Rows at most.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON, one a line.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows as CSV.")
@command
def logs() -> None:
    """Ask log lines in the language of CloudWatch Logs Insights: 'filter @message like /id/ | sort @timestamp asc'.

    RUN is a name under runs/ or a folder; needs no emulator. RUN alone shows its last 20 lines. Without it the running
    emulator is asked, or --target: the log groups of the pipeline's functions, or of all functions. The rows go to
    standard output, how many lines were looked at to standard error.
    """


TITLE = "Logs"
COMMANDS = (logs,)
