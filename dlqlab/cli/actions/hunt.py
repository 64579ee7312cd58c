"""Looking for what breaks a pipeline."""

import sys
import time
from dataclasses import replace
from pathlib import Path

from rich.markup import escape

from dlqlab.cli.actions.emulators import for_run
from dlqlab.cli.actions.projects import project_here
from dlqlab.cli.actions.torture import shrink_one
from dlqlab.cli.console import OUT
from dlqlab.contracts.manifest import run_id
from dlqlab.contracts.project import read_project
from dlqlab.paths import shown
from dlqlab.torture import result as results
from dlqlab.torture.bench import Bench, emulator_of
from dlqlab.torture.hunt import Hunted, at_pace
from dlqlab.torture.hunt import hunt as play
from dlqlab.torture.page import page
from dlqlab.torture.result import Result
from dlqlab.torture.run_matrix import cannot_shrink
from dlqlab.torture.terminal import print_result, print_row
from dlqlab.wording import count

SUFFIX = "-hunt"


def hunt(port: int | None, *, budget: float, tasks: int, seed: int | None, pytest_file: Path | None, runs: Path) -> int:
    file = project_here()
    project = read_project(file)
    project = project if seed is None else replace(project, seed=seed)
    started_ts = time.time()
    folder = runs.resolve() / f"{run_id(project.name)}{SUFFIX}"
    with emulator_of(for_run(port)) as emulator:
        bench = Bench(project=project, root=file.parent, folder=folder, emulator=emulator, tasks=tasks)
        OUT.print(f"[bold]{escape(project.name)}[/]: plays of {count(tasks, 'task')}, for {budget:g} s")
        found = play(bench, budget_s=budget, on_play=lambda answer: print_row(answer, OUT))
        result = Result(
            name=project.name,
            started_ts=started_ts,
            answers=found.answers,
            left_out=(f"the twin, which puts plays in order: {found.no_twin}",) if found.no_twin else (),
            command=("dlqlab", *sys.argv[1:]),
        )
        results.write(result, folder)
        (folder / results.PAGE).write_text(page(result, folder, ()), encoding="utf-8")
        OUT.print()
        print_result(result, folder, OUT)
        if found.caught:
            _make_small(bench, found, folder, pytest_file)
        else:
            OUT.print(f"nothing broke in {count(len(found.answers) - 1, 'play')}: no proof that nothing can")
    OUT.print(f"page: {shown(folder / results.PAGE)}", soft_wrap=True)
    return result.exit_code


def _make_small(bench: Bench, found: Hunted, folder: Path, pytest_file: Path | None) -> None:
    caught = found.caught
    if caught is None:
        return
    if reason := cannot_shrink(caught):
        OUT.print(f"{escape(caught.name)} is not made smaller: {escape(reason)}", soft_wrap=True)
        return
    with at_pace(bench, found.caught_at_rate):
        shrink_one(bench, caught, found.baseline, folder, pytest_file, OUT, 1)
