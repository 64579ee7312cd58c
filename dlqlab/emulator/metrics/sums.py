"""Metric values summed up in memory and written once a second as statistic sets into the emulator's CloudWatch.

What the patches that measure share. The thread that writes starts with the first value, so that an emulator in which
nobody measures has none.
"""

import contextlib
import functools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlqlab.emulator.core.isolation import isolated, note, warn_once

if TYPE_CHECKING:
    from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase

FLUSH_INTERVAL_S = 1.0
_INSERT = (
    'INSERT INTO {table} ("account_id", "region", "metric_name", "namespace", "timestamp", "dimensions", "unit", '
    '"storage_resolution", "sample_count", "sum", "min", "max") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
)
WAITING_MAX = 200_000
"""Metrics and seconds that may wait to be written, should the database hang."""
_FAILURES_MAX = 10
"""Metrics of a second that cannot be written before the database itself is taken to be the reason."""
_PART = "metrics"


@dataclass(frozen=True, slots=True)
class Metric:
    """What a value is a value of; ``dimensions`` are pairs of name and value."""

    account_id: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str


@dataclass(slots=True)
class Summary:
    """A statistic set in the making."""

    count: int = 0
    total: float = 0.0
    least: float = float("inf")
    greatest: float = float("-inf")

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        self.greatest = max(self.greatest, value)


Sums = dict[tuple[Metric, int], Summary]


class MetricSums:
    """Collects values of any thread; ``write`` gets what came together, about once a second, and owns it."""

    def __init__(self, write: Callable[[Sums], None]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._sums: Sums = {}
        self._writer: threading.Thread | None = None

    def add(self, metric: Metric, values: Iterable[float], *, second: int | None = None) -> None:
        """Values of a second since the epoch, by default the present one: CloudWatch's finest resolution."""
        key = (metric, int(time.time()) if second is None else second)
        with self._lock:
            summary = self._sums.get(key)
            if summary is None:
                if len(self._sums) >= WAITING_MAX:
                    warn_once(_PART, "backlog", f"lost, because {WAITING_MAX:,} wait to be stored")
                    return
                summary = self._sums[key] = Summary()
            for value in values:
                summary.add(value)
            if self._writer is None:
                self._writer = threading.Thread(target=self._run, daemon=True, name="dlqlab-metrics")
                self._writer.start()

    def flush(self) -> None:
        """Write and forget what has come together. A metric that cannot be written does not take others with it."""
        with self._lock:
            sums, self._sums = self._sums, {}
        if not sums:
            return
        try:
            self._write(sums)
        except Exception as error:  # noqa: BLE001  (warned about; the next second has its own chance)
            if len(sums) == 1:
                note(_PART, error)
            else:
                self._write_each(sums)

    def _write_each(self, sums: Sums) -> None:
        failed = 0
        for key, summary in sums.items():
            try:
                self._write({key: summary})
            except Exception as error:  # noqa: BLE001  (warned about)
                note(_PART, error)
                failed += 1
                if failed == _FAILURES_MAX:
                    return

    def _run(self) -> None:
        while True:
            time.sleep(FLUSH_INTERVAL_S)
            with isolated(_PART):
                self.flush()


@functools.cache
def shared() -> MetricSums:
    """The one of this emulator, which writes into its CloudWatch."""
    from dlqlab.emulator.core.services import provider  # noqa: PLC0415  (LocalStack is heavy)

    return MetricSums(lambda sums: store(provider("cloudwatch").cloudwatch_database, sums))


def store(database: "CloudwatchDatabase", sums: Sums) -> None:
    """All sums in one transaction, as the statistic sets that PutMetricData stores one by one."""
    rows = [
        (
            metric.account_id,
            metric.region,
            metric.name,
            metric.namespace,
            second,
            database._get_ordered_dimensions_with_separator(
                [{"Name": name, "Value": value} for name, value in metric.dimensions]
            ),
            metric.unit,
            None,
            summary.count,
            summary.total,
            summary.least,
            summary.greatest,
        )
        for (metric, second), summary in sums.items()
    ]
    with database.DATABASE_LOCK, contextlib.closing(sqlite3.connect(database.METRICS_DB)) as connection, connection:
        connection.executemany(_INSERT.format(table=database.TABLE_AGGREGATED_METRICS), rows)
