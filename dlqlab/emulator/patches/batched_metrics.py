"""CloudWatch metrics of SQS and Lambda are summed up in memory and written once a second as statistic sets.

LocalStack makes one or two PutMetricData calls over HTTP to itself for every send, receive, delete and invocation, so
that observing the pipeline slows it down. Sums, counts, minima and maxima are the same.
"""

import contextlib
import logging
import sqlite3
import threading
import time
from dataclasses import dataclass

from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase
from localstack.services.lambda_.invocation import version_manager
from localstack.services.sqs.provider import CloudwatchDispatcher
from localstack.utils.patch import patch as replace

from dlqlab.emulator.patches import expect
from dlqlab.emulator.patches.in_process import provider

NAME = "batched_metrics"
FLUSH_INTERVAL_S = 1.0
_INSERT = (
    'INSERT INTO {table} ("account_id", "region", "metric_name", "namespace", "timestamp", "dimensions", "unit", '
    '"storage_resolution", "sample_count", "sum", "min", "max") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Metric:
    """What a value is a value of."""

    account_id: str
    region: str
    namespace: str
    name: str
    dimension: str
    dimension_value: str
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


class MetricSums:
    """Collects values of any thread; ``flush`` writes and forgets them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: dict[tuple[Metric, int], Summary] = {}

    def add(self, metric: Metric, value: float) -> None:
        """Values are summed per second of their arrival: that is CloudWatch's finest resolution."""
        key = (metric, int(time.time()))
        with self._lock:
            self._sums.setdefault(key, Summary()).add(value)

    def take(self) -> dict[tuple[Metric, int], Summary]:
        with self._lock:
            sums, self._sums = self._sums, {}
        return sums

    def flush(self) -> None:
        sums = self.take()
        if sums:
            _store(provider("cloudwatch").cloudwatch_database, sums)

    def run(self) -> None:
        while True:
            time.sleep(FLUSH_INTERVAL_S)
            try:
                self.flush()
            except Exception:  # noqa: BLE001  (logged; the next second has its own chance)
                _LOG.exception("metrics of the last second could not be stored")


def _store(database: CloudwatchDatabase, sums: dict[tuple[Metric, int], Summary]) -> None:
    """All sums in one transaction, as the statistic sets that PutMetricData stores one by one."""
    rows = [
        (
            metric.account_id,
            metric.region,
            metric.name,
            metric.namespace,
            second,
            database._get_ordered_dimensions_with_separator(  # noqa: SLF001
                [{"Name": metric.dimension, "Value": metric.dimension_value}]
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


def patch() -> None:
    expect(NAME, CloudwatchDispatcher.dispatch_sqs_metric, "716de8ce5050")
    expect(NAME, version_manager.LambdaVersionManager.invoke, "137699a70e55")
    expect(NAME, version_manager.record_cw_metric_invocation, "716fd65bcb6a")
    expect(NAME, version_manager.record_cw_metric_error, "8def1a39e676")
    expect(NAME, CloudwatchDatabase.add_metric_data, "e2b4e6c816e8")
    sums = MetricSums()
    threading.Thread(target=sums.run, daemon=True, name="dlqlab-metrics").start()

    @replace(CloudwatchDispatcher.dispatch_sqs_metric)  # type: ignore[untyped-decorator]
    def dispatch_sqs_metric(  # type: ignore[no-untyped-def]  # noqa: ANN202
        _original,  # noqa: ANN001
        self,  # noqa: ANN001, ARG001
        account_id: str,
        region: str,
        queue_name: str,
        metric: str,
        value: float = 1,
        unit: str = "Count",
    ):
        sums.add(Metric(account_id, region, "AWS/SQS", metric, "QueueName", queue_name, unit), value)

    def add(names: tuple[str, ...], function_name: str, account_id: str, region_name: str) -> None:
        for name in names:
            metric = Metric(account_id, region_name, "AWS/Lambda", name, "FunctionName", function_name, "Count")
            sums.add(metric, 1)

    def record_invocation(function_name: str, account_id: str, region_name: str) -> None:
        add(("Invocations",), function_name, account_id, region_name)

    def record_error(function_name: str, account_id: str, region_name: str) -> None:
        add(("Invocations", "Errors"), function_name, account_id, region_name)

    def start_thread(method, *args, name=None, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN003, ANN202
        # What is left of recording a metric is a sum: not worth the thread that LocalStack starts for it.
        if name and name.startswith("record-cloudwatch-metric"):
            return method()
        return original_start_thread(method, *args, name=name, **kwargs)

    original_start_thread = version_manager.start_thread
    version_manager.record_cw_metric_invocation = record_invocation
    version_manager.record_cw_metric_error = record_error
    version_manager.start_thread = start_thread
