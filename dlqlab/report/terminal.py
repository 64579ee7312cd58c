"""The verdict in the terminal: a line a check, which stays one line where it is piped into a file or grep."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dlqlab.analysis.summary import worst
from dlqlab.contracts.verdict import STATUS_SIGNS, Status, Verdict

MEMBERS_SHOWN = 20
_STYLES = {Status.VALID: "bold green", Status.INVALID: "bold red", Status.UNKNOWN: "bold yellow"}
_NAME_COLUMNS = 12


def print_verdict(verdict: Verdict, console: Console, *, what: str = "run", width: int = _NAME_COLUMNS) -> None:
    """One line per check: sign, name, statement; then the members that speak against it; last the verdict itself."""
    width = max([width, *(len(check.name) for check in verdict.checks)])
    for check in verdict.checks:
        sign = f"[{_STYLES[check.status]}]{STATUS_SIGNS[check.status]}[/]"
        print_line(console, sign, check.name, escape(check.statement), width=width)
    for check in verdict.checks:
        for name, ids in worst(check, most=MEMBERS_SHOWN).items():
            _print_members(console, f"{check.name}, {name}", ids, len(check.members[name]))
    ended = "" if verdict.finished else "; the run did not come to its end"
    style = _STYLES[verdict.status]
    said = f"[{style}]{STATUS_SIGNS[verdict.status]} {verdict.status}[/]: {what} {escape(verdict.run_id)}{ended}"
    console.print(said, soft_wrap=True)


def print_line(console: Console, sign: str, name: str, text: str, *, width: int = _NAME_COLUMNS) -> None:
    """Sign, name and text (with markup); wrapped under itself in a terminal, in one line where nobody looks."""
    if not console.is_terminal:
        console.print(f"{sign or ' '} {name:<{width}}  {text}", soft_wrap=True)
        return
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(width=width, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(sign, name, text)
    console.print(grid)


def _print_members(console: Console, name: str, ids: tuple[str, ...], total: int) -> None:
    more = f" and {total - len(ids):,} more" if total > len(ids) else ""
    console.print(f"{escape(name)} ({total:,}): {escape(', '.join(ids))}{more}", soft_wrap=True)
