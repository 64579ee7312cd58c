"""The command that makes a run directory of a load that was started by hand."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlqlab import paths
from dlqlab.cli.console import OUT, command
from dlqlab.cli.targets import Where, targeted
from dlqlab.errors import UsageError
from dlqlab.paths import shown

if TYPE_CHECKING:
    from dlqlab.contracts.rundir import RunDir


@click.command()
@targeted
@click.option("--since", metavar="TIME", help="All loads by hand from then on as one: 2026-01-31T10:00, or 10m ago.")
@click.option(
    "--ledger",
    "ledgers",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    metavar="DIR",
    help="One more ledger of the same load, such as that of a worker on another machine. May be repeated.",
)
@click.option("--scenario", metavar="NAME", help="Judge it, and wait for the drain, as this scenario says.")
@click.option("--runs", type=click.Path(path_type=Path), default=paths.RUNS, help="Folder of run directories.")
@click.argument("run_dir", required=False, metavar="[RUN]")
@command
def collect(
    where: Where, run_dir: str | None, since: str | None, ledgers: tuple[Path, ...], scenario: str | None, runs: Path
) -> None:
    """Collect everything about a load that was started by hand into its run directory.

    RUN is a folder under runs/ that holds a ledger (default: the newest that is not collected). Faults, retries and
    settings are read from what is deployed. What nobody measured while the load ran is null.
    """
    from dlqlab.contracts.scenarios import find  # noqa: PLC0415
    from dlqlab.run.collect_by_hand import HandCollector, new_run  # noqa: PLC0415
    from dlqlab.run.ledgers import moment, put_together, started_ts, uncollected  # noqa: PLC0415

    if run_dir and since:
        raise UsageError("RUN and --since are given: name one load, or a time")
    judged_as = find(scenario) if scenario else None
    target = where.resolve()
    if since:
        since_ts = moment(since)
        found = [run for run in uncollected(runs) if started_ts(run.ledger_parts) >= since_ts]
        run = found[0] if len(found) == 1 else new_run(runs.resolve())
        ledgers = (*(one.ledger_parts for one in found if one is not run), *ledgers)
    elif run_dir:
        run = _named(run_dir, runs)
    else:
        run = next(reversed(uncollected(runs)), None) or new_run(runs.resolve())
    if not (ledgers or run.ledger_parts.is_dir()):
        raise UsageError(
            f"no load to collect: {shown(runs)} holds no ledger that is not collected; see docs/by-hand.md"
        )
    put_together(run, ledgers)
    manifest = HandCollector(run, target, OUT, judged_as).collect()
    for text in manifest.not_measured.values():
        OUT.print(f"not known: {text}", soft_wrap=True)
    OUT.print(f"run: {shown(run.path)}; next: dlqlab report {shown(run.path)}", soft_wrap=True)


def _named(name: str, runs: Path) -> "RunDir":
    from dlqlab.contracts.rundir import RunDir  # noqa: PLC0415

    for path in (runs / name, Path(name)):
        if (path / "ledger").is_dir():
            return RunDir(path.resolve())
    raise UsageError(f"no load {name!r}: give a name under {shown(runs)}/ or a folder that holds a ledger/")


TITLE = "By hand"
COMMANDS = (collect,)
