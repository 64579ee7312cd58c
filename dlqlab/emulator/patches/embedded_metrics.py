"""Log lines in embedded metric format become CloudWatch metrics, of the second that the line names.

LocalStack stores such lines and extracts nothing, so that metrics and alarms of functions never see a value. As on AWS
a line that cannot be read makes no metric and is counted: AWS/Logs, EMFParsingErrors or EMFValidationErrors, by
LogGroupName ("Monitoring with CloudWatch metrics", CloudWatch Logs user guide). It also stands in the emulator's log.
"""

import logging
import time
from typing import Any

from localstack.utils.patch import patch as replace
from moto.logs.models import LogsBackend

from dlqlab.emulator.embedded import UNIT, EmbeddedMetricError, readings
from dlqlab.emulator.metric_sums import Metric, MetricSums, shared
from dlqlab.emulator.patches import expect

NAME = "embedded_metrics"
_LOG = logging.getLogger(__name__)


def extract(sums: MetricSums, account_id: str, region: str, group: str, message: str) -> None:
    """Add what a log line measures, or count that it cannot be read."""
    try:
        found = readings(message, now=time.time())
    except EmbeddedMetricError as error:
        _LOG.warning("a line of %s makes no metric: %s", group, error)
        counter = Metric(account_id, region, "AWS/Logs", error.counter, (("LogGroupName", group),), UNIT)
        sums.add(counter, [1.0])
        return
    for reading in found:
        metric = Metric(account_id, region, reading.namespace, reading.name, reading.dimensions, reading.unit)
        sums.add(metric, reading.values, second=reading.second)


def patch() -> None:
    expect(NAME, LogsBackend.put_log_events, "9413dbc08c42")
    sums = shared()

    @replace(LogsBackend.put_log_events)  # type: ignore[untyped-decorator]
    def put_log_events(  # type: ignore[no-untyped-def]  # noqa: ANN202
        original,  # noqa: ANN001
        self,  # noqa: ANN001
        log_group_name: str,
        log_stream_name: str,
        log_events: list[dict[str, Any]],
    ):
        answer = original(self, log_group_name, log_stream_name, log_events)
        for event in log_events:
            extract(sums, self.account_id, self.region_name, log_group_name, event["message"])
        return answer
