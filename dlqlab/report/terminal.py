"""The verdict in the terminal: a line a check, which stays one line where it is piped into a file or grep."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dlqlab.analysis.summary import worst
from dlqlab.contracts.verdict import NOT_CHECKED, STATUS_SIGNS, Check, Status, Verdict

_STYLES = {Status.VALID: "bold green", Status.INVALID: "bold red", Status.UNKNOWN: "bold yellow"}
_NAME_COLUMNS = 12


def print_verdict(verdict: Verdict, console: Console, *, what: str = "run", width: int = _NAME_COLUMNS) -> None:
    """One line per check: sign, name, statement; then the members that speak against it; last the verdict itself."""
    width = max([width, *(len(check.name) for check in verdict.checks)])
    unchecked = [check for check in verdict.checks if check.statement.startswith(NOT_CHECKED)]
    together = unchecked if len(unchecked) > 1 else []
    for check in verdict.checks:
        if check not in together:
            print_line(console, _sign(check.status), check.name, escape(check.statement), width=width)
    if together:
        print_line(console, _sign(Status.UNKNOWN), NOT_CHECKED, escape(_unchecked(together)), width=width)
    for check in verdict.checks:
        for name, ids in worst(check).items():
            _print_members(console, f"{check.name}, {name}", ids, len(check.members[name]))
    ended = "" if verdict.finished else "; the run did not come to its end"
    style = _STYLES[verdict.status]
    said = f"[{style}]{STATUS_SIGNS[verdict.status]} {verdict.status}[/]: {what} {escape(verdict.run_id)}{ended}"
    console.print(said, soft_wrap=True)


def _sign(status: Status) -> str:
    return f"[{_STYLES[status]}]{STATUS_SIGNS[status]}[/]"


def _unchecked(checks: Sequence[Check]) -> str:
    """Which checks, and once each of the reasons."""
    reasons = dict.fromkeys(check.statement.removeprefix(f"{NOT_CHECKED}: ") for check in checks)
    return f"{', '.join(check.name for check in checks)}: {'; '.join(reasons)}"


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
