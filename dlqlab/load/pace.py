"""Pacing: when each task is due, whoever is free to send it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slot:
    """One task to send: its number and when it is due, on the clock of the pace."""

    counter: int
    due_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The tasks of one load generator process: ``first + index``, then every ``stride``-th, below ``first + tasks``.

    Shares of one ``first`` and ``stride`` never overlap and together leave nothing out.
    """

    first: int
    index: int
    stride: int
    tasks: int

    @property
    def size(self) -> int:
        return len(range(self.index, self.tasks, self.stride))


class Pace:
    """A schedule shared by the users of a process: task k of the run is due at ``started_s + k / rate_per_s``.

    The rate is offered as long as a user is free; when all are busy tasks go late, and ``late`` says how much. A rate
    of 0 makes every task due at once. No task is handed out at or after ``started_s + duration_s``.
    """

    def __init__(self, share: Share, *, rate_per_s: float, duration_s: float, started_s: float) -> None:
        self._share = share
        self._rate_per_s = rate_per_s
        self._started_s = started_s
        self._ends_s = started_s + duration_s
        self._handed_out = 0
        self.late = Lateness()

    def next(self, now_s: float) -> Slot | None:
        """The next task, or None when there is none left or the time is over."""
        k = self._share.index + self._handed_out * self._share.stride
        due_s = self._started_s + (k / self._rate_per_s if self._rate_per_s else 0.0)
        if k >= self._share.tasks or max(due_s, now_s) >= self._ends_s:
            return None
        self._handed_out += 1
        return Slot(self._share.first + k, due_s if self._rate_per_s else now_s)

    def sent(self, slot: Slot, now_s: float) -> None:
        """Note how late a task was sent."""
        self.late.add(max(0.0, now_s - slot.due_s))

    @property
    def planned(self) -> int:
        """Tasks of this share, whether or not the time allows them all."""
        return self._share.size


@dataclass(slots=True)
class Lateness:
    """How long after they were due tasks were sent, in seconds."""

    n: int = 0
    total_s: float = 0.0
    max_s: float = 0.0

    def add(self, late_s: float) -> None:
        self.n += 1
        self.total_s += late_s
        self.max_s = max(self.max_s, late_s)

    @property
    def mean_s(self) -> float:
        return self.total_s / self.n if self.n else 0.0
