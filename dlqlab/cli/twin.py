"""The command that plays a scenario in simulated time: simulate."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from dlqlab import paths
from dlqlab.cli.console import OUT, command
from dlqlab.cli.quantities import Rate, Seconds
from dlqlab.cli.rules import rules_option
from dlqlab.errors import UsageError
from dlqlab.paths import shown

if TYPE_CHECKING:
    from dlqlab.contracts.scenario import Scenario
    from dlqlab.twin.arrivals import Arrivals
    from dlqlab.twin.contract import Simulation

SHAPES = ("paced", "constant", "poisson", "ramp", "burst")
LONGEST_LOAD_S = 86_400.0


@click.command()
@click.option("--tasks", type=click.IntRange(1), default=None, help="How many tasks; default: the scenario's.")
@click.option("--rate", type=Rate(), default=None, help="Tasks a second; default: the scenario's.")
@rules_option("localstack")
@click.option("--calibrate", metavar="RUN", help="Take durations from a measured run.")
@click.option(
    "--arrivals",
    "shape",
    type=click.Choice(SHAPES),
    default="paced",
    show_default=True,
    help="When tasks are sent: paced as the load generator with its users, or open at the rate.",
)
@click.option("--to-rate", type=Rate(), help="ramp: the last rate; burst: the rate of the bursts.")
@click.option("--every", type=Seconds(), default=60.0, show_default=True, help="burst: from one to the next.")
@click.option("--lasts", type=Seconds(), default=10.0, show_default=True, help="burst: how long one is.")
@click.option("--trace", metavar="RUN", help="Send what the clients of a measured run sent, when they did.")
@click.option("--seed", type=click.IntRange(0), default=None, help="Another seed than the scenario's: other fates.")
@click.option("--timing-seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the durations.")
@click.option("--no-page", is_flag=True, help="Only evidence and verdict: no notebook, no HTML.")
@click.option("--runs", type=click.Path(path_type=Path), default=paths.RUNS, help="Folder for run directories.")
@click.argument("scenario", default="default")
@command
def simulate(scenario: str, *, runs: Path, no_page: bool, timing_seed: int, **options: Any) -> int:
    """Play SCENARIO in simulated time: evidence, verdict and report as of a run, and no emulator.

    Each task meets the fate that it would meet in a run. With more than 50,000 tasks the evidence holds that many of
    them, drawn evenly; aggregates.json counts all. The first simulation of a checkout compiles, for about a minute.
    """
    from dlqlab.contracts.scenarios import find  # noqa: PLC0415
    from dlqlab.report.render import render  # noqa: PLC0415
    from dlqlab.report.terminal import print_verdict  # noqa: PLC0415
    from dlqlab.report.verdicts import verdict_of  # noqa: PLC0415
    from dlqlab.run.stored_runs import find_run  # noqa: PLC0415
    from dlqlab.twin.calibrate import calibrate  # noqa: PLC0415
    from dlqlab.twin.parameters import parameters_of  # noqa: PLC0415
    from dlqlab.twin.record import record, sampling  # noqa: PLC0415

    chosen = with_load(find(scenario, seed=options["seed"]), options["tasks"], options["rate"])
    parameters, fit = parameters_of(options["rules"]), None
    if options["calibrate"]:
        fit = calibrate(find_run(options["calibrate"], runs), parameters)
        parameters = fit.parameters
    arrivals = _trace(options["trace"], runs) if options["trace"] else shape_of(chosen, options, timing_seed)
    with OUT.status(f"simulating {escape(chosen.name)}"):
        run, result = record(
            chosen, root=runs.resolve(), parameters=parameters, arrivals=arrivals, seed=timing_seed,
            calibration=None if fit is None else fit.to_json(),
        )  # fmt: skip
    _print_totals(result)
    with OUT.status("judgement, notebook and HTML"):
        verdict = verdict_of(run, anew=True)
        page = None if no_page else render(run)
    print_verdict(verdict, OUT)
    OUT.print(sampling(result), soft_wrap=True)
    OUT.print(f"report: {shown(page)}" if page else f"evidence: {shown(run.path)}", soft_wrap=True)
    return verdict.exit_code


def with_load(scenario: "Scenario", tasks: int | None, rate_per_s: float | None) -> "Scenario":
    """The scenario with so many tasks at such a rate, and time enough to send them.

    Raises:
        UsageError: the load would take longer than a day.
    """
    load = scenario.load
    if tasks is None and rate_per_s is None:
        return scenario
    rate = load.rate_per_s if rate_per_s is None else rate_per_s
    if tasks is None and rate:
        tasks = max(1, int(load.duration_s * rate))
    count = tasks or load.tasks
    needed_s = count / rate if rate else load.duration_s
    if needed_s > LONGEST_LOAD_S:
        least = count / LONGEST_LOAD_S
        raise UsageError(
            f"{count:,} tasks at {rate:g} a second take {needed_s:,.0f} s, more than a day: give --rate of {least:.0f} "
            "or more"
        )
    duration_s = min(LONGEST_LOAD_S, max(load.duration_s, needed_s * 1.01 + 1))
    changed = dataclasses.replace(load, tasks=count, rate_per_s=rate, duration_s=duration_s)
    return dataclasses.replace(scenario, load=changed)


def shape_of(scenario: "Scenario", options: dict[str, Any], seed: int) -> "Arrivals | None":
    """The arrivals that the options ask for; None for the load generator's own pacing.

    Raises:
        UsageError: a rate is missing or impossible.
    """
    from dlqlab.twin import arrivals  # noqa: PLC0415

    shape, load, to_rate = options["shape"], scenario.load, options["to_rate"]
    if shape == "paced":
        return None
    if shape in ("ramp", "burst") and to_rate is None:
        raise UsageError(f"--arrivals {shape} needs --to-rate: tasks a second at its end or in its bursts")
    if shape == "constant":
        return arrivals.constant(load.rate_per_s, load.tasks)
    if shape == "poisson":
        return arrivals.poisson(load.rate_per_s, load.tasks, seed)
    if shape == "ramp":
        return arrivals.ramp(load.rate_per_s, to_rate, load.tasks)
    every_s, lasts_s = options["every"], options["lasts"]
    return arrivals.burst(load.rate_per_s, to_rate, load.tasks, every_s=every_s, lasts_s=lasts_s)


def _trace(name: str, runs: Path) -> "Arrivals":
    """What the clients of a run sent.

    Raises:
        UsageError: there is no such run, or its ledger holds nothing.
        EvidenceError: it cannot be read.
    """
    from dlqlab.run.stored_runs import find_run  # noqa: PLC0415
    from dlqlab.twin.arrivals import of_ledger  # noqa: PLC0415

    run = find_run(name, runs)
    started_ts = run.read_manifest().load_started_ts
    if started_ts is None:
        raise UsageError(f"run {name} has no load_started_ts: its load never started")
    return of_ledger(run.read("ledger"), started_ts)


def _print_totals(result: "Simulation") -> None:
    totals = result.totals
    OUT.print(
        f"[bold]{escape(result.scenario.name)}[/] on {result.parameters.name}, simulated: {totals.tasks:,} tasks in "
        f"{totals.load_s:,.0f} s, {totals.dead_lettered:,} dead letters "
        f"({totals.dead_lettered / max(1, totals.tasks):.2%}), drained {totals.drained_s:,.1f} s after the load, at "
        f"most {totals.peak_visible:,} messages waiting, {totals.attempts:,} attempts",
        soft_wrap=True,
    )


TITLE = "Simulate"
COMMANDS = (simulate,)
