"""Asking the simulated twin: what-if and tune."""

import json
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from dlqlab import paths
from dlqlab.cli.actions import forecasting
from dlqlab.cli.actions.tables import print_wide
from dlqlab.cli.actions.world import performing, with_asked_load, world_asked
from dlqlab.cli.console import OUT
from dlqlab.cli.tune import WITH
from dlqlab.cli.world_options import WorldOptions
from dlqlab.contracts.scenarios import find
from dlqlab.errors import UsageError
from dlqlab.paths import shown
from dlqlab.tune.jobs import World
from dlqlab.tune.measures import MEASURES, OBJECTIVES
from dlqlab.tune.store import folder_for, save
from dlqlab.tune.sweep import Question, Sweep, run_sweep
from dlqlab.tune.variations import SECTIONS, linted, parse_variation, with_values
from dlqlab.tune.whatif import Forecast, amount, answer
from dlqlab.tune.whatif import shown as as_shown
from dlqlab.wording import number

DEFAULT = "default"
SEEDS = 5
EXIT_NO_CHOICE = 1
ROWS_SHOWN = 12


def what_if(
    scenario: str | None,
    run: str | None,
    options: WorldOptions,
    seeds: int | None,
    *,
    as_json: bool,
    **changes: Any,
) -> int:
    seeds = (SEEDS if run is None else forecasting.SEEDS) if seeds is None else seeds
    if run is not None:
        return forecasting.what_if(run, scenario, options, seeds, as_json=as_json, changes=changes)
    given = {name: _whole(name, value) for name, value in forecasting.unnamed(changes).items()}
    chosen, world = (
        with_asked_load(options, with_values(find(scenario or DEFAULT), given, source="the command line")),
        world_asked(options),
    )
    with performing(options, max(1, seeds)) as perform:
        found = answer(chosen, world, perform, seeds=seeds)
    if as_json:
        click.echo(json.dumps(found.to_json(world), indent=2))
    else:
        _print_answer(found, world)
    return 0


def tune(
    scenario: str,
    options: WorldOptions,
    variations: tuple[str, ...],
    seeds: int,
    success_within: float,
    max_p95: float | None,
    growth: str,
    out: Path | None,
    *,
    as_json: bool,
) -> int:
    if not variations:
        raise UsageError("nothing to vary: give --vary, such as --vary base_s=1,2,5 --vary jitter=none,full")
    question = Question(
        scenario=with_asked_load(options, find(scenario)),
        variations=tuple(parse_variation(text) for text in variations),
        world=world_asked(options),
        seeds=seeds,
        success_within=success_within,
        max_p95_s=max_p95,
        growth=_factors(growth),
    )
    folder = folder_for(out, paths.SWEEPS)
    with performing(options, question.jobs) as perform:
        found = run_sweep(question, perform)
    save(found, folder, paths.SWEEPS)
    _print_sweep(found, folder, as_json=as_json)
    return 0 if found.choice else EXIT_NO_CHOICE


def _whole(name: str, value: Any) -> Any:
    """Durations come as fractions; what SQS and Lambda take in whole seconds must be whole."""
    if SECTIONS[name][1] is int and isinstance(value, float):
        if not value.is_integer():
            raise UsageError(f"{WITH[name][0]} {value:g} s: give whole seconds")
        return int(value)
    return value


def _factors(text: str) -> tuple[float, ...]:
    if text == "none":
        return ()
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--growth {text!r}: give multiples such as 0.5,1,2,4, or none") from error


def _print_answer(found: Forecast, world: World) -> None:
    load, n = found.scenario.load, len(found.seeds)
    where = world.parameters.name + (f", durations of run {world.calibrated_from}" if world.calibrated_from else "")
    table = Table(
        title=f"{found.scenario.name} on {where}: {number(load.rate_per_s)} tasks/s for {number(load.duration_s)} s"
    )
    table.add_column("")
    table.add_column("mean", justify="right")
    table.add_column(f"95 % interval, n = {n}", justify="right")
    for name, mean in found.measures.items():
        table.add_row(MEASURES[name].title, *as_shown(mean, MEASURES[name].unit))
    for service, mean in found.costs.items():
        table.add_row(f"  {service}", *as_shown(mean, "USD"), style="dim")
    print_wide(table)
    for finding in linted(found.scenario):
        said = f"[yellow]lint {finding.rule.severity}[/] [bold]{finding.rule.id}[/]: {escape(finding.statement)}"
        OUT.print(said, soft_wrap=True)
    OUT.print(f"Simulated; prices of {world.prices.noted}, without the free tier: check them. How it is reckoned: "
              "docs/capacity-planning.md", soft_wrap=True)  # fmt: skip


def _print_sweep(found: Sweep, folder: Path, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found.to_json() | {"folder": str(folder)}, indent=2))
        return
    _print_front(found)
    for refusal in found.refusals:
        OUT.print(f"[yellow]refused[/] {escape(refusal.label)}: {escape(refusal.reason)}", soft_wrap=True)
    _print_choice(found)
    OUT.print(f"results: {shown(folder)}; look with {_notebook()}", soft_wrap=True)


def _notebook() -> str:
    """Where the notebook is that shows a sweep; nobody should save into the installed package."""
    found = paths.NOTEBOOKS / "capacity_planning.ipynb"
    if paths.is_read_only(found):
        return f"notebooks/{found.name}, which dlqlab specimen copy . notebooks gives you"
    return shown(found)


def _print_front(found: Sweep) -> None:
    front = found.settings[found.settings["front"] | found.settings["chosen"]]
    table = Table(title=f"Pareto front: {len(front)} of {len(found.settings)} settings, {len(found.seeds)} seeds each")
    table.add_column("setting")
    for name in OBJECTIVES:
        table.add_column(MEASURES[name].title, justify="right")
    for _, row in front.sort_values(["chosen", "success_share"], ascending=False).head(ROWS_SHOWN).iterrows():
        cells = [amount(float(row[name]), MEASURES[name].unit) for name in OBJECTIVES]
        label = f"{'→ ' if row['chosen'] else ''}{escape(row['label'])}{' ⚠' if row['warnings'] else ''}"
        table.add_row(label, *cells, style="bold" if row["chosen"] else None)
    print_wide(table)
    if len(front) > ROWS_SHOWN:
        OUT.print(f"  and {len(front) - ROWS_SHOWN} more in the results")


def _print_choice(found: Sweep) -> None:
    if found.choice is None or found.chosen is None:
        able = int(found.settings["keeps_up"].sum())
        why = "none of them keeps the limit of p95" if able else "give more concurrency, or larger batches"
        OUT.print(f"[bold red]No setting qualifies:[/] {able} of {len(found.settings)} keep up with the load; {why}.")
        return
    OUT.print(f"[bold green]Choose {escape(str(found.chosen['label']))}[/]")
    for reason in found.choice.reasons:
        OUT.print(f"  {escape(reason)}", soft_wrap=True)
    if found.chosen["warnings"]:
        OUT.print(f"  [yellow]⚠ dlqlab lint warns of it: {escape(str(found.chosen['warnings']))}[/]", soft_wrap=True)
