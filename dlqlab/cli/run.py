"""The commands that send load: run, load; and the list of what can be run."""

from pathlib import Path

import click

from dlqlab import paths
from dlqlab.cli.declared import command
from dlqlab.cli.names import SCENARIO
from dlqlab.cli.quantities import Rate, Seconds
from dlqlab.cli.recording import pretending, recorded
from dlqlab.cli.targets import targeted_to_change, targeted_to_run

RUNS = click.option("--runs", type=click.Path(path_type=Path), default=paths.RUNS, help="Folder for run directories.")


@click.command(short_help="Run your pipeline, or SCENARIO, from start to verdict.")
@targeted_to_run
@click.option("--keep", is_flag=True, help="Leave the emulator running afterwards.")
@click.option("--seed", type=int, help="Another seed than the scenario's.")
@click.option("--tasks", type=click.IntRange(1, 10_000_000), help="At most this many tasks.")
@click.option(
    "--faults", type=click.Path(path_type=Path), help="Break the run by the [[faults]] of this file, from outside."
)
@recorded
@pretending
@RUNS
@click.option("--cells", type=click.IntRange(1, 64), default=1, help="Emulators side by side that share the tasks.")
@click.option(
    "--same-end",
    is_flag=True,
    help="Play the tasks twice for reference first, each time anew, and compare what is left at the end.",
)
@click.option("--no-page", is_flag=True, help="Only the verdict: no notebook, no HTML; dlqlab report makes them later.")
@click.argument("scenario", type=SCENARIO, required=False)
@command
def run() -> None:
    """Run a pipeline from start to verdict: start, deploy, load, drain, collect, judge, report.

    Without SCENARIO, in a folder with a dlqlab.toml or below it: the pipeline of that file, deployed by its own tool.
    Else the task system: SCENARIO is a name under scenarios/ or a TOML file (default: default); its run empties the
    stage's queues and tables before its load. With --target nothing is started or stopped.
    """


@click.command(short_help="Send SCENARIO's load to the deployed API.")
@targeted_to_change
@click.option("--ui", is_flag=True, help="With Locust's web UI, which stays until Ctrl-C.")
@click.option("--web-port", type=click.IntRange(1, 65535), default=8089, show_default=True, help="Port of the web UI.")
@click.option("--users", type=int, help="Concurrent clients.")
@click.option("--rate", type=Rate(), help="Tasks a second; 0 is as fast as the users can.")
@click.option("--duration", type=Seconds(), help="Of the load, such as 30s, 10m, 1h.")
@click.option("--tasks", type=int, help="At most this many tasks.")
@click.option("--payload-bytes", type=int, help="Size of each payload.")
@click.option("--seed", type=int, help="Seed of ids and payloads.")
@RUNS
@click.argument("scenario", type=SCENARIO, default="default")
@command
def load() -> None:
    """Send SCENARIO's load to the deployed API; options win over the scenario."""


@click.command(short_help="List the scenarios with one line each.")
@command
def scenarios() -> None:
    """List the scenarios with one line each."""


TITLE = "Run"
COMMANDS = (run, load, scenarios)
