"""Phases of a run in the terminal: a progress bar while one runs, one line once it is over."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_WIDTH = 9


@dataclass(slots=True)
class Phase:
    """A phase under way; ``note`` ends up in its line."""

    name: str
    note: str = ""
    failed: bool = False
    """Said by a phase that came to its end without what it was for."""
    _bar: Progress | None = None
    _task: TaskID | None = None

    def update(self, *, done: float | None = None, total: float | None = None, note: str | None = None) -> None:
        """How far it is; without a total the bar pulses."""
        if note is not None:
            self.note = note
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, description=self.note)


@dataclass(slots=True)
class Phases:
    """Runs phases one after another and keeps how long each took, in seconds."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)
    current: str = "start"
    """The phase that is under way, or the last one."""
    on_end: Callable[[str], None] = lambda _name: None
    """Told the name of each phase that has ended."""

    @contextmanager
    def phase(self, name: str, note: str = "") -> Iterator[Phase]:
        """One phase. It is listed with its time whether it succeeds or fails."""
        began = time.monotonic()
        phase = Phase(name, note)
        self.current = name
        ended = False
        try:
            if self.console.is_terminal:
                yield from self._with_bar(phase)
            else:
                yield phase
            ended = True
        finally:
            self.seconds[name] = round(time.monotonic() - began, 3)
            self.on_end(name)
            sign = "[green]✓[/]" if ended and not phase.failed else "[red]✗[/]"
            self.console.print(
                f"{sign} {name:<{_WIDTH}} {self.seconds[name]:6.1f} s  {phase.note}", highlight=False, soft_wrap=True
            )

    def _with_bar(self, phase: Phase) -> Iterator[Phase]:
        columns = (
            TextColumn(f"  {phase.name:<{_WIDTH}}"),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
        )
        with Progress(*columns, console=self.console, transient=True) as bar:
            phase._bar, phase._task = bar, bar.add_task(phase.note, total=None)  # noqa: SLF001  (a phase shows nobody else its bar)
            yield phase
