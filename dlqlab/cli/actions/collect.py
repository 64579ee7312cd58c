"""Making a run directory of a load that was started by hand."""

from pathlib import Path

from dlqlab.cli.actions.targets import resolve
from dlqlab.cli.console import OUT
from dlqlab.cli.targets import Where
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenarios import find
from dlqlab.deploy.target import Target
from dlqlab.errors import UsageError
from dlqlab.paths import shown
from dlqlab.run.collect_any import AnyCollector
from dlqlab.run.collect_by_hand import HandCollector, new_run
from dlqlab.run.ledgers import moment, put_together, started_ts, uncollected


def collect(
    where: Where, run_dir: str | None, since: str | None, ledgers: tuple[Path, ...], scenario: str | None, runs: Path
) -> None:
    if run_dir and since:
        raise UsageError("RUN and --since are given: name one load, or a time")
    target = resolve(where)
    if not target.topology.deploy.scenario:
        if run_dir or ledgers or scenario:
            raise UsageError(f"{target.topology.name} takes no scenario: leave out RUN, --ledger and --scenario")
        _collect_any(target, moment(since or "10m"), runs)
        return
    judged_as = find(scenario) if scenario else None
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


def _collect_any(target: Target, since_ts: float, runs: Path) -> None:
    collector = AnyCollector(target=target, console=OUT, since_ts=since_ts, runs_root=runs.resolve())
    run, manifest = collector.collect()
    for text in manifest.not_measured.values():
        OUT.print(f"not known: {text}", soft_wrap=True)
    for text in run.read_differences():
        OUT.print(f"not as declared: {text}", soft_wrap=True)
    OUT.print(f"run: {shown(run.path)}; next: dlqlab report {shown(run.path)}", soft_wrap=True)


def _named(name: str, runs: Path) -> RunDir:
    for path in (runs / name, Path(name)):
        if (path / "ledger").is_dir():
            return RunDir(path.resolve())
    raise UsageError(f"no load {name!r}: give a name under {shown(runs)}/ or a folder that holds a ledger/")
