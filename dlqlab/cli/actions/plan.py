"""How large a run must be."""

import json
from pathlib import Path

import click
from rich.markup import escape

from dlqlab.analysis.plan import Plan, plan_from
from dlqlab.analysis.plan import plan as make_plan
from dlqlab.cli.console import OUT
from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.lookup import LATEST
from dlqlab.contracts.project import FILE, find_project, read_project
from dlqlab.contracts.scenario import Load
from dlqlab.contracts.scenarios import find
from dlqlab.errors import UsageError
from dlqlab.run.stored_runs import find_run
from dlqlab.wording import number

DEFAULT = "default"


def plan(precision: float, confidence: float, scenario: str | None, run_dir: str | None, *, as_json: bool) -> None:
    if not 50 <= confidence < 100:  # noqa: PLR2004  (per cent)
        raise UsageError(f"--confidence {confidence:g}: give 50 to below 100 per cent")
    if scenario is not None and run_dir is not None:
        raise UsageError("SCENARIO and --from are given: give one of them")
    file = find_project(Path.cwd()) if scenario is None else None
    try:
        if file is not None or run_dir is not None:
            name, load, found = _of_run(file, run_dir, precision, confidence / 100)
        else:
            chosen = find(scenario or DEFAULT)
            name, load = chosen.name, chosen.load
            found = make_plan(chosen, precision=precision, confidence=confidence / 100)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
        return
    OUT.print(f"{escape(name)}: to know a rate to ± {precision * 100:g} pp at {confidence:g} %")
    for need in found.needs:
        trials = f"{need.trials:,} {need.trial}s" + (
            f" = {need.tasks:,} tasks" if need.trial not in {"task", "message"} else ""
        )
        now = f"{load.tasks:,} tasks give ± {number(need.half_width_now * 100, 2)} pp"
        OUT.print(f"  {need.name} of {number(need.rate * 100)} %: {trials} ({now})", soft_wrap=True)
    is_own = file is not None or run_dir is not None
    if found.load_s is None:
        OUT.print("  no rate is named: how long that takes is the machine's")
        return
    rate = f"{number(load.rate_per_s)} tasks/s"
    OUT.print(
        f"  {found.tasks:,} tasks at {rate}: {found.load_s:,.0f} s of load, {found.wait_s} s for the last retries"
    )
    duration_s = f"{found.load_s * 1.1 + 1:.0f}"
    by_hand = "" if is_own else f" (dlqlab load: --tasks {found.tasks} --duration {duration_s})"
    where = FILE + "'s" if is_own else "the scenario's"
    OUT.print(f"  in {where} \\[load]: tasks = {found.tasks}, duration_s = {duration_s}{by_hand}", soft_wrap=True)


def _of_run(file: Path | None, run_dir: str | None, precision: float, confidence: float) -> tuple[str, Load, Plan]:
    """By a run of somebody's own pipeline, the newest by default; its load and promise are those of the file."""
    run = load_evidence(find_run(run_dir or LATEST))
    if run.manifest.specimen is None:
        raise UsageError(f"--from {run.manifest.run_id}: is a run of the task system: give its SCENARIO instead")
    project = read_project(file) if file is not None else None
    load = project.load.load() if project else run.manifest.scenario.load
    promise = project.promise if project else run.manifest.promise
    found = plan_from(run, load, promise, precision=precision, confidence=confidence)
    return f"{project.name if project else run.manifest.specimen}, by {run.manifest.run_id}", load, found
