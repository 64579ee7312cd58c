"""A pipeline under a matrix of faults from outside."""

import json
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from dlqlab.cli.actions.emulators import for_run
from dlqlab.cli.console import OUT
from dlqlab.contracts.injection import Plan
from dlqlab.contracts.manifest import run_id
from dlqlab.contracts.project import FILE, Project, find_project, read_project
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import EvidenceError, UsageError
from dlqlab.paths import shown
from dlqlab.run.injection import read_plan
from dlqlab.torture import result as results
from dlqlab.torture.bench import Bench, emulator_of
from dlqlab.torture.judged import Outcome
from dlqlab.torture.matrix import Row
from dlqlab.torture.page import page
from dlqlab.torture.reproduction import command, run_command, to_pytest, to_toml
from dlqlab.torture.result import Answer, Change, Result, changes
from dlqlab.torture.run_matrix import Choice, cannot_shrink, one_by_one, run_matrix, shrink_row
from dlqlab.torture.side_by_side import side_by_side
from dlqlab.torture.specimen import deploy_specimen, specimen
from dlqlab.torture.summary import to_junit
from dlqlab.torture.terminal import print_result, print_row
from dlqlab.wording import count

_TASKS, _QUICK_TASKS = 200, 60
_SHOWN = {True: "shown", False: "not shown"}
_TRIES_SEED = 1_000
"""Added to the project's seed for the tries of the first row that is shrunk, as much again for each further one."""


def torture(
    port: int | None,
    *,
    only: tuple[str, ...],
    quick: bool,
    tasks: int | None,
    emulators: int,
    seed: int | None,
    faults: Path | None,
    shrink: bool,
    pytest_file: Path | None,
    against: Path | None,
    junit: Path | None,
    as_json: bool,
    runs: Path,
) -> int:
    _check(only=only, faults=faults, shrink=shrink, pytest_file=pytest_file)
    file = find_project(Path.cwd())
    project = read_project(file) if file else specimen()
    project, choice = _chosen(project, seed, Choice(only, quick), faults)
    before = results.read(against) if against else None
    runs_root = runs.resolve()
    last = results.last(runs_root, project.name) if before is None and faults is None else None
    suffix = results.SUFFIX if faults is None else results.OWN_SUFFIX
    folder = runs_root / f"{run_id(project.name)}{suffix}"
    console = Console(stderr=True) if as_json else OUT
    with emulator_of(for_run(port)) as emulator:
        each = tasks or (_QUICK_TASKS if quick else _TASKS)
        console.print(f"[bold]{escape(project.name)}[/]: {count(each, 'task')} a row, evidence in {shown(folder)}")
        if file is None:
            _deploy_specimen(emulator, console)
        root = file.parent if file else Path.cwd()
        bench = Bench(project=project, root=root, folder=folder, emulator=emulator, tasks=each)
        bench.deployed_by = None if file else deploy_specimen
        found = run_matrix(
            bench,
            choice,
            command=("dlqlab", *sys.argv[1:]),
            on_row=lambda so_far: _tell(so_far, folder, console),
            play=one_by_one if emulators == 1 else partial(side_by_side, emulators=emulators),
        )
        known = before or (_last(last, console) if last else None)
        differences = changes(known, found) if known else ()
        _write(found, folder, differences, junit)
        console.print()
        print_result(found, folder, console, differences)
        if shrink:
            _shrink_all(bench, found, folder, pytest_file, console)
    if as_json:
        sys.stdout.write(json.dumps(json.loads((folder / results.FILE).read_text()), indent=2) + "\n")
    console.print(f"page: {shown(folder / results.PAGE)}", soft_wrap=True)
    return found.exit_code


def _last(folder: Path, console: Console) -> Result | None:
    """The last matrix; None where it cannot be read, as one of another version of dlqlab."""
    try:
        return results.read(folder)
    except EvidenceError as error:
        console.print(f"not compared with the last matrix: {escape(str(error))}", soft_wrap=True)
        return None


def _deploy_specimen(emulator: Emulator, console: Console) -> None:
    console.print(f"there is no {FILE} here or above: the task system that dlqlab comes with is taken")
    with console.status("deploy") as status:
        deploy_specimen(emulator, progress=lambda text: status.update(f"deploy: {escape(text)}"))


def _check(*, only: tuple[str, ...], faults: Path | None, shrink: bool, pytest_file: Path | None) -> None:
    if only and faults:
        raise UsageError("--only and --faults are given: the file is the only row")
    if pytest_file and not shrink:
        raise UsageError("--pytest is given without --shrink: the test is of the smallest case")


def _chosen(project: Project, seed: int | None, choice: Choice, faults: Path | None) -> tuple[Project, Choice]:
    """The project with its seed, and the rows; the plan of a file is one row."""
    own_seed = project.seed if seed is None else seed
    if faults is None:
        return replace(project, seed=own_seed), choice
    plan = read_plan(faults, seed=own_seed, task_key=project.task.key or None)
    if seed is not None and plan.seed != seed:
        raise UsageError(f"--seed {seed} and seed = {plan.seed} in {faults}: give one of them")
    row = Row(faults.stem, f"the faults of {faults.name}", plan.faults, tasks=plan.tasks)
    return replace(project, seed=plan.seed), replace(choice, own=row)


def _tell(so_far: Result, folder: Path, console: Console) -> None:
    """The row that has ended; what is known so far is kept, however this ends."""
    print_row(so_far.answers[-1], console)
    results.write(so_far, folder)


def _write(found: Result, folder: Path, differences: tuple[Change, ...], junit: Path | None) -> None:
    results.write(found, folder)
    (folder / results.PAGE).write_text(page(found, folder, differences), encoding="utf-8")
    if junit:
        junit.write_text(to_junit(found), encoding="utf-8")


def _shrink_all(bench: Bench, found: Result, folder: Path, pytest_file: Path | None, console: Console) -> None:
    """Each broken row as small as it still shows, with the command that shows it again."""
    if found.baseline is None:
        return
    wrong = [one for one in found.in_order() if one.faults and (one.outcome is Outcome.BROKEN or one.is_mistake)]
    for number, answer in enumerate(wrong, start=1):
        if reason := cannot_shrink(answer):
            console.print(f"{escape(answer.name)} is not made smaller: {escape(reason)}", soft_wrap=True)
            continue
        # What is only degraded ends with 0, so that no test could fail by it.
        is_tested = number == 1 and answer.outcome is Outcome.BROKEN
        shrink_one(bench, answer, found.baseline, folder, pytest_file if is_tested else None, console, number)


def shrink_one(
    bench: Bench,
    answer: Answer,
    baseline: Answer,
    folder: Path,
    pytest_file: Path | None,
    console: Console,
    number: int,
) -> None:
    """The row as small as it still shows, its plan as a file, and the command; ``number`` is of the tries' seeds."""
    began_s = time.monotonic()
    shrunk = shrink_row(
        bench,
        answer,
        baseline,
        seed=bench.project.seed + _TRIES_SEED * number,
        on_try=lambda case, is_shown: console.print(
            f"  {escape(answer.name)}: {count(len(case.tasks), 'task')}, {len(case.struck):,} of them struck: "
            f"{_SHOWN[is_shown]}"
        ),
    )
    if shrunk is None:
        console.print(f"{escape(answer.name)}: no smaller case shows it", soft_wrap=True)
        return
    tasks, seed = len(shrunk.case.tasks), answer.seed
    plan = Plan(faults=shrunk.row.faults, seed=seed, tasks=shrunk.row.tasks)
    file = folder / f"{answer.name}.toml"
    file.write_text(to_toml(plan, f"{answer.what}\n{answer.reason}"), encoding="utf-8")
    struck = len(shrunk.case.struck)
    told = f"{count(tasks, 'task')}, {struck:,} of them struck, after {time.monotonic() - began_s:.0f} s"
    console.print(f"[bold]{escape(answer.name)}[/]: {told}", soft_wrap=True)
    console.print(f"  {command(str(shown(file)), tasks=tasks)}", soft_wrap=True)
    again = run_command(str(shown(file)), tasks=tasks, seed=seed)
    console.print(f"  {again}  (its whole report)", soft_wrap=True)
    if pytest_file:
        text = to_pytest(answer.name, plan, tasks=tasks, reason=answer.reason)
        pytest_file.write_text(text, encoding="utf-8")
        console.print(f"  test: {escape(str(pytest_file))}", soft_wrap=True)
