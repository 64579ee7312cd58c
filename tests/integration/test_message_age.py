"""The alarm on the age of the oldest message, on an emulator that reports its gauges every second."""

from collections.abc import Iterator
from typing import Any

import pytest

from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle
from dlqlab.waiting import wait_for
from tests.integration.conftest import make_client

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
PERIOD_S = 10
AGE_MAX_S = 3


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """SQS and CloudWatch of an emulator of its own."""
    extra = {"SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL": "1"}
    running = lifecycle.start(ANY_PORT, bound=True, root=tmp_path_factory.mktemp("age"), extra=extra)
    yield make_client(running, "sqs"), make_client(running, "cloudwatch")
    lifecycle.stop(running)


def test_alarm_on_age_goes_off_and_comes_back(clients: tuple[Any, Any]) -> None:
    """A message that nobody receives sets the alarm off; once it is deleted the alarm ends."""
    sqs, cloudwatch = clients
    url = sqs.create_queue(QueueName="ages")["QueueUrl"]
    cloudwatch.put_metric_alarm(
        AlarmName="age",
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": "ages"}],
        Statistic="Maximum",
        Period=PERIOD_S,
        EvaluationPeriods=1,
        Threshold=AGE_MAX_S,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )

    def probe(wanted: str) -> tuple[bool, str]:
        state = cloudwatch.describe_alarms(AlarmNames=["age"])["MetricAlarms"][0]["StateValue"]
        return state == wanted, state

    sqs.send_message(QueueUrl=url, MessageBody="old")
    wait_for("the alarm", lambda: probe("ALARM"), deadline_s=90, interval_s=0.5)
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    wait_for("its end", lambda: probe("OK"), deadline_s=90, interval_s=0.5)
    history = cloudwatch.describe_alarm_history(AlarmName="age", HistoryItemType="StateUpdate")["AlarmHistoryItems"]

    assert len(history) >= 2
