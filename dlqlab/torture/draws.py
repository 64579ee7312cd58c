"""What a hunt tries: faults, rates and a pace of the load, drawn from what the matrix of a pipeline has. Pure."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dlqlab.contracts.injection import FAILURES, Fault, Kind, Place
from dlqlab.torture.matrix import Matrix, Row

_COUNTS = (1, 1, 1, 2, 2, 3)
_RATES = (0.05, 0.1, 0.2, 0.5)
_RECEIVES: Sequence[tuple[int, ...]] = ((), (1,), (1,), (2,), (1, 2))
_PACES = (0.5, 1.0, 1.0, 2.0, 5.0)
_AT_SEND = frozenset({Kind.LATE, Kind.REORDER, Kind.EXPIRED})
"""Struck before the first receive: receive counts say nothing about them."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One play of a hunt: its faults, the seed of its tasks and draws, and the pace of its load in tasks a second."""

    row: Row
    seed: int
    rate_per_s: float

    def failing(self) -> dict[str, float]:
        """How likely each function's invocation is to fail by the faults alone, as far as all receives are meant.

        By its name, or the part of it that no deployment changes.
        """
        found: dict[str, float] = {}
        for fault in self.row.faults:
            if fault.kind in FAILURES and not fault.receives:
                name = fault.function.partition("*")[0]
                found[name] = 1 - (1 - found.get(name, 0.0)) * (1 - fault.rate)
        return found


def pool_of(matrix: Matrix) -> tuple[Fault, ...]:
    """Every fault of a matrix, each once."""
    by_name = {fault.name: fault for row in matrix.rows for fault in row.faults}
    return tuple(by_name.values())


def draw(pool: Sequence[Fault], number: int, *, seed: int, rate_per_s: float) -> Draw:
    """The play with this number, a function of the seed and the number alone.

    Args:
        pool: the faults that there are to choose from; at least one.
        rate_per_s: the usual pace of the load.
    """
    by = random.Random(f"{seed} hunt {number}")  # noqa: S311  (no secret)
    chosen = by.sample(pool, min(by.choice(_COUNTS), len(pool)))
    faults = tuple(_varied(fault, by) for fault in sorted(chosen, key=lambda one: one.name))
    what = " and ".join(_told(fault) for fault in faults)
    pace = rate_per_s * by.choice(_PACES)
    return Draw(Row(f"play-{number}", what, faults), seed + number, pace)


def order(draws: Sequence[Draw], severities: Iterable[float | None]) -> list[Draw]:
    """The draws as they are played: by turns the worst that the twin foresees, and one of which it can say nothing."""
    judged, unjudged = [], []
    for one, severity in zip(draws, severities, strict=True):
        if severity is None:
            unjudged.append(one)
        else:
            judged.append((severity, one))
    worst = [one for _, one in sorted(judged, key=lambda pair: -pair[0])]
    ordered = []
    while worst or unjudged:
        ordered += [worst.pop(0)] if worst else []
        ordered += [unjudged.pop(0)] if unjudged else []
    return ordered


def _varied(fault: Fault, by: random.Random) -> Fault:
    if fault.place is Place.EMULATOR:
        return fault
    rate, receives = by.choice(_RATES), by.choice(_RECEIVES)
    if fault.place is Place.REQUEST or fault.kind in _AT_SEND:
        return replace(fault, rate=rate)
    return replace(fault, rate=rate, receives=receives)


def _told(fault: Fault) -> str:
    if fault.place is Place.EMULATOR:
        return fault.name
    at = f" at receive {' and '.join(map(str, fault.receives))}" if fault.receives else ""
    return f"{fault.name} of {fault.rate:.0%}{at}"
