"""The table of latencies: how it is read, and how times are drawn from it. Pure, but for reading the file."""

import math
import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlqlab.emulator import settings
from dlqlab.errors import UsageError

AWS = settings.LATENCY_OF_AWS
"""The name of the table that comes with the package."""
AWS_TABLE = Path(__file__).with_name("aws.toml")
ANY = "*"
_Z99 = 2.3263478740408408
"""The 99th percentile of the standard normal distribution."""
_TYPES: Mapping[str, tuple[type, ...]] = {
    "service": (str,),
    "operation": (str,),
    "p50_ms": (int, float),
    "p99_ms": (int, float),
    "adds": (bool,),
    "source": (str,),
}


@dataclass(frozen=True, slots=True)
class Row:
    """How long the calls of an operation take, as log-normal times."""

    service: str
    operation: str
    p50_ms: float
    p99_ms: float
    adds: bool
    """Whether it comes on top of the call's own work, or is what the call takes as a whole."""
    source: str


@dataclass(frozen=True, slots=True)
class Table:
    """All rows, in their order, and the seed of what is drawn."""

    rows: tuple[Row, ...]
    seed: int

    def row(self, service: str, operation: str) -> Row | None:
        """The first row that fits; None where none does."""
        fits = (row for row in self.rows if row.service in {service, ANY} and row.operation in {operation, ANY})
        return next(fits, None)


class Draws:
    """Times, by operation: each has a sequence of its own, which depends on the seed alone."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._found: dict[tuple[str, str], tuple[Row, random.Random] | None] = {}

    def draw(self, service: str, operation: str) -> tuple[float, bool]:
        """How long the next call takes, in seconds, and whether that comes on top of its own work."""
        key = service, operation
        if key not in self._found:
            row = self._table.row(service, operation)
            seeded = random.Random(f"{self._table.seed} {service} {operation}")  # noqa: S311  (no secret)
            self._found.setdefault(key, (row, seeded) if row else None)
        found = self._found[key]
        return (seconds(found[0], found[1].gauss(0, 1)), found[0].adds) if found else (0.0, True)


def seconds(row: Row, z: float) -> float:
    """The time at a standard normal deviate: the median at 0, the 99th percentile at 2.33."""
    return row.p50_ms / 1000 * math.exp(z * math.log(row.p99_ms / row.p50_ms) / _Z99)


def read(chosen: str) -> Table:
    """The table of that name or in that file.

    Raises:
        UsageError: there is no such file, or a row makes no sense; it is named.
    """
    path = AWS_TABLE if chosen == AWS else Path(chosen)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--latency {chosen}: {error}: give {AWS} or the path of a table like {AWS}'s") from None
    rows = document.get("latency")
    seed = document.get("seed", 1)
    if not isinstance(rows, list) or not rows or type(seed) is not int:
        raise UsageError(f"--latency {chosen}: give a whole number as seed and at least one [[latency]]")
    return Table(tuple(_row(chosen, number, given) for number, given in enumerate(rows, 1)), seed)


def _row(chosen: str, number: int, given: Mapping[str, Any]) -> Row:
    where = f"--latency {chosen}: row {number}"
    if odd := sorted(given.keys() ^ _TYPES.keys()):
        raise UsageError(f"{where}: {odd[0]} is {'unknown' if odd[0] in given else 'missing'}")
    for name, types in _TYPES.items():
        if type(given[name]) not in types:
            raise UsageError(f"{where}: {name} is {given[name]!r}: give a {types[0].__name__}")
    if not 0 < given["p50_ms"] <= given["p99_ms"] < math.inf:
        raise UsageError(
            f"{where}: p50_ms is {given['p50_ms']} and p99_ms {given['p99_ms']}: give 0 < p50_ms <= p99_ms"
        )
    return Row(**given)
