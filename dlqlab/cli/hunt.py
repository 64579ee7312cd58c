"""The command that looks for what breaks a pipeline."""

from pathlib import Path

import click

from dlqlab import paths
from dlqlab.cli.declared import command
from dlqlab.cli.ports import Port
from dlqlab.cli.quantities import Seconds
from dlqlab.cli.recording import pretending, recorded

_FILE = click.Path(path_type=Path)


@click.command(short_help="Draw faults until your pipeline breaks.")
@click.option(
    "--port",
    type=Port(starts=True),
    help="Run on the emulator of this port, started where none runs, or auto for a free one; default: as dlqlab run.",
)
@click.option("--budget", type=Seconds(), default="10m", show_default=True, help="How long plays may be begun.")
@click.option("--tasks", type=click.IntRange(1, 100_000), default=60, show_default=True, help="Tasks of each play.")
@click.option("--seed", type=click.IntRange(min=0), help="Of draws and keys; default: the project's.")
@click.option("--pytest", "pytest_file", type=_FILE, help="Write the smallest case as a test.")
@click.option("--runs", type=_FILE, default=paths.RUNS, help="Folder for run directories.")
@recorded
@pretending
@command
def hunt() -> None:
    """Draw faults from outside, their rates and receives, and the pace of the load, and play the pipeline of
    dlqlab.toml under them on one warm emulator, until something is lost, doubled, buried wrongly or stuck that is not
    so without faults; then make that case as small as it still shows. What the simulated twin foresees the worst of
    comes first. The same seed draws the same plays.

    Exit codes: 0 nothing broke, which is no proof, 1 something did, 2 no play proves anything, 3 wrong usage, 4 the run
    broke.
    """


TITLE = "What breaks it"
COMMANDS = (hunt,)
