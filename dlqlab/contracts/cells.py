"""Cells: several emulators side by side, each with a whole pipeline, that share the tasks of one run.

Task number k of a run belongs to cell ``k mod n``, and its number is in its id. The tables of a run on cells say in the
column ``cell`` where each row is from; ``cell_samples`` adds up what was sampled cell by cell.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """One of the cells of a run; ``number`` counts from 0."""

    number: int = 0
    of: int = 1

    def share(self, tasks: int) -> int:
        """How many of a run's tasks are this cell's."""
        return len(range(self.number, tasks, self.of))

    def users(self, users: int) -> int:
        """How many of a run's clients are this cell's: the first cells take what is left over, each has one."""
        return max(1, users // self.of + (self.number < users % self.of))


ALONE = Cell()
