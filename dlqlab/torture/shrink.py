"""The fewest tasks and strikes that still show what a row breaks.

Whether a smaller case shows it is asked of a function, so that this is pure; each question may take a whole run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

SIZES = (1, 2, 3, 5, 8)
"""Tasks that are tried first, all of them struck: mostly a few suffice, whichever they are."""
QUESTIONS_MAX = 14


@dataclass(frozen=True, slots=True)
class Small:
    """A case: so many tasks are sent, the first of the seed, and those with these numbers, from 0, are struck."""

    tasks: int
    struck: tuple[int, ...]


Shows = Callable[[Small], bool]


def shrink(whole: Small, shows: Shows, *, questions_max: int = QUESTIONS_MAX) -> Small:
    """The smallest case that shows it, as far as so many questions find one; the whole one where none smaller does.

    Args:
        whole: the case that is known to show it.
        shows: whether a case shows it.
        questions_max: how often that is asked at most.
    """
    asker = _Asker(shows, questions_max)
    found = _few(whole, asker) or _bisected(whole, asker)
    return _fewer_tasks(_fewer_strikes(found, asker), asker)


class _Asker:
    """Asks about each case once, and says no when it may ask no more."""

    def __init__(self, shows: Shows, left: int) -> None:
        self._shows = shows
        self._left = left
        self._known: dict[Small, bool] = {}

    def __call__(self, case: Small) -> bool:
        if case not in self._known:
            if not self._left:
                return False
            self._left -= 1
            self._known[case] = self._shows(case)
        return self._known[case]


def _few(whole: Small, shows: Shows) -> Small | None:
    """The first tasks of the seed, all of them struck."""
    sizes = (size for size in SIZES if size < whole.tasks)
    return next((case for size in sizes if shows(case := Small(size, tuple(range(size))))), None)


def _bisected(whole: Small, shows: Shows) -> Small:
    """The first half of the struck tasks again and again, with as many tasks as are needed to send them."""
    found = whole
    while len(found.struck) > 1:
        half = found.struck[: (len(found.struck) + 1) // 2]
        smaller = Small(max(half) + 1, half)
        if smaller.tasks >= found.tasks or not shows(smaller):
            return found
        found = smaller
    return found


def _fewer_strikes(found: Small, shows: Shows) -> Small:
    """Delta debugging (Zeller and Hildebrandt 2002): parts of the struck tasks are left out while it still shows."""
    struck, parts = list(found.struck), 2
    while len(struck) > 1:
        size = -(-len(struck) // parts)
        chunks = [struck[at : at + size] for at in range(0, len(struck), size)]
        without = (_without(struck, chunk) for chunk in chunks)
        fewer = next((some for some in without if some and shows(Small(found.tasks, tuple(some)))), None)
        if fewer is not None:
            struck, parts = fewer, max(parts - 1, 2)
        elif parts >= len(struck):
            break
        else:
            parts = min(parts * 2, len(struck))
    return Small(found.tasks, tuple(struck))


def _fewer_tasks(found: Small, shows: Shows) -> Small:
    """The fewest tasks that are sent, by bisection: at least as many as the last of the struck ones needs."""
    low, high = max(found.struck, default=0), found.tasks
    while high - low > 1:
        middle = (low + high) // 2
        if shows(Small(middle, found.struck)):
            high = middle
        else:
            low = middle
    return Small(high, found.struck)


def _without(some: Sequence[int], chunk: Sequence[int]) -> list[int]:
    left_out = set(chunk)
    return [one for one in some if one not in left_out]
