"""The command that puts a pipeline under a matrix of faults from outside."""

from pathlib import Path

import click

from dlqlab import paths
from dlqlab.cli.declared import command
from dlqlab.cli.ports import Port
from dlqlab.cli.recording import pretending, recorded

_FILE = click.Path(path_type=Path)


@click.command(short_help="See what your pipeline survives.")
@click.option(
    "--port",
    type=Port(starts=True),
    help="Run on the emulator of this port, started where none runs, or auto for a free one; default: as dlqlab run.",
)
@click.option("--only", metavar="ROW", multiple=True, help="Only this row, * for any characters; again for more.")
@click.option("--quick", is_flag=True, help="Only the rows that reveal most, with 60 tasks each.")
@click.option("--tasks", type=click.IntRange(1, 100_000), help="Tasks of each row; default: 200, with --quick 60.")
@click.option(
    "--emulators",
    type=click.IntRange(1, 16),
    default=1,
    help="Run rows on so many emulators side by side, each with a deployment of its own; default: one.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Of keys and draws; default: the project's.")
@click.option("--faults", type=_FILE, help="In place of the matrix one row: the [[faults]] of this file.")
@click.option("--shrink", is_flag=True, help="Make each broken row as small as it still shows.")
@click.option("--pytest", "pytest_file", type=_FILE, help="With --shrink: write the first of them as a test.")
@click.option("--against", type=_FILE, help="Folder of the matrix to compare with; default: the last one.")
@click.option("--junit", type=_FILE, help="Write the rows as JUnit XML.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--runs", type=_FILE, default=paths.RUNS, help="Folder for run directories.")
@recorded
@pretending
@command
def torture() -> None:
    """Break the pipeline of dlqlab.toml in some twenty ways, one after another, on one warm emulator, without a change
    to its code; judge each way: survived, degraded (late, done again) or broken (lost, doubled, buried wrongly, stuck).

    Exit codes: 0 nothing broke, 1 something did, 2 a row proves nothing, 3 wrong usage, 4 the run broke.
    """


TITLE = "What it survives"
COMMANDS = (torture,)
