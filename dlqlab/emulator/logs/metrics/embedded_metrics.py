"""Log lines in embedded metric format become CloudWatch metrics, of the second that the line names.

LocalStack stores such lines and extracts nothing, so that metrics and alarms of functions never see a value. As on AWS
a line that cannot be read makes no metric and is counted: AWS/Logs, EMFParsingErrors or EMFValidationErrors, by
LogGroupName ("Monitoring with CloudWatch metrics", CloudWatch Logs user guide). The first of a group also stands in the
emulator's log.
"""

import time

from dlqlab.emulator.core.isolation import isolated, warn_once
from dlqlab.emulator.logs import operations
from dlqlab.emulator.logs.metrics.embedded import UNIT, EmbeddedMetricError, readings
from dlqlab.emulator.metrics.sums import Metric, MetricSums, shared

_PART = "metrics embedded in log lines"


def extract(sums: MetricSums, account_id: str, region: str, group: str, message: str) -> None:
    """Add what a log line measures, or count that it cannot be read."""
    try:
        found = readings(message, now=time.time())
    except EmbeddedMetricError as error:
        warn_once(_PART, f"{group} {error.counter}", f"a line of {group} makes no metric: {error}")
        counter = Metric(account_id, region, "AWS/Logs", error.counter, (("LogGroupName", group),), UNIT)
        sums.add(counter, [1.0])
        return
    for reading in found:
        metric = Metric(account_id, region, reading.namespace, reading.name, reading.dimensions, reading.unit)
        sums.add(metric, reading.values, second=reading.second)


def patch() -> None:
    sums, guard = shared(), isolated(_PART)

    @operations.around_storing
    def store(original, self, log_events):  # type: ignore[no-untyped-def]
        answer = original(self, log_events)
        for event in log_events:
            with guard:
                extract(sums, self.account_id, self.region, self.log_group.name, event["message"])
        return answer
