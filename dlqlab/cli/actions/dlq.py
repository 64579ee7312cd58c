"""Dead letters: list, show, redrive."""

import dataclasses
import json
import time
import uuid
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from dlqlab.cli.actions.targets import agree, resolve
from dlqlab.cli.consent import Intent
from dlqlab.cli.console import OUT
from dlqlab.cli.targets import Where
from dlqlab.dlq.letters import causes, select
from dlqlab.dlq.redrive import Action, execute, plan_redrive
from dlqlab.dlq.stage import StageDeadLetters
from dlqlab.errors import UsageError
from taskrules.views import task_view

SHOWN_STEPS_MAX = 20


def list_letters(where: Where, cause: str | None, limit: int, *, as_json: bool) -> None:
    stage = StageDeadLetters(resolve(where))
    letters = select(stage.letters(), cause=cause)
    if as_json:
        for letter in letters:
            click.echo(json.dumps(dataclasses.asdict(letter), ensure_ascii=False))
        return
    table = Table("task", "gen", "reason", "error", "attempts", "age", box=None, pad_edge=False)
    for letter in letters[-limit:]:
        age = _age(time.time() - letter.archived_ts)
        cells = (letter.task_id or letter.archive_id, letter.generation, letter.reason, letter.error_type)
        table.add_row(*(escape(str(cell)) for cell in (*cells, letter.attempts, age)))
    OUT.print(table)
    counted = ", ".join(f"{name} {number:,}" for name, number in causes(letters).items())
    OUT.print(f"{len(letters):,} dead letters{f': {counted}' if counted else ''}", soft_wrap=True)


def show(where: Where, ids: tuple[str, ...]) -> None:
    stage = StageDeadLetters(resolve(where))
    letters = select(stage.letters(), ids=ids)
    tasks = {letter.task_id: stage.store.get(letter.task_id) for letter in letters if letter.task_id}
    found = {
        "deadLetters": [dataclasses.asdict(letter) for letter in letters],
        "tasks": [task_view(task) for task in tasks.values() if task],
    }
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))


def redrive(
    where: Where, cause: str | None, ids: tuple[str, ...], rate: float, *, take_all: bool, dry_run: bool
) -> int:
    if sum((bool(ids), cause is not None, take_all)) != 1:
        raise UsageError("say which dead letters to redrive: give task ids, or --cause TEXT, or --all")
    stage = StageDeadLetters(resolve(where))
    steps = plan_redrive(select(stage.letters(), ids=ids, cause=cause), stage.store.get)
    taken = [step for step in steps if step.action is not Action.SKIP]
    if dry_run:
        _show_steps("would redrive", taken)
        _show_steps("would skip", [step for step in steps if step.action is Action.SKIP])
        return 0
    agree(where, stage.target, Intent(what=f"send {len(taken):,} tasks back to the queue"))
    with OUT.status("redrive") as status, stage.requeuer(f"redrive-{uuid.uuid4().hex}") as requeuer:
        done = 0

        def count(_step: Any) -> None:
            nonlocal done
            done += 1
            status.update(f"redrive: {done:,} of {len(taken):,}")

        result = execute(steps, requeuer, rate_per_s=rate, on_step=count)
    OUT.print(f"{len(result.redriven):,} redriven, {len(result.skipped):,} skipped, {len(result.failed):,} failed")
    _show_steps("skipped", result.skipped)
    for task_id, error in result.failed[:SHOWN_STEPS_MAX]:
        OUT.print(f"failed   {escape(task_id)}: {escape(error)}", soft_wrap=True)
    return 1 if result.failed else 0


def _show_steps(what: str, steps: Any) -> None:
    for step in steps[:SHOWN_STEPS_MAX]:
        letter = step.letter
        why = step.why or f"{letter.reason}: {letter.error_type}: {letter.error_message}"
        OUT.print(f"{what}  {escape(letter.task_id or letter.archive_id)}  {escape(why)}", soft_wrap=True)
    if len(steps) > SHOWN_STEPS_MAX:
        OUT.print(f"{what}  {len(steps) - SHOWN_STEPS_MAX:,} more")


def _age(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
