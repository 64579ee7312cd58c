"""What-if of a recorded run: what is asked, what the model is made of, measured against simulated, the answer."""

import json
from collections.abc import Mapping
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from dlqlab.cli.actions.tables import print_wide
from dlqlab.cli.console import ERR, OUT
from dlqlab.cli.tune import OF_RUNS, WITH
from dlqlab.cli.world_options import WorldOptions
from dlqlab.costs.prices import DEFAULT, load_prices
from dlqlab.errors import UsageError
from dlqlab.run.stored_runs import find_run
from dlqlab.tune.calibration import described
from dlqlab.tune.forecast import COST, Compared, Forecast, Trust, forecast
from dlqlab.tune.pipeline_cost import NOT_COUNTED
from dlqlab.tune.whatif import amount, shown
from dlqlab.twin.parameters import parameters_of
from dlqlab.twin.pipeline.calibrate import calibrate
from dlqlab.twin.pipeline.changes import Changes
from dlqlab.twin.pipeline.figures import FIGURES
from dlqlab.wording import percent

EXIT_NOT_BELIEVED = 1
SEEDS = 20
RULES = "localstack"
STOCK = "localstack-stock"
_NAMED = {
    "max_concurrency": "concurrency",
    "reserved": "reserved",
    "max_receive_count": "max_receive_count",
    "visibility_timeout_s": "visibility_s",
    "batch_size": "batch_size",
    "batch_window_s": "window_s",
    "fail": "fail",
}
"""Setting of the command line -> field of ``Changes``."""
_STYLES = {Trust.AGREES: "green", Trust.IN_BAND: "yellow", Trust.OFF: "red", Trust.UNKNOWN: "dim"}


def what_if(
    run: str, scenario: str | None, options: WorldOptions, seeds: int, *, as_json: bool, changes: Mapping[str, Any]
) -> int:
    """The answer for a run; its exit code."""
    _check(scenario, options, changes)
    rules = options.rules or RULES
    pollers_max = parameters_of(rules).pollers_max
    found = calibrate(find_run(run), pollers_max=parameters_of(RULES).pollers_max)
    prices = load_prices(options.prices or DEFAULT)
    asked = Changes(
        rate_per_s=options.rate,
        duration_s=options.duration,
        poisson=options.pace == "poisson",
        **{field: tuple(changes.get(name) or ()) for name, field in _NAMED.items()},
    )
    with ERR.status("simulations: 0") as status:
        count = 0

        def done() -> None:
            nonlocal count
            count += 1
            status.update(f"simulations: {count}")

        answer = forecast(
            found, asked, prices, seeds=seeds, memory_mb=options.memory_mb, pollers_max=pollers_max, done=done
        )
    if as_json:
        click.echo(json.dumps(answer.to_json(), indent=2))
    else:
        _print(
            answer, f"prices of {prices.noted}, {options.memory_mb} MB a function, without the free tier: check them"
        )
    return 0 if answer.is_believed else EXIT_NOT_BELIEVED


def unnamed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a scenario, out of options that may also name a part of a run's pipeline.

    Raises:
        UsageError: one names a part, stands there twice, or is asked of runs only.
    """
    found: dict[str, Any] = {}
    for name, value in changes.items():
        if name in OF_RUNS and value:
            raise UsageError(f"{OF_RUNS[name][0]} is about the pipeline of a recorded run: give --from RUN")
        if name in OF_RUNS or value is None or value == ():
            continue
        if name in _NAMED:
            option = WITH[name][0]
            if len(value) > 1:
                raise UsageError(f"{option} is given {len(value)} times: a scenario has one of it")
            part, found[name] = value[0]
            if part is not None:
                raise UsageError(
                    f"{option} {part}=...: a scenario has one of it; parts have names with --from RUN only"
                )
        else:
            found[name] = value
    return found


def _check(scenario: str | None, options: WorldOptions, changes: Mapping[str, Any]) -> None:
    """What is about scenarios only is refused."""
    if scenario is not None:
        raise UsageError(f"--from asks of a run, {scenario} is a scenario: give one of the two")
    given = [option for name, (option, _, _) in WITH.items() if name not in _NAMED and changes.get(name) is not None]
    given += ["--calibrate"] if options.calibrate is not None else []
    given += ["--workers"] if options.workers is not None else []
    given += ["--scheduler"] if options.scheduler is not None else []
    if given:
        may = [*(WITH[name][0] for name in _NAMED if name in WITH), *(one[0] for one in OF_RUNS.values())]
        raise UsageError(f"{given[0]} is about scenarios: with --from there are {', '.join(['--rate', *may])}")
    if options.rules == STOCK:
        raise UsageError(f"--rules {STOCK}: with --from there are localstack, as the run was recorded, and aws")


def _print(answer: Forecast, prices: str) -> None:
    for line in described(answer.found):
        OUT.print(escape(line), soft_wrap=True)
    _print_trust(answer)
    if not answer.is_believed:
        said = "; ".join(f"{FIGURES[name].title} {_apart(answer, name)}" for name in answer.off)
        OUT.print(f"[bold red]The model does not play this run:[/] {said}. Nothing is answered.", soft_wrap=True)
    elif answer.figures is not None:
        _print_answer(answer, prices)
    for line in answer.found.left_out:
        OUT.print(f"[dim]left out:[/] {escape(line)}", soft_wrap=True)
    for line in answer.found.assumed:
        OUT.print(f"[dim]assumed:[/] {escape(line)}", soft_wrap=True)


def _print_trust(answer: Forecast) -> None:
    table = Table(title=f"the run as it was: measured and simulated, {len(answer.seeds)} seeds")
    table.add_column("")
    for name in ("measured", "simulated", "one run, 95 %", "deviation"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in answer.compared:
        unit = FIGURES[one.name].unit
        band = "" if one.spread != one.spread else f"± {amount(one.spread, unit)}"
        cells = [amount(one.measured, unit), amount(one.simulated.mean, unit), band, _deviation(one)]
        table.add_row(FIGURES[one.name].title, *cells, f"[{_STYLES[one.trust]}]{one.trust}[/]")
    print_wide(table)


def _print_answer(answer: Forecast, prices: str) -> None:
    table = Table(title="with the changes")
    table.add_column("")
    for name in ("as it was", "then", f"95 % interval, n = {len(answer.seeds)}"):
        table.add_column(name, justify="right")
    was = {one.name: one.simulated for one in answer.compared}
    unseen = answer.figures_if_unseen_fail
    if unseen is not None:
        table.add_column("if unseen receives fail", justify="right")
    for name, figure in FIGURES.items():
        mean = (answer.figures or {}).get(name)
        cells = ("", "not answered: off in the run as it was") if mean is None else shown(mean, figure.unit)
        other = [amount(unseen[name].mean, figure.unit)] if unseen is not None and name in unseen else []
        table.add_row(figure.title, amount(was[name].mean, figure.unit), *cells, *other)
    for name, mean in answer.lost.items():
        if mean.mean:
            table.add_row(f"messages {name}", "", *shown(mean, ""))
    table.add_row("cost on AWS", "", *shown((answer.figures or {})[COST], "USD"))
    for service, mean in answer.costs.items():
        if mean.mean:
            table.add_row(f"  {service}", "", *shown(mean, "USD"), style="dim")
    print_wide(table)
    if unseen is not None:
        OUT.print(
            "More receives are allowed than the run shows. A message that failed each time may be one that never "
            "succeeds: the truth lies between the two columns.",
            soft_wrap=True,
        )
    OUT.print(f"Simulated; {prices}; {NOT_COUNTED}.", soft_wrap=True)


def _apart(answer: Forecast, name: str) -> str:
    one = next(one for one in answer.compared if one.name == name)
    unit = FIGURES[name].unit
    return f"{amount(one.measured, unit)} measured, {amount(one.simulated.mean, unit)} simulated"


def _deviation(one: Compared) -> str:
    if one.deviation != one.deviation:
        return ""
    if one.deviation in {float("inf"), 0.0}:
        return "none" if not one.deviation else "from nothing"
    return f"{'+' if one.deviation > 0 else '-'}{percent(abs(one.deviation))}"
