"""CloudWatch metrics of SQS and Lambda are summed up in memory and written once a second as statistic sets.

LocalStack makes one or two PutMetricData calls over HTTP to itself for every send, receive, delete and invocation, so
that observing the pipeline slows it down. Sums, counts, minima and maxima are the same.
"""

from localstack.services.lambda_.invocation import version_manager
from localstack.services.sqs.provider import CloudwatchDispatcher
from localstack.utils.patch import patch as replace

from dlqlab.emulator.core.isolation import isolated
from dlqlab.emulator.metrics.sums import Metric, shared


def patch() -> None:
    sums, guard = shared(), isolated("metrics of queues and functions")

    @replace(CloudwatchDispatcher.dispatch_sqs_metric)  # type: ignore[untyped-decorator]
    def dispatch_sqs_metric(  # type: ignore[no-untyped-def]
        _original,
        self,  # noqa: ARG001  (LocalStack's signature)
        account_id: str,
        region: str,
        queue_name: str,
        metric: str,
        value: float = 1,
        unit: str = "Count",
    ):
        with guard:
            sums.add(Metric(account_id, region, "AWS/SQS", metric, (("QueueName", queue_name),), unit), [value])

    def add(names: tuple[str, ...], function_name: str, account_id: str, region_name: str) -> None:
        dimensions = (("FunctionName", function_name),)
        with guard:
            for name in names:
                sums.add(Metric(account_id, region_name, "AWS/Lambda", name, dimensions, "Count"), [1])

    def record_invocation(function_name: str, account_id: str, region_name: str) -> None:
        add(("Invocations",), function_name, account_id, region_name)

    def record_error(function_name: str, account_id: str, region_name: str) -> None:
        add(("Invocations", "Errors"), function_name, account_id, region_name)

    def start_thread(method, *args, name=None, **kwargs):  # type: ignore[no-untyped-def]
        # What is left of recording a metric is a sum: not worth the thread that LocalStack starts for it.
        if name and name.startswith("record-cloudwatch-metric"):
            return method()
        return original_start_thread(method, *args, name=name, **kwargs)

    original_start_thread = version_manager.start_thread
    version_manager.record_cw_metric_invocation = record_invocation
    version_manager.record_cw_metric_error = record_error
    version_manager.start_thread = start_thread
