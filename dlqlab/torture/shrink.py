"""The fewest tasks and strikes that still show what a row breaks.

Whether a smaller case shows it is asked of a function, so that this is pure; each question may take a whole run.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

FIRST_SIZES, LATER_SIZES = (1, 2), (3, 5)
"""Struck tasks that are tried alone: mostly a few suffice, whichever they are."""
QUESTIONS_MAX = 20


type Strike = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Case:
    """The tasks with these numbers, from 0, are sent; each of the strikes is a task's number and a fault's place."""

    tasks: tuple[int, ...]
    strikes: tuple[Strike, ...]

    @property
    def struck(self) -> tuple[int, ...]:
        """The numbers of the tasks that are struck."""
        return tuple(dict.fromkeys(task for task, _ in self.strikes))

    def of(self, tasks: Iterable[int]) -> Self:
        """Only these tasks, with all their strikes."""
        kept = tuple(sorted(tasks))
        return replace(self, tasks=kept, strikes=tuple(one for one in self.strikes if one[0] in kept))


Shows = Callable[[Case], bool]


def shrink(whole: Case, shows: Shows, *, suspects: Sequence[int] = (), questions_max: int = QUESTIONS_MAX) -> Case:
    """The smallest case that shows it, as far as so many questions find one; the whole one where none smaller does.

    Args:
        whole: the case that is known to show it.
        shows: whether a case shows it.
        suspects: the tasks that something happened to, which are tried first.
        questions_max: how often that is asked at most.
    """
    asker = _Asker(shows, questions_max)
    found = next((case for case in _guesses(whole, suspects) if asker(case)), whole)
    return _fewer_strikes(_fewer_tasks(found, asker), asker)


class _Asker:
    """Asks about each case once, and says no when it may ask no more."""

    def __init__(self, shows: Shows, left: int) -> None:
        self._shows = shows
        self._left = left
        self._known: dict[Case, bool] = {}

    def __call__(self, case: Case) -> bool:
        if case not in self._known:
            if not self._left:
                return False
            self._left -= 1
            self._known[case] = self._shows(case)
        return self._known[case]


def _guesses(whole: Case, suspects: Sequence[int]) -> Iterator[Case]:
    """A few of the struck tasks alone, first those that something happened to; all that is known to take part."""
    struck = [*(one for one in suspects if one in whole.struck), *(one for one in whole.struck if one not in suspects)]
    part = {*whole.struck, *suspects}

    def alone(sizes: Sequence[int]) -> Iterator[Case]:
        return (whole.of(struck[:size]) for size in sizes if size <= len(struck) and size < len(whole.tasks))

    yield from alone(FIRST_SIZES)
    if 0 < len(part) < len(whole.tasks):
        yield whole.of(part)
    yield from alone(LATER_SIZES)


def _fewer_tasks(found: Case, shows: Shows) -> Case:
    """Tasks are left out, struck or not, as long as one that is struck remains."""
    return found.of(_minimised(found.tasks, lambda some: bool(found.of(some).strikes) and shows(found.of(some))))


def _fewer_strikes(found: Case, shows: Shows) -> Case:
    """The same tasks are sent, and fewer of them struck, or by fewer of the row's faults."""
    strikes = _minimised(found.strikes, lambda some: shows(replace(found, strikes=tuple(some))))
    return replace(found, strikes=tuple(strikes))


def _minimised[T](units: Sequence[T], shows: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """Delta debugging (Zeller and Hildebrandt 2002, ddmin): halves, then smaller parts, are left out while it shows."""
    left, parts = list(units), 2
    while len(left) > 1:
        size = -(-len(left) // parts)
        chunks = [left[at : at + size] for at in range(0, len(left), size)]
        fewer = next((some for chunk in chunks if shows(some := _without(left, chunk))), None)
        if fewer is not None:
            left, parts = fewer, max(parts - 1, 2)
        elif parts >= len(left):
            break
        else:
            parts = min(parts * 2, len(left))
    return left


def _without[T](some: Sequence[T], chunk: Sequence[T]) -> list[T]:
    left_out = set(chunk)
    return [one for one in some if one not in left_out]
