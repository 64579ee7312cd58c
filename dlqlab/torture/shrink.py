"""The fewest tasks, strikes and faults that still show what a row breaks.

Whether a smaller case shows it is asked of a function, so that this is pure; each question may take a whole run.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

FIRST_SIZES, LATER_SIZES = (1, 2), (3, 5)
"""Struck tasks that are tried alone: mostly a few suffice, whichever they are."""
QUESTIONS_MAX = 20


@dataclass(frozen=True, slots=True)
class Case:
    """The tasks with these numbers, from 0, are sent, those of ``struck`` are struck, by the faults at these places."""

    tasks: tuple[int, ...]
    struck: tuple[int, ...]
    faults: tuple[int, ...] = (0,)


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
    for reduced in (_fewer_tasks, _fewer_strikes, _fewer_faults):
        found = reduced(found, asker)
    return found


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
    part = sorted({*whole.struck, *suspects})

    def alone(sizes: Sequence[int]) -> Iterator[Case]:
        for size in sizes:
            some = tuple(sorted(struck[:size]))
            if size < len(whole.tasks) and len(some) == size:
                yield replace(whole, tasks=some, struck=some)

    yield from alone(FIRST_SIZES)
    if 0 < len(part) < len(whole.tasks):
        yield replace(whole, tasks=tuple(part))
    yield from alone(LATER_SIZES)


def _fewer_tasks(found: Case, shows: Shows) -> Case:
    """Tasks are left out, struck or not, as long as one that is struck remains."""

    def of(some: Sequence[int]) -> Case:
        return replace(found, tasks=tuple(some), struck=tuple(one for one in found.struck if one in some))

    return of(_minimised(found.tasks, lambda some: bool(of(some).struck) and shows(of(some))))


def _fewer_strikes(found: Case, shows: Shows) -> Case:
    """The same tasks are sent, and fewer of them struck."""
    struck = _minimised(found.struck, lambda some: shows(replace(found, struck=tuple(some))))
    return replace(found, struck=tuple(struck))


def _fewer_faults(found: Case, shows: Shows) -> Case:
    """Fewer of the row's faults strike them."""
    faults = _minimised(found.faults, lambda some: shows(replace(found, faults=tuple(some))))
    return replace(found, faults=tuple(faults))


def _minimised(units: Sequence[int], shows: Callable[[Sequence[int]], bool]) -> Sequence[int]:
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


def _without(some: Sequence[int], chunk: Sequence[int]) -> list[int]:
    left_out = set(chunk)
    return [one for one in some if one not in left_out]
