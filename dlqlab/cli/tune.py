"""The commands that ask the simulated twin: what-if and tune."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dlqlab import paths
from dlqlab.cli.console import OUT, command
from dlqlab.cli.measure import Points
from dlqlab.cli.quantities import Seconds
from dlqlab.cli.world_options import Asked, asking
from dlqlab.errors import UsageError
from dlqlab.paths import shown
from dlqlab.wording import number

if TYPE_CHECKING:
    from dlqlab.tune.jobs import World
    from dlqlab.tune.sweep import Sweep
    from dlqlab.tune.whatif import Answer

SWEEPS = paths.ROOT / "sweeps"
EXIT_NO_CHOICE = 1
ROWS_SHOWN = 12

WITH: dict[str, tuple[str, Any, str]] = {
    "base_s": ("--base", Seconds(), "Backoff after the first attempt."),
    "cap_s": ("--cap", Seconds(), "Longest backoff."),
    "factor": ("--factor", float, "Growth of the backoff."),
    "jitter": ("--jitter", str, "none, equal or full."),
    "max_retries": ("--max-retries", int, "Retries after the first attempt."),
    "batch_size": ("--batch-size", int, "Messages of a batch."),
    "batch_window_s": ("--window", Seconds(), "Longest wait for a batch to fill."),
    "max_concurrency": ("--concurrency", int, "MaximumConcurrency of the mapping, 0 for none."),
    "visibility_timeout_s": ("--visibility", Seconds(), "Visibility timeout of the task queue."),
    "function_timeout_s": ("--timeout", Seconds(), "Timeout of the processor."),
    "failure_rate": ("--failure-rate", Points(), "Failures of an attempt (or of a task, as the scenario's mode says)."),
}
"""Setting -> option, type, help."""


def _with_settings(function: Any) -> Any:
    for name, (option, kind, text) in reversed(WITH.items()):
        function = click.option(option, name, type=kind, default=None, help=text)(function)
    return function


@click.command("what-if")
@asking
@_with_settings
@click.option("--seeds", type=int, default=5, show_default=True, help="Simulations, each with a seed of its own.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.argument("scenario", default="default")
@command
def what_if(
    scenario: str,
    asked: Asked,
    seeds: int,
    *,
    as_json: bool,
    **changes: Any,
) -> None:
    """What SCENARIO would come to, with other settings where given: simulated, nothing is deployed or sent.

    DLQ volume, backlog, drain time, time to completion, wasted invocations and cost on AWS, each as the mean over seeds
    with its 95 % interval.
    """
    from dlqlab.contracts.scenarios import find  # noqa: PLC0415
    from dlqlab.tune.variations import with_values  # noqa: PLC0415
    from dlqlab.tune.whatif import answer  # noqa: PLC0415

    given = {name: _whole(name, value) for name, value in changes.items() if value is not None}
    chosen, world = asked.load(with_values(find(scenario), given, source="the command line")), asked.world()
    with asked.performer(max(1, seeds)) as perform:
        found = answer(chosen, world, perform, seeds=seeds)
    if as_json:
        click.echo(json.dumps(found.to_json(world), indent=2))
        return
    _print_answer(found, world)


@click.command()
@asking
@click.option("--vary", "variations", multiple=True, metavar="SETTING=V,V", help="Values to try; repeat it.")
@click.option("--seeds", type=int, default=3, show_default=True, help="Simulations of each setting.")
@click.option("--success-within", type=Points(), default="0.5pp", show_default=True,
              help="So much less success than the best is as good.")  # fmt: skip
@click.option("--max-p95", type=Seconds(), default=None, help="Longest p95 of the time to completion.")
@click.option("--growth", default="0.5,1,2,4", show_default=True, metavar="F,F",
              help="Multiples of the rate for the chosen setting, none for none.")  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=None, metavar="DIR",
              help="Where to keep the results; default: a new folder under sweeps/.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.argument("scenario", default="default")
@command
def tune(
    scenario: str,
    asked: Asked,
    variations: tuple[str, ...],
    seeds: int,
    success_within: float,
    max_p95: float | None,
    growth: str,
    out: Path | None,
    *,
    as_json: bool,
) -> int:
    """Simulate SCENARIO under every combination of the settings that --vary gives, and choose one.

    Exit code: 0 a setting was chosen, 1 none qualifies, 3 wrong usage. docs/capacity-planning.md states the rule.
    """
    from dlqlab.contracts.scenarios import find  # noqa: PLC0415
    from dlqlab.tune.store import folder_for, save  # noqa: PLC0415
    from dlqlab.tune.sweep import Question, run_sweep  # noqa: PLC0415
    from dlqlab.tune.variations import parse_variation  # noqa: PLC0415

    if not variations:
        raise UsageError("nothing to vary: give --vary, such as --vary base_s=1,2,5 --vary jitter=none,full")
    question = Question(
        scenario=asked.load(find(scenario)),
        variations=tuple(parse_variation(text) for text in variations),
        world=asked.world(),
        seeds=seeds,
        success_within=success_within,
        max_p95_s=max_p95,
        growth=_factors(growth),
    )
    folder = folder_for(out, SWEEPS)
    with asked.performer(question.jobs) as perform:
        found = run_sweep(question, perform)
    save(found, folder, SWEEPS)
    _print_sweep(found, folder, as_json=as_json)
    return 0 if found.choice else EXIT_NO_CHOICE


def _whole(name: str, value: Any) -> Any:
    """Durations come as fractions; what SQS and Lambda take in whole seconds must be whole."""
    from dlqlab.tune.variations import SECTIONS  # noqa: PLC0415

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


def _print_answer(found: "Answer", world: "World") -> None:
    from dlqlab.tune.measures import MEASURES  # noqa: PLC0415
    from dlqlab.tune.variations import linted  # noqa: PLC0415
    from dlqlab.tune.whatif import shown as as_shown  # noqa: PLC0415

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
    _wide(table)
    for finding in linted(found.scenario):
        said = f"[yellow]lint {finding.rule.severity}[/] [bold]{finding.rule.id}[/]: {escape(finding.statement)}"
        OUT.print(said, soft_wrap=True)
    OUT.print(f"Simulated; prices of {world.prices.noted}, without the free tier: check them. How it is reckoned: "
              "docs/capacity-planning.md", soft_wrap=True)  # fmt: skip


def _print_sweep(found: "Sweep", folder: Path, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found.to_json() | {"folder": str(folder)}, indent=2))
        return
    _print_front(found)
    for refusal in found.refusals:
        OUT.print(f"[yellow]refused[/] {escape(refusal.label)}: {escape(refusal.reason)}", soft_wrap=True)
    _print_choice(found)
    notebook = paths.NOTEBOOKS / "capacity_planning.ipynb"
    OUT.print(f"results: {shown(folder)}; look with {shown(notebook)}", soft_wrap=True)


def _print_front(found: "Sweep") -> None:
    from dlqlab.tune.measures import MEASURES, OBJECTIVES  # noqa: PLC0415
    from dlqlab.tune.whatif import amount  # noqa: PLC0415

    front = found.settings[found.settings["front"] | found.settings["chosen"]]
    table = Table(title=f"Pareto front: {len(front)} of {len(found.settings)} settings, {len(found.seeds)} seeds each")
    table.add_column("setting")
    for name in OBJECTIVES:
        table.add_column(MEASURES[name].title, justify="right")
    for _, row in front.sort_values(["chosen", "success_share"], ascending=False).head(ROWS_SHOWN).iterrows():
        cells = [amount(float(row[name]), MEASURES[name].unit) for name in OBJECTIVES]
        label = f"{'→ ' if row['chosen'] else ''}{escape(row['label'])}{' ⚠' if row['warnings'] else ''}"
        table.add_row(label, *cells, style="bold" if row["chosen"] else None)
    _wide(table)
    if len(front) > ROWS_SHOWN:
        OUT.print(f"  and {len(front) - ROWS_SHOWN} more in the results")


def _print_choice(found: "Sweep") -> None:
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


def _wide(table: Table) -> None:
    """The table as wide as it is where nobody looks at a terminal: no cell is cut for a width that nobody has."""
    if OUT.is_terminal:
        OUT.print(table)
    else:
        Console(file=OUT.file, width=200, highlight=False).print(table)


TITLE = "Predict"
COMMANDS = (what_if, tune)
