"""How large a run must be."""

import json

import click
from rich.markup import escape

from dlqlab.analysis.plan import plan as make_plan
from dlqlab.cli.console import OUT
from dlqlab.contracts.scenarios import find
from dlqlab.errors import UsageError
from dlqlab.wording import number


def plan(precision: float, confidence: float, scenario: str, *, as_json: bool) -> None:
    if not 50 <= confidence < 100:  # noqa: PLR2004  (per cent)
        raise UsageError(f"--confidence {confidence:g}: give 50 to below 100 per cent")
    chosen = find(scenario)
    try:
        found = make_plan(chosen, precision=precision, confidence=confidence / 100)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
        return
    OUT.print(f"{escape(chosen.name)}: to know a rate to ± {precision * 100:g} pp at {confidence:g} %")
    for need in found.needs:
        trials = f"{need.trials:,} {need.trial}s" + (f" = {need.tasks:,} tasks" if need.trial != "task" else "")
        now = f"{chosen.load.tasks:,} tasks give ± {number(need.half_width_now * 100, 2)} pp"
        OUT.print(f"  {need.name} of {number(need.rate * 100)} %: {trials} ({now})", soft_wrap=True)
    if found.load_s is None:
        OUT.print("  the scenario names no rate: how long that takes is the machine's")
        return
    rate = f"{number(chosen.load.rate_per_s)} tasks/s"
    OUT.print(
        f"  {found.tasks:,} tasks at {rate}: {found.load_s:,.0f} s of load, {found.wait_s} s for the last retries"
    )
    needed = f"--tasks {found.tasks} --duration {found.load_s * 1.1 + 1:.0f}"
    OUT.print(f"  in the scenario's \\[load]: tasks = {found.tasks}, duration_s = {found.load_s * 1.1 + 1:.0f} "
              f"(dlqlab load: {needed})", soft_wrap=True)  # fmt: skip
