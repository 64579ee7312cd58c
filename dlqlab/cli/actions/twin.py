"""Playing a scenario in simulated time."""

import dataclasses
from pathlib import Path
from typing import Any

from rich.markup import escape

from dlqlab.cli.actions.compiling import say_what_takes_so_long
from dlqlab.cli.console import OUT
from dlqlab.contracts.scenario import Scenario
from dlqlab.contracts.scenarios import find
from dlqlab.errors import UsageError
from dlqlab.paths import shown
from dlqlab.report.render import render
from dlqlab.report.terminal import print_verdict
from dlqlab.report.verdicts import verdict_of
from dlqlab.run.stored_runs import find_run
from dlqlab.twin import arrivals
from dlqlab.twin.arrivals import Arrivals, of_ledger
from dlqlab.twin.calibrate import calibrate
from dlqlab.twin.contract import Simulation
from dlqlab.twin.parameters import parameters_of
from dlqlab.twin.record import record, sampling

LONGEST_LOAD_S = 86_400.0


def simulate(scenario: str, *, runs: Path, no_page: bool, timing_seed: int, **options: Any) -> int:
    chosen = with_load(find(scenario, seed=options["seed"]), options["tasks"], options["rate"])
    parameters, fit = parameters_of(options["rules"]), None
    if options["calibrate"]:
        fit = calibrate(find_run(options["calibrate"], runs), parameters)
        parameters = fit.parameters
    arrivals = _trace(options["trace"], runs) if options["trace"] else shape_of(chosen, options, timing_seed)
    say_what_takes_so_long()
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


def with_load(scenario: Scenario, tasks: int | None, rate_per_s: float | None) -> Scenario:
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


def shape_of(scenario: Scenario, options: dict[str, Any], seed: int) -> "Arrivals | None":
    """The arrivals that the options ask for; None for the load generator's own pacing.

    Raises:
        UsageError: a rate is missing or impossible.
    """
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


def _trace(name: str, runs: Path) -> Arrivals:
    """What the clients of a run sent.

    Raises:
        UsageError: there is no such run, or its ledger holds nothing.
        EvidenceError: it cannot be read.
    """
    run = find_run(name, runs)
    started_ts = run.read_manifest().load_started_ts
    if started_ts is None:
        raise UsageError(f"run {name} has no load_started_ts: its load never started")
    return of_ledger(run.read("ledger"), started_ts)


def _print_totals(result: Simulation) -> None:
    totals = result.totals
    OUT.print(
        f"[bold]{escape(result.scenario.name)}[/] on {result.parameters.name}, simulated: {totals.tasks:,} tasks in "
        f"{totals.load_s:,.0f} s, {totals.dead_lettered:,} dead letters "
        f"({totals.dead_lettered / max(1, totals.tasks):.2%}), drained {totals.drained_s:,.1f} s after the load, at "
        f"most {totals.peak_visible:,} messages waiting, {totals.attempts:,} attempts",
        soft_wrap=True,
    )
