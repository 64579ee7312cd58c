"""Queues, pollers and the event source mapping behave as on AWS, and retries come on time."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import boto3
import pytest
from botocore.config import Config

from dlqlab.waiting import wait_for
from tests.integration.conftest import DeployedFunction, FunctionFactory, queue_arn, read_log

pytestmark = pytest.mark.integration

Aws = Callable[[str], Any]


def _map(aws: Aws, cleanups: ExitStack, function: DeployedFunction, url: str, **options: Any) -> str:
    mapping = aws("lambda").create_event_source_mapping(
        FunctionName=function.name, EventSourceArn=queue_arn(aws, url), **options
    )
    uuid: str = mapping["UUID"]
    cleanups.callback(aws("lambda").delete_event_source_mapping, UUID=uuid)
    return uuid


def _wait_empty(aws: Aws, url: str, deadline_s: float = 30) -> None:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def probe() -> tuple[bool, Any]:
        counts = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return all(value == "0" for value in counts.values()), counts

    wait_for("an empty queue", probe, deadline_s=deadline_s)


def _printed(aws: Aws, function: DeployedFunction) -> list[dict[str, Any]]:
    """What the function printed as JSON."""
    texts = [event["message"] for event in read_log(aws, function.name)]
    return [json.loads(text) for text in texts if text.startswith("{")]


@pytest.mark.parametrize("timeout_s", [1, 2])
def test_message_returns_when_its_visibility_timeout_ends(
    aws: Aws, make_queue: Callable[..., str], timeout_s: int
) -> None:
    """A changed visibility timeout is kept to: the message is never early."""
    url = make_queue(VisibilityTimeout="60")
    aws("sqs").send_message(QueueUrl=url, MessageBody="x")
    message = aws("sqs").receive_message(QueueUrl=url)["Messages"][0]
    asked = time.monotonic()
    aws("sqs").change_message_visibility(
        QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=timeout_s
    )
    again = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    waited_s = time.monotonic() - asked

    assert [message["MessageId"]] == [entry["MessageId"] for entry in again]
    assert timeout_s <= waited_s


def test_extended_message_stays_away(aws: Aws, make_queue: Callable[..., str]) -> None:
    """The first of two timers of a message must not return it once its time was extended."""
    url = make_queue(VisibilityTimeout="1")
    aws("sqs").send_message(QueueUrl=url, MessageBody="x")
    message = aws("sqs").receive_message(QueueUrl=url)["Messages"][0]
    aws("sqs").change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=30)

    assert "Messages" not in aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=3)


def test_deleted_message_does_not_return(aws: Aws, make_queue: Callable[..., str]) -> None:
    """A message that was deleted in flight is gone when its timer fires."""
    url = make_queue(VisibilityTimeout="1")
    aws("sqs").send_message(QueueUrl=url, MessageBody="x")
    message = aws("sqs").receive_message(QueueUrl=url)["Messages"][0]
    aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    assert "Messages" not in aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=3)


def test_delayed_message_arrives_on_time(aws: Aws, make_queue: Callable[..., str]) -> None:
    """DelaySeconds is kept to as visibility timeouts are."""
    url = make_queue()
    sent = time.monotonic()
    aws("sqs").send_message(QueueUrl=url, MessageBody="x", DelaySeconds=2)
    messages = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    waited_s = time.monotonic() - sent

    assert 1 == len(messages)
    assert 2 <= waited_s


def test_body_reaches_the_function_unchanged(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: Callable[..., str]
) -> None:
    """JSON in a body is not parsed and rewritten on its way, and junk gets through as it is."""
    function = make_function(
        """
        import json
        def handler(event, context):
            for record in event['Records']:
                print(json.dumps({'body': record['body'], 'count': record['attributes']['ApproximateReceiveCount']}))
        """
    )
    url = make_queue()
    bodies = ['{"a":1,  "b":"\\u00e9"}', "not json", "[]", "1e2", '{"a":1}']
    for body in bodies:
        aws("sqs").send_message(QueueUrl=url, MessageBody=body)
    _map(aws, cleanups, function, url)
    _wait_empty(aws, url)

    assert sorted(bodies) == sorted(record["body"] for record in _printed(aws, function))
    assert {"1"} == {record["count"] for record in _printed(aws, function)}


def _timed(result: str, seconds: float) -> str:
    """A function that takes a while, prints when it ran, and ends with this statement."""
    return f"""
        import json, time
        def handler(event, context):
            began = time.time()
            time.sleep({seconds})
            print(json.dumps({{'began': began, 'ended': time.time()}}))
            {result}
        """


def _together(runs: list[dict[str, Any]]) -> int:
    """The most runs at any one time."""
    return max(sum(bool(other["began"] <= run["began"] < other["ended"]) for other in runs) for run in runs)


def _send(aws: Aws, url: str, count: int) -> None:
    for start in range(0, count, 10):
        entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(start, min(start + 10, count))]
        aws("sqs").send_message_batch(QueueUrl=url, Entries=entries)


def _wait_runs(aws: Aws, function: DeployedFunction, count: int) -> list[dict[str, Any]]:
    """What the function printed, in order of beginning, once it ran this often."""

    def probe() -> tuple[bool, list[dict[str, Any]]]:
        try:
            runs = _printed(aws, function)
        except aws("logs").exceptions.ResourceNotFoundException:
            runs = []
        return len(runs) == count, runs

    return sorted(wait_for(f"{count} runs", probe, deadline_s=60), key=lambda run: run["began"])


@pytest.mark.parametrize(("options", "expected"), [({}, 5), ({"ScalingConfig": {"MaximumConcurrency": 2}}, 2)])
def test_mapping_starts_with_five_batches_at_once(
    aws: Aws,
    cleanups: ExitStack,
    make_function: FunctionFactory,
    make_queue: Callable[..., str],
    options: dict[str, Any],
    expected: int,
) -> None:
    """A mapping starts with Lambda's 5 concurrent batches, and with fewer under MaximumConcurrency."""
    function, url = make_function(_timed("return None", 3), Timeout=20), make_queue()
    _send(aws, url, 5)
    _map(aws, cleanups, function, url, BatchSize=1, **options)
    runs = _wait_runs(aws, function, 5)

    assert expected == _together(runs)


def test_backlog_makes_a_mapping_grow_up_to_its_bound(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: Callable[..., str]
) -> None:
    """While messages wait and no poller is free there are more batches at once, up to MaximumConcurrency."""
    function, url = make_function(_timed("return None", 2), Timeout=20), make_queue()
    _send(aws, url, 40)
    _map(aws, cleanups, function, url, BatchSize=1, ScalingConfig={"MaximumConcurrency": 8})
    runs = _wait_runs(aws, function, 40)

    assert 5 >= _together([run for run in runs if run["began"] < runs[0]["began"] + 0.5])
    assert 8 == _together(runs)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("raise ValueError('all')", 2),
        ("return {'batchItemFailures': [{'itemIdentifier': event['Records'][0]['messageId']}]}", 5),
    ],
    ids=["errors", "partial failures"],
)
def test_errors_of_the_function_reduce_concurrency_and_failed_items_do_not(
    aws: Aws,
    cleanups: ExitStack,
    make_function: FunctionFactory,
    make_queue: Callable[..., str],
    result: str,
    expected: int,
) -> None:
    """A function that fails gets fewer batches at once; one that reports its failed messages gets as many as before."""
    function, url = make_function(_timed(result, 0.5), Timeout=20), make_queue(VisibilityTimeout="120")
    _send(aws, url, 40)
    options = {"FunctionResponseTypes": ["ReportBatchItemFailures"], "ScalingConfig": {"MaximumConcurrency": 5}}
    _map(aws, cleanups, function, url, BatchSize=1, **options)
    runs = _wait_runs(aws, function, 40)

    assert expected == _together(runs[-10:])


BATCH_RESULTS = [
    ("return {'batchItemFailures': []}", set()),
    ("return None", set()),
    ("return {'batchItemFailures': [{'itemIdentifier': event['Records'][0]['messageId']}]}", {"first"}),
    ("return {'batchItemFailures': [{'itemIdentifier': ''}]}", {"first", "second"}),
    ("return {'batchItemFailures': [{'itemIdentifier': 'unknown'}]}", {"first", "second"}),
    ("return {'batchItemFailures': [{'wrongKey': 'x'}]}", {"first", "second"}),
    ("raise ValueError('all')", {"first", "second"}),
]


@pytest.mark.parametrize(("result", "kept"), BATCH_RESULTS)
def test_partial_batch_response_keeps_what_failed(
    aws: Aws,
    cleanups: ExitStack,
    make_function: FunctionFactory,
    make_queue: Callable[..., str],
    result: str,
    kept: set[str],
) -> None:
    """Of a batch, what the function reports as failed stays, all of it where the report is malformed or it raises."""
    function = make_function(f"def handler(event, context):\n    print('seen')\n    {result}\n", Timeout=5)
    url = make_queue(VisibilityTimeout="60")
    aws("sqs").send_message_batch(
        QueueUrl=url, Entries=[{"Id": name, "MessageBody": name} for name in ("first", "second")]
    )
    _map(aws, cleanups, function, url, FunctionResponseTypes=["ReportBatchItemFailures"])

    def handled() -> tuple[bool, Any]:
        try:
            return any("REPORT" in event["message"] for event in read_log(aws, function.name)), None
        except aws("logs").exceptions.ResourceNotFoundException:
            return False, "no log group yet"

    wait_for("the first batch", handled, deadline_s=20)
    expected = str(len(kept))

    def left() -> tuple[bool, Any]:
        attributes = aws("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
        )["Attributes"]
        return attributes["ApproximateNumberOfMessagesNotVisible"] == expected, attributes

    wait_for(f"{expected} messages in flight", left, deadline_s=10)


def test_plain_success_deletes_everything_whatever_it_returns(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: Callable[..., str]
) -> None:
    """Without ReportBatchItemFailures on the mapping a returned list of failures is ignored, as on AWS."""
    function = make_function(
        """
        def handler(event, context):
            return {'batchItemFailures': [{'itemIdentifier': record['messageId']} for record in event['Records']]}
        """
    )
    url = make_queue()
    aws("sqs").send_message(QueueUrl=url, MessageBody="x")
    _map(aws, cleanups, function, url)

    _wait_empty(aws, url)


def test_failing_message_moves_to_the_dead_letter_queue(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: Callable[..., str]
) -> None:
    """A message is delivered maxReceiveCount times and then moves."""
    function = make_function(
        """
        def handler(event, context):
            print('{"count": %s}' % event['Records'][0]['attributes']['ApproximateReceiveCount'])
            raise ValueError('always')
        """,
        Timeout=1,  # no longer than the visibility timeout, or Lambda refuses the mapping
    )
    dead = make_queue()
    policy = json.dumps({"deadLetterTargetArn": queue_arn(aws, dead), "maxReceiveCount": 3})
    url = make_queue(VisibilityTimeout="1", RedrivePolicy=policy)
    aws("sqs").send_message(QueueUrl=url, MessageBody="doomed")
    _map(aws, cleanups, function, url)
    messages = aws("sqs").receive_message(QueueUrl=dead, WaitTimeSeconds=20)["Messages"]

    assert ["doomed"] == [message["Body"] for message in messages]
    assert [1, 2, 3] == [record["count"] for record in _printed(aws, function)]


def test_updated_mapping_is_enabled_and_works(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: Callable[..., str]
) -> None:
    """After an update the mapping handles messages and says Enabled; the worker it replaced does not disable it."""
    function, url = make_function("def handler(event, context):\n    return None\n"), make_queue()
    uuid = _map(aws, cleanups, function, url)
    aws("lambda").update_event_source_mapping(UUID=uuid, FunctionResponseTypes=["ReportBatchItemFailures"])

    def state() -> tuple[bool, Any]:
        found = aws("lambda").get_event_source_mapping(UUID=uuid)["State"]
        return found == "Enabled", found

    wait_for("the mapping's state", state, deadline_s=10)
    for _ in range(3):
        aws("sqs").send_message(QueueUrl=url, MessageBody="x")
        _wait_empty(aws, url)
    assert "Enabled" == aws("lambda").get_event_source_mapping(UUID=uuid)["State"]


def test_disabled_mapping_stops(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: Callable[..., str]
) -> None:
    """A disabled mapping leaves messages where they are."""
    function, url = make_function("def handler(event, context):\n    return None\n"), make_queue()
    uuid = _map(aws, cleanups, function, url)
    aws("lambda").update_event_source_mapping(UUID=uuid, Enabled=False)

    def stays() -> tuple[bool, Any]:
        # The pollers of the worker that was replaced look up once a second whether they should go on.
        aws("sqs").send_message(QueueUrl=url, MessageBody="x")
        return "Messages" in aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=2), "the message was taken"

    wait_for("a message that stays", stays, deadline_s=10)


def test_metrics_are_counted_per_queue_and_function(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory
) -> None:
    """Sums of SQS and Lambda metrics are exact and do not contain those of a queue whose name begins alike."""
    name = f"metrics-{time.time_ns()}"
    urls = [aws("sqs").create_queue(QueueName=suffix)["QueueUrl"] for suffix in (name, f"{name}-dlq")]
    for url in urls:
        cleanups.callback(aws("sqs").delete_queue, QueueUrl=url)
    for url, count in zip(urls, (3, 5), strict=True):
        for _ in range(count):
            aws("sqs").send_message(QueueUrl=url, MessageBody="x")
    function = make_function("def handler(event, context):\n    return 1 / event['n']\n")
    for n in (1, 2, 0):
        function.invoke({"n": n})

    def total(namespace: str, metric: str, dimension: str, value: str) -> float:
        points = aws("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": dimension, "Value": value}],
            StartTime=time.time() - 120,
            EndTime=time.time() + 60,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    def sums() -> tuple[bool, list[float]]:
        found = [
            total("AWS/SQS", "NumberOfMessagesSent", "QueueName", name),
            total("AWS/SQS", "NumberOfMessagesSent", "QueueName", f"{name}-dlq"),
            total("AWS/Lambda", "Invocations", "FunctionName", function.name),
            total("AWS/Lambda", "Errors", "FunctionName", function.name),
        ]
        return found == [3, 5, 3, 1], found

    wait_for("the metrics of the last second", sums, deadline_s=10)


def test_updated_mapping_keeps_a_failed_message_from_the_first_moment(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: Callable[..., str]
) -> None:
    """Right after ReportBatchItemFailures was set, no poller deletes what failed by the rules before."""
    function = make_function(
        """
        def handler(event, context):
            return {'batchItemFailures': [{'itemIdentifier': record['messageId']} for record in event['Records']]}
        """
    )
    url = make_queue(VisibilityTimeout="60")
    uuid = _map(aws, cleanups, function, url, BatchSize=1)
    aws("lambda").update_event_source_mapping(UUID=uuid, FunctionResponseTypes=["ReportBatchItemFailures"])
    for number in range(10):
        aws("sqs").send_message(QueueUrl=url, MessageBody=str(number))

    def handled() -> tuple[bool, Any]:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        try:
            reports = sum("REPORT" in event["message"] for event in read_log(aws, function.name))
        except aws("logs").exceptions.ResourceNotFoundException:
            reports = 0
        return reports == 10 and counts["ApproximateNumberOfMessages"] == "0", (reports, counts)

    _, counts = wait_for("ten invocations", handled, deadline_s=40)
    assert "10" == counts["ApproximateNumberOfMessagesNotVisible"]


def test_terraform_gets_queue_urls_in_the_form_of_aws(aws: Aws, make_queue: Callable[..., str]) -> None:
    """Its provider takes ``/ACCOUNT/NAME`` only. Both URLs are of the same queue, whoever uses which."""
    url = make_queue()
    endpoint, name = aws("sqs").meta.endpoint_url, url.rpartition("/")[2]
    account = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    config = Config(user_agent_extra="terraform-provider-aws/5.100.0")
    client: Any = boto3.client
    provider = client("sqs", endpoint_url=endpoint, config=config, **account)
    short = provider.get_queue_url(QueueName=name)["QueueUrl"]
    provider.send_message(QueueUrl=short, MessageBody="x")

    assert f"{endpoint}/{queue_arn(aws, url).split(':')[4]}/{name}" == short
    assert "/queue/" in url
    assert "x" == aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]["Body"]
