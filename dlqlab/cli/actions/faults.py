"""Faults from outside: list, on, off, clear."""

import dataclasses
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from dlqlab.cli.actions.emulators import running
from dlqlab.cli.console import OUT
from dlqlab.contracts.injection import KINDS, Fault
from dlqlab.errors import UsageError
from dlqlab.run.injection import InForce, clear_plan, plan_in_force, put_plan, read_plan
from dlqlab.wording import count

_FIELDS = ("function", "operation", "resource", "queue", "route")


def list_faults(port: int | None, *, kinds: bool) -> None:
    if kinds:
        table = Table("kind", "strikes", "what is done", box=None, pad_edge=False)
        for kind, meaning in KINDS.items():
            table.add_row(kind, meaning.place, escape(meaning.text))
        OUT.print(table)
        return
    _show(plan_in_force(running(port).port))


def on(port: int | None, file: Path, seed: int) -> None:
    _show(put_plan(running(port).port, read_plan(file, seed=seed)))


def off(port: int | None, names: tuple[str, ...]) -> None:
    found = running(port).port
    plan = plan_in_force(found).plan
    known = [fault.name for fault in plan.faults]
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"no fault named {unknown[0]} is in force: there is {', '.join(known) or 'none'}")
    rest = tuple(fault for fault in plan.faults if fault.name not in names)
    _show(put_plan(found, dataclasses.replace(plan, faults=rest)))


def clear(port: int | None) -> None:
    before = clear_plan(running(port).port)
    _show(before)
    if before.plan.faults:
        OUT.print(f"taken away: {count(len(before.plan.faults), 'fault')}")


def _show(found: InForce) -> None:
    if not found.plan.faults:
        OUT.print("no fault is in force")
        return
    table = Table("fault", "kind", "where", "rate", "struck", box=None, pad_edge=False)
    for fault in found.plan.faults:
        cells = (fault.name, fault.kind, _where(fault), f"{fault.rate:g}", f"{found.struck.get(fault.name, 0):,}")
        table.add_row(*map(escape, cells))
    OUT.print(table)


def _where(fault: Fault) -> str:
    given = [f"{name} {getattr(fault, name)}" for name in _FIELDS if getattr(fault, name) != "*"]
    return ", ".join(given) or f"every {fault.place}"
