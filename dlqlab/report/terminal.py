"""The verdict in the terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dlqlab.contracts.verdict import Status, Verdict
from dlqlab.figures.style import STATUS_SIGNS

MEMBERS_SHOWN = 20
_STYLES = {Status.VALID: "bold green", Status.INVALID: "bold red", Status.UNKNOWN: "bold yellow"}


def print_verdict(verdict: Verdict, console: Console) -> None:
    """One row per check, then the members of the sets of each check that is not valid, then the verdict itself."""
    table = Table(show_edge=False, pad_edge=False, expand=False)
    table.add_column("check", no_wrap=True)
    table.add_column("answer", no_wrap=True)
    table.add_column("what was found", overflow="fold")
    for check in verdict.checks:
        answer = f"[{_STYLES[check.status]}]{STATUS_SIGNS[check.status]} {check.status}[/]"
        table.add_row(escape(check.title), answer, escape(check.statement))
    console.print(table)
    for check in verdict.checks:
        if check.status is not Status.VALID:
            for name, ids in check.members.items():
                _print_members(console, f"{check.title}, {name}", ids)
    ended = "" if verdict.finished else "; the run did not come to its end"
    style = _STYLES[verdict.status]
    console.print(f"[{style}]{STATUS_SIGNS[verdict.status]} {verdict.status}[/]: run {escape(verdict.run_id)}{ended}")


def _print_members(console: Console, name: str, ids: tuple[str, ...]) -> None:
    if not ids:
        return
    more = f" and {len(ids) - MEMBERS_SHOWN:,} more" if len(ids) > MEMBERS_SHOWN else ""
    console.print(f"{escape(name)} ({len(ids):,}): {escape(', '.join(ids[:MEMBERS_SHOWN]))}{more}")
