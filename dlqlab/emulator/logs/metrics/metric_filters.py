"""Metric filters count the lines of their own log group that match their pattern, those of functions included.

LocalStack matches every filter with every line of every group that is put by the API, and none with the lines of
functions. Here a filter's values, default value, dimensions and unit are obeyed; a value belongs to the second of its
line. The lines are looked at outside of the call that stores them.
"""

from typing import Any

from localstack.aws.api.logs import InvalidParameterException, LimitExceededException
from localstack.services.logs.models import get_moto_logs_backend
from localstack.services.logs.provider import LogsProvider
from localstack.services.moto import call_moto
from localstack.utils.patch import patch as replace
from moto.core.utils import unix_time_millis
from moto.logs.models import LogsBackend

from dlqlab.emulator.core.isolation import Worker, isolated, one_by_one
from dlqlab.emulator.logs import operations
from dlqlab.emulator.logs.metrics.transformations import TransformationError, transformation
from dlqlab.emulator.logs.patterns import compile_pattern
from dlqlab.emulator.metrics.sums import Metric, MetricSums, shared

FILTERS_MAX = 100
"""Of a log group."""
BACKLOG_CHARACTERS_MAX = 64 * 1024 * 1024
_PART = "lines for metric filters"
_GUARD = isolated(_PART)

Job = tuple[str, str, list[dict[str, Any]], list[dict[str, Any]]]
"""Account, region, filters, events."""


def count(sums: MetricSums, job: Job) -> None:
    """Add what the lines give by each of the filters."""
    account_id, region, filters, events = job
    for found in filters:
        with _GUARD:
            pattern = compile_pattern(found["filterPattern"])
            wanted = transformation(found["metricTransformations"][0], pattern)
            for event in events:
                reading = wanted.reading(pattern.match(event["message"]))
                if reading is not None:
                    metric = Metric(account_id, region, wanted.namespace, wanted.name, reading.dimensions, wanted.unit)
                    sums.add(metric, [reading.value], second=event["timestamp"] // 1000)


def put_metric_filter(_provider: Any, context: Any, request: dict[str, Any]) -> None:
    pattern = operations.pattern_of(request["filterPattern"], "Invalid metric filter pattern")
    operations.refuse_unsupported(
        request, "applyOnTransformedLogs", "fieldSelectionCriteria", "emitSystemFieldDimensions"
    )
    group, backend = operations.group_of(context, request["logGroupName"]), operations.backend_of(context)
    if len(request["metricTransformations"]) != 1:
        raise InvalidParameterException("metricTransformations: give one")
    try:
        transformation(request["metricTransformations"][0], pattern)
    except TransformationError as error:
        raise InvalidParameterException(str(error)) from error
    name = request["filterName"]
    if not name or len(name) > 512 or set(name) & set(":*"):  # noqa: PLR2004  (as the API's model says)
        raise InvalidParameterException(
            f"1 validation error detected: Value '{name}' at 'filterName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [^:*]*"
        )
    others = [found for found in _of_group(backend, group.name) if found["filterName"] != name]
    if len(others) >= FILTERS_MAX:
        raise LimitExceededException("Resource limit exceeded.")
    operations.check_regex_quota(backend, group, pattern, except_name=name)
    made = {
        "filterName": name,
        "filterPattern": request["filterPattern"],
        "logGroupName": group.name,
        "metricTransformations": request["metricTransformations"],
        "creationTime": int(unix_time_millis()),
    }
    kept = [
        found
        for found in backend.filters.metric_filters
        if (found["logGroupName"], found["filterName"]) != (group.name, name)
    ]
    # One assignment: whoever looks at the filters meanwhile sees the old ones or the new.
    backend.filters.metric_filters = sorted([*kept, made], key=lambda found: str(found["filterName"]))


def _of_group(backend: LogsBackend, group: str) -> list[dict[str, Any]]:
    return [found for found in backend.filters.metric_filters if found["logGroupName"] == group]


def patch() -> None:
    sums = shared()
    worker: Worker[Job] = Worker(
        _PART,
        one_by_one(_PART, lambda job: count(sums, job)),
        backlog_max=BACKLOG_CHARACTERS_MAX,
        name="dlqlab-metric-filters",
    )
    operations.serve("PutMetricFilter", put_metric_filter)

    @replace(LogsProvider.put_log_events)
    def put_log_events(_original, self, context, *args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ARG001  (LocalStack's signature)
        return call_moto(context)

    @operations.around_storing
    def store(original, self, log_events):  # type: ignore[no-untyped-def]
        answer = original(self, log_events)
        with _GUARD:
            backend = get_moto_logs_backend(self.account_id, self.region)
            if backend.filters.metric_filters and (filters := _of_group(backend, self.log_group.name)):
                job = (self.account_id, self.region, filters, log_events)
                worker.give(job, sum(len(event["message"]) for event in log_events))
        return answer

    @replace(LogsBackend.delete_log_group)
    def delete_log_group(original, self, log_group_name):  # type: ignore[no-untyped-def]
        original(self, log_group_name)
        self.filters.metric_filters = [
            found for found in self.filters.metric_filters if found["logGroupName"] != log_group_name
        ]
