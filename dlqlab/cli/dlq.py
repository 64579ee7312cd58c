"""The commands about dead letters: list, show, redrive."""

import dataclasses
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from dlqlab.cli.console import OUT, command
from dlqlab.cli.targets import Where, targeted, targeted_to_change
from dlqlab.errors import UsageError

if TYPE_CHECKING:
    from dlqlab.deploy.target import Target
    from dlqlab.dlq.desk import Desk

SHOWN_STEPS_MAX = 20
CAUSE = click.option("--cause", metavar="TEXT", help="Only those with this reason or error type.")


@click.group()
def dlq() -> None:
    """Look at dead letters and send their tasks back to the queue."""


@dlq.command("list")
@targeted
@CAUSE
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Show the newest so many.")
@click.option("--json", "as_json", is_flag=True, help="Print all of them as JSON, one a line.")
@command
def list_letters(where: Where, cause: str | None, limit: int, *, as_json: bool) -> None:
    """List what the archive holds, newest last, and how many have which cause."""
    from dlqlab.dlq.letters import causes, select  # noqa: PLC0415

    desk = _desk(where.resolve())
    letters = select(desk.letters(), cause=cause)
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


@dlq.command()
@targeted
@click.argument("ids", nargs=-1, required=True, metavar="ID")
@command
def show(where: Where, ids: tuple[str, ...]) -> None:
    """Show everything that is kept about ID (a task or an archived message) as JSON."""
    from chalicelib.views import task_view  # noqa: PLC0415

    from dlqlab.dlq.letters import select  # noqa: PLC0415

    desk = _desk(where.resolve())
    letters = select(desk.letters(), ids=ids)
    tasks = {letter.task_id: desk.store.get(letter.task_id) for letter in letters if letter.task_id}
    found = {
        "deadLetters": [dataclasses.asdict(letter) for letter in letters],
        "tasks": [task_view(task) for task in tasks.values() if task],
    }
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))


@dlq.command()
@targeted_to_change
@CAUSE
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "take_all", is_flag=True, help="Every dead letter.")
@click.option("--rate", type=click.FloatRange(0, 1000, min_open=True), default=10, show_default=True, help="A second.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@command
def redrive(
    where: Where, cause: str | None, ids: tuple[str, ...], rate: float, *, take_all: bool, dry_run: bool
) -> int:
    """Send FAILED tasks back to the queue for a new generation of attempts: these IDs, one cause, or all.

    A task that has left FAILED meanwhile is skipped, so the same redrive again does nothing.
    """
    from dlqlab.cli.consent import Intent  # noqa: PLC0415
    from dlqlab.dlq.letters import select  # noqa: PLC0415
    from dlqlab.dlq.redrive import Action, execute, plan_redrive  # noqa: PLC0415

    if sum((bool(ids), cause is not None, take_all)) != 1:
        raise UsageError("say which dead letters to redrive: give task ids, or --cause TEXT, or --all")
    desk = _desk(where.resolve())
    steps = plan_redrive(select(desk.letters(), ids=ids, cause=cause), desk.store.get)
    taken = [step for step in steps if step.action is not Action.SKIP]
    if dry_run:
        _show_steps("would redrive", taken)
        _show_steps("would skip", [step for step in steps if step.action is Action.SKIP])
        return 0
    where.agree(desk.target, Intent(what=f"send {len(taken):,} tasks back to the queue"))
    with OUT.status("redrive") as status, desk.requeuer(f"redrive-{uuid.uuid4().hex}") as requeuer:
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


def _desk(target: "Target") -> "Desk":
    from dlqlab.dlq.desk import Desk  # noqa: PLC0415

    return Desk(target)


TITLE = "Dead letters"
COMMANDS = (dlq,)
