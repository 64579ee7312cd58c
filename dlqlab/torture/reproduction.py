"""What shows a broken row again: a file of faults, the command, a test."""

import json
from dataclasses import fields, replace
from enum import StrEnum

from dlqlab.contracts.injection import Fault, Plan
from dlqlab.load.tasks import task_id
from dlqlab.torture.matrix import Row
from dlqlab.torture.shrink import Case


def struck_only(row: Row, case: Case, seed: int) -> Row:
    """The row with the tasks of a case, and its faults at those that are struck and at no others."""
    keys: dict[int, list[str]] = {}
    for number, place in case.strikes:
        keys.setdefault(place, []).append(task_id(seed, number))
    struck = (
        replace(row.faults[place], keys=tuple(some), rate=1.0, whole_task=False) for place, some in sorted(keys.items())
    )
    return replace(row, faults=tuple(struck), tasks=case.tasks)


def number_of(key: str) -> int | None:
    """The number of a task, from 0, whose key dlqlab gave; None for another key."""
    number = key.rpartition("-")[2]
    return int(number) if key.startswith("t-") and number.isdigit() else None


def to_toml(plan: Plan, comment: str = "") -> str:
    """The plan as a file that ``--faults`` reads."""
    lines = [f"# {line}" for line in comment.splitlines()]
    lines += [f"seed = {plan.seed}"]
    if plan.tasks:
        lines += ["# those of the load that are sent, by their numbers", f"tasks = {list(plan.tasks)}"]
    for fault in plan.faults:
        lines += ["", "[[faults]]", *(_line(fault, name) for name in _given(fault))]
    return "\n".join(lines) + "\n"


def command(file: str, *, tasks: int) -> str:
    """The command that shows it again, in the project's folder; the file has the seed."""
    return f"dlqlab torture --faults {file} --tasks {tasks}"


def run_command(file: str, *, tasks: int, seed: int) -> str:
    """The command that makes a whole report of it."""
    return f"dlqlab run --faults {file} --tasks {tasks} --seed {seed}"


def to_pytest(name: str, plan: Plan, *, tasks: int, reason: str) -> str:
    """A test that fails while the pipeline breaks under the plan; it runs in the folder of ``dlqlab.toml``."""
    text = to_toml(plan)
    function = "".join(char if char.isalnum() else "_" for char in name)
    return f'''"""The pipeline under faults that once broke it. Written by dlqlab torture; needs dlqlab on PATH."""

import subprocess
from pathlib import Path

FAULTS = """
{text}"""


def test_survives_{function}(tmp_path: Path) -> None:
    # Once: {reason}
    file = tmp_path / "faults.toml"
    file.write_text(FAULTS)
    command = ["dlqlab", "torture", "--faults", str(file), "--tasks", "{tasks}"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
'''


def _given(fault: Fault) -> list[str]:
    """Fields that are not as they would be without a word."""
    return [
        one.name for one in fields(fault) if one.name in {"kind", "name"} or getattr(fault, one.name) != one.default
    ]


def _line(fault: Fault, name: str) -> str:
    value = getattr(fault, name)
    if isinstance(value, tuple):
        return f"{name} = [{', '.join(map(json.dumps, value))}]"
    return f"{name} = {json.dumps(str(value) if isinstance(value, StrEnum) else value)}"
