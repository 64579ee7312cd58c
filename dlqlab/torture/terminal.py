"""A matrix in the terminal: a line a row, then what broke and what to do about it."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dlqlab.analysis.reach import PLAIN
from dlqlab.paths import shown
from dlqlab.torture.judged import Outcome
from dlqlab.torture.result import Answer, Change, Result
from dlqlab.wording import count

SIGNS = {
    Outcome.SURVIVED: ("✓", "green"),
    Outcome.DEGRADED: ("~", "yellow"),
    Outcome.BROKEN: ("✗", "red"),
    Outcome.UNTOUCHED: ("?", "yellow"),
    Outcome.UNKNOWN: ("?", "yellow"),
}
_EXAMPLES = 3


def print_row(answer: Answer, console: Console) -> None:
    """One row as it ends."""
    sign, style = SIGNS[answer.outcome]
    text = f"{answer.strikes:,} strikes, {answer.took_s:.0f} s" if answer.faults else f"{answer.took_s:.0f} s"
    line = f"[{style}]{sign}[/] {escape(answer.name):<32} [{style}]{answer.outcome:<9}[/] {text}"
    console.print(line, soft_wrap=True)


def print_result(result: Result, folder: Path, console: Console, differences: Sequence[Change] = ()) -> None:
    """The table, what broke with messages, reason, rule and remedy, what is left out, what changed."""
    table = Table(box=None, pad_edge=False)
    for name in ("", "row", "outcome", "strikes", "messages", "what happened"):
        table.add_column(name, justify="right" if name in {"strikes", "messages"} else "left", overflow="fold")
    for answer in result.in_order():
        sign, style = SIGNS[answer.outcome]
        table.add_row(
            f"[{style}]{sign}[/]",
            escape(answer.name),
            f"[{style}]{answer.outcome}[/]",
            f"{answer.strikes:,}" if answer.faults else "",
            f"{len(answer.messages):,}" if answer.harms else "",
            escape(_what(answer)),
        )
    console.print(table)
    for answer in result.in_order():
        if answer.outcome is Outcome.BROKEN:
            _print_broken(answer, folder, console)
    for text in result.left_out:
        console.print(f"left out: {escape(text)}", soft_wrap=True)
    for change in differences:
        console.print(escape(f"since the last time: {change.name}: {change.before}, now {change.now}"), soft_wrap=True)
    console.print(f"[bold]{escape(summary(result))}[/]", soft_wrap=True)


def summary(result: Result) -> str:
    """``20 rows: 15 survived, 3 degraded, 2 broken``, without the baseline."""
    rows = [one for one in result.answers if one is not result.baseline]
    parts = [f"{n:,} {outcome}" for outcome in Outcome if (n := sum(one.outcome is outcome for one in rows))]
    return f"{count(len(rows), 'row')}: {', '.join(parts) or 'none was run'}"


def _what(answer: Answer) -> str:
    if not answer.harms:
        is_plain = bool(answer.faults) and answer.never.startswith(PLAIN)
        return answer.reason or (PLAIN if is_plain else "")
    said = [
        f"{len(harm.messages):,} {name(harm.name)}" for harm in answer.harms if harm.name not in answer.also_without
    ]
    said += [f"{name(harm.name)} also without faults" for harm in answer.harms if harm.name in answer.also_without]
    return ", ".join(said)


def name(harm: str) -> str:
    """A harm's name as people read it."""
    return harm.replace("_", " ")


def _print_broken(answer: Answer, folder: Path, console: Console) -> None:
    first = answer.first
    if first is None:
        return
    every = list(dict.fromkeys(answer.tasks_of.get(one, one) for one in first.messages))
    tasks, more = ", ".join(every[:_EXAMPLES]), len(every) - _EXAMPLES
    console.print(f"\n[red]{escape(answer.name)}[/]: {escape(answer.what)}", soft_wrap=True)
    lines = [
        ("reason", first.text + ("" if answer.is_the_faults_doing else " So it is without faults too.")),
        ("tasks", tasks + (f" and {more:,} more" if more > 0 else "")),
        ("rule", answer.rule),
        ("remedy", answer.remedy),
        ("look", f"dlqlab trace {first.messages[0]} --run {shown(folder / answer.run)}"),
    ]
    for title, text in lines:
        if text:
            console.print(f"  {title:<7} {escape(text)}", soft_wrap=True)
