"""The command that makes a run directory of a load that was started by hand."""

from pathlib import Path

import click

from dlqlab import paths
from dlqlab.cli.declared import command
from dlqlab.cli.names import SCENARIO
from dlqlab.cli.targets import of_any_pipeline, targeted


@click.command(short_help="Make a run of a load that was started by hand.")
@targeted
@of_any_pipeline
@click.option("--since", metavar="TIME", help="All loads by hand from then on as one: 2026-01-31T10:00, or 10m ago.")
@click.option(
    "--ledger",
    "ledgers",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    metavar="DIR",
    help="One more ledger of the same load, such as that of a worker on another machine. May be repeated.",
)
@click.option(
    "--scenario", type=SCENARIO, metavar="NAME", help="Judge it, and wait for the drain, as this scenario says."
)
@click.option("--runs", type=click.Path(path_type=Path), default=paths.RUNS, help="Folder of run directories.")
@click.argument("run_dir", required=False, metavar="[RUN]")
@command
def collect() -> None:
    """Collect everything about a load that was started by hand into its run directory.

    RUN is a folder under runs/ that holds a ledger (default: the newest that is not collected). Faults, retries and
    settings are read from what is deployed. What nobody measured while the load ran is null.

    Of a pipeline that takes no scenario: its queues, logs and metrics, --since (default: 10m ago) until its queues are
    at rest; whoever sent its messages.
    """


TITLE = "By hand"
COMMANDS = (collect,)
