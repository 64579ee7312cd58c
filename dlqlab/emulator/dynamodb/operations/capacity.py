"""What operations consume, for ReturnConsumedCapacity ("DynamoDB read and write operations", developer guide).

A read takes a unit for each 4 KB of what is read, half of one if it is eventually consistent, two in a transaction; a
write a unit for each KB of the larger of the old and the new item, two in a transaction, and as much for each index
whose entry changes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dlqlab.emulator.dynamodb.operations.tables import Table
from dlqlab.emulator.dynamodb.values import Attributes, item_size

_READ_BYTES, _WRITE_BYTES = 4096, 1024


def read_units(size: int, *, consistent: bool, transaction: bool = False) -> float:
    """Units of a read of so many bytes."""
    each = 2.0 if transaction else 1.0 if consistent else 0.5
    return max(1, math.ceil(size / _READ_BYTES)) * each


def write_units(*items: Attributes | None) -> float:
    """Units of a write that has one of these items before and the other one after it."""
    return float(max(1, math.ceil(max((item_size(item) for item in items if item), default=0) / _WRITE_BYTES)))


def index_units(table: Table, old: Attributes | None, new: Attributes | None) -> dict[str, float]:
    """Units of the indexes whose entries a write changes."""
    found = {}
    for index in table.indexes.values():
        before = index.of(old) if old and index.holds(old) else None
        after = index.of(new) if new and index.holds(new) else None
        if before == after:
            continue
        moved = before and after and any(before[name] != after[name] for name in index.keys.names)
        found[index.name] = write_units(before) + write_units(after) if moved else write_units(before, after)
    return found


@dataclass(slots=True)
class Consumed:
    """What a request consumed, table by table."""

    mode: str
    """NONE, TOTAL or INDEXES, as the request asks."""
    tables: dict[str, tuple[Table, float, dict[str, float]]] = field(default_factory=dict)

    def add(self, table: Table, units: float, indexes: Mapping[str, float] = {}) -> None:
        """Units of the table, and of its indexes."""
        _, before, known = self.tables.get(table.name, (table, 0.0, {}))
        total = {name: known.get(name, 0.0) + indexes.get(name, 0.0) for name in (*known, *indexes)}
        self.tables[table.name] = table, before + units, total

    def write(self, table: Table, old: Attributes | None, new: Attributes | None, *, factor: float = 1.0) -> None:
        """A write of an item."""
        units = {name: units * factor for name, units in index_units(table, old, new).items()}
        self.add(table, write_units(old, new) * factor, units)

    def one(self) -> dict[str, Any]:
        """The member of the answer where the request is of one table; empty unless it was asked for."""
        found = self.all().get("ConsumedCapacity", [])
        return {"ConsumedCapacity": found[0]} if found else {}

    def all(self, kind: str | None = None) -> dict[str, Any]:
        """The member of the answer with an entry for each table; empty unless it was asked for.

        Args:
            kind: ``Read`` or ``Write`` in transactions, whose units are named so too.
        """
        if self.mode == "NONE":
            return {}
        return {"ConsumedCapacity": [self._entry(name, kind) for name in self.tables]}

    def _entry(self, name: str, kind: str | None) -> dict[str, Any]:
        table, units, indexes = self.tables[name]
        entry = {"TableName": name, **_units(units + sum(indexes.values()), kind)}
        if self.mode == "INDEXES":
            entry["Table"] = _units(units, kind)
            for member, is_global in (("GlobalSecondaryIndexes", True), ("LocalSecondaryIndexes", False)):
                own = {
                    index: _units(used, kind)
                    for index, used in indexes.items()
                    if table.indexes[index].is_global == is_global
                }
                if own:
                    entry[member] = own
        return entry


def _units(units: float, kind: str | None) -> dict[str, float]:
    return {"CapacityUnits": units, **({f"{kind}CapacityUnits": units} if kind else {})}
