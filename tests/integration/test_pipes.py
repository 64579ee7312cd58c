"""EventBridge Pipes: from queues and streams to each kind of target."""

import json
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.waiting import wait_for
from tests.integration.conftest import ROLE, FunctionFactory, queue_arn

pytestmark = pytest.mark.integration

Aws = Callable[[str], Any]
MakeQueue = Callable[..., str]
ENRICHES = """
    def handler(event, context):
        return [{'twice': 2 * item['n'], 'of': item['n']} for item in event]
    """
REPORTS = """
    import json
    def handler(event, context):
        bad = [one['messageId'] for one in event if json.loads(one['body'])['n'] == 2]
        return {'batchItemFailures': [{'itemIdentifier': one} for one in bad]}
    """


@pytest.fixture
def make_pipe(aws: Aws, cleanups: ExitStack) -> Callable[..., str]:
    """Makes pipes; the name."""

    def make(source: str, target: str, **options: Any) -> str:
        name = f"p-{uuid.uuid4().hex[:8]}"
        aws("pipes").create_pipe(Name=name, Source=source, Target=target, RoleArn=ROLE, **options)

        def remove() -> None:
            with suppress(aws("pipes").exceptions.NotFoundException):  # the test may have done so
                aws("pipes").delete_pipe(Name=name)

        cleanups.callback(remove)
        return name

    return make


def _bodies(aws: Aws, url: str, count: int) -> list[Any]:
    """What arrives in a queue, once it is so much."""
    found: list[Any] = []

    def probe() -> tuple[bool, list[Any]]:
        answer = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            found.append(json.loads(message["Body"]))
            aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(found) >= count, found

    wait_for(f"{count} messages", probe, deadline_s=30)
    return found


def _wait_empty(aws: Aws, url: str) -> None:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def probe() -> tuple[bool, dict[str, str]]:
        found = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return set(found.values()) == {"0"}, found

    wait_for("the queue is empty", probe, deadline_s=30)


def _send(aws: Aws, url: str, *numbers: int, **ids: str) -> None:
    for number in numbers:
        aws("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"n": number, "g": number % 2}), **ids)


def test_messages_are_filtered_enriched_and_put_into_form(
    aws: Aws, make_queue: MakeQueue, make_function: FunctionFactory, make_pipe: Callable[..., str]
) -> None:
    """From a queue to a FIFO queue; a stopped pipe leaves what comes."""
    source, target = make_queue(), make_queue(is_fifo=True)
    name = make_pipe(
        queue_arn(aws, source),
        queue_arn(aws, target),
        Enrichment=make_function(ENRICHES).arn,
        EnrichmentParameters={"InputTemplate": '{"n": <$.body.n>}'},
        SourceParameters={"FilterCriteria": {"Filters": [{"Pattern": '{"body": {"n": [{"numeric": ["<", 3]}]}}'}]}},
        TargetParameters={
            "InputTemplate": '{"made": <$.twice>, "text": "<$.of> by <aws.pipes.pipe-name>"}',
            "SqsQueueParameters": {"MessageGroupId": "$.made"},
        },
    )
    _send(aws, source, 1, 2, 3)

    arrived = sorted(_bodies(aws, target, 2), key=lambda one: one["made"])
    assert arrived == [{"made": number * 2, "text": f"{number} by {name}"} for number in (1, 2)]
    _wait_empty(aws, source)
    assert aws("pipes").describe_pipe(Name=name)["CurrentState"] == "RUNNING"

    aws("pipes").stop_pipe(Name=name)
    assert aws("pipes").describe_pipe(Name=name)["CurrentState"] == "STOPPED"
    aws("pipes").update_pipe(Name=name, RoleArn=ROLE, TargetParameters={
        "InputTemplate": '{"new": <$.twice>}', "SqsQueueParameters": {"MessageGroupId": "g"},
    })  # fmt: skip
    _send(aws, source, 2)
    aws("pipes").start_pipe(Name=name)
    assert _bodies(aws, target, 1) == [{"new": 4}]
    assert name in {one["Name"] for one in aws("pipes").list_pipes(NamePrefix="p-")["Pipes"]}


def test_records_of_kinesis_are_read_into_form(
    aws: Aws, cleanups: ExitStack, make_queue: MakeQueue, make_pipe: Callable[..., str]
) -> None:
    """Their data as JSON, out of its base64; filtered by it."""
    target, stream = make_queue(), f"s-{uuid.uuid4().hex[:8]}"
    aws("kinesis").create_stream(StreamName=stream, ShardCount=1)
    cleanups.callback(aws("kinesis").delete_stream, StreamName=stream)
    for number in (1, 2):
        data = json.dumps({"n": number}).encode()
        aws("kinesis").put_record(StreamName=stream, PartitionKey=f"k{number}", Data=data)
    make_pipe(
        f"arn:aws:kinesis:us-east-1:000000000000:stream/{stream}",
        queue_arn(aws, target),
        SourceParameters={
            "KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON"},
            "FilterCriteria": {"Filters": [{"Pattern": '{"data": {"n": [2]}}'}]},
        },
        TargetParameters={"InputTemplate": '{"n": <$.data.n>, "key": <$.partitionKey>, "by": <$.eventSource>}'},
    )

    assert _bodies(aws, target, 1) == [{"n": 2, "key": "k2", "by": "aws:kinesis"}]


def test_reported_failure_comes_again_until_it_is_a_dead_letter(
    aws: Aws, make_queue: MakeQueue, make_function: FunctionFactory, make_pipe: Callable[..., str]
) -> None:
    """The others of its batch are done."""
    dead = make_queue()
    policy = json.dumps({"deadLetterTargetArn": queue_arn(aws, dead), "maxReceiveCount": 2})
    source = make_queue(VisibilityTimeout="1", RedrivePolicy=policy)
    make_pipe(queue_arn(aws, source), make_function(REPORTS).arn)
    _send(aws, source, 1, 2, 3)

    assert [one["n"] for one in _bodies(aws, dead, 1)] == [2]
    _wait_empty(aws, source)


@pytest.fixture
def stream(aws: Aws, cleanups: ExitStack) -> tuple[str, str]:
    """A table with a stream: its name, and the stream's ARN."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    made = aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    cleanups.callback(aws("dynamodb").delete_table, TableName=name)
    return name, made["LatestStreamArn"]


OF_STREAM = {"StartingPosition": "TRIM_HORIZON", "BatchSize": 10}


def test_changes_of_a_table_reach_topic_bus_and_log(
    aws: Aws, cleanups: ExitStack, make_queue: MakeQueue, make_pipe: Callable[..., str], stream: tuple[str, str]
) -> None:
    """Three pipes read the same stream, each by itself."""
    table, arn = stream
    unique, told, ruled = uuid.uuid4().hex[:8], make_queue(), make_queue()
    topic = aws("sns").create_topic(Name=f"topic-{unique}")["TopicArn"]
    cleanups.callback(aws("sns").delete_topic, TopicArn=topic)
    aws("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue_arn(aws, told), Attributes={"RawMessageDelivery": "true"}
    )
    bus = aws("events").create_event_bus(Name=f"bus-{unique}")["EventBusArn"]
    cleanups.callback(aws("events").delete_event_bus, Name=f"bus-{unique}")
    rule = {"Name": f"rule-{unique}", "EventBusName": f"bus-{unique}"}
    aws("events").put_rule(**rule, EventPattern=json.dumps({"detail-type": ["changed"]}))
    cleanups.callback(aws("events").delete_rule, **rule)
    aws("events").put_targets(
        Rule=rule["Name"], EventBusName=rule["EventBusName"], Targets=[{"Id": "1", "Arn": queue_arn(aws, ruled)}]
    )
    cleanups.callback(aws("events").remove_targets, Rule=rule["Name"], EventBusName=rule["EventBusName"], Ids=["1"])
    group = f"/pipes/{unique}"
    aws("logs").create_log_group(logGroupName=group)
    cleanups.callback(aws("logs").delete_log_group, logGroupName=group)
    template = {"InputTemplate": '{"id": <$.dynamodb.Keys.id.S>}'}
    source = {"SourceParameters": {"DynamoDBStreamParameters": OF_STREAM}}
    make_pipe(arn, topic, TargetParameters=template, **source)
    changed = {"EventBridgeEventBusParameters": {"DetailType": "changed", "Source": "of.test"}}
    make_pipe(arn, bus, TargetParameters=template | changed, **source)
    log = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
    make_pipe(arn, log, TargetParameters=template | {"CloudWatchLogsParameters": {"LogStreamName": "s"}}, **source)
    aws("dynamodb").put_item(TableName=table, Item={"id": {"S": "a"}})

    assert _bodies(aws, told, 1) == [{"id": "a"}]
    (event,) = _bodies(aws, ruled, 1)
    assert (event["detail"], event["source"]) == ({"id": "a"}, "of.test")

    def probe() -> tuple[bool, list[str]]:
        found = [one["message"] for one in aws("logs").filter_log_events(logGroupName=group)["events"]]
        return bool(found), found

    assert wait_for("a line of the pipe", probe, deadline_s=20) == ['{"id":"a"}']


def test_batch_of_a_stream_that_no_target_takes_is_told_of(
    aws: Aws, make_queue: MakeQueue, make_pipe: Callable[..., str], stream: tuple[str, str]
) -> None:
    """With the pipe's own document."""
    table, arn = stream
    dead, gone = make_queue(), "arn:aws:sqs:us-east-1:000000000000:nobody"
    own = OF_STREAM | {"MaximumRetryAttempts": 1, "DeadLetterConfig": {"Arn": queue_arn(aws, dead)}}
    name = make_pipe(arn, gone, SourceParameters={"DynamoDBStreamParameters": own})
    aws("dynamodb").put_item(TableName=table, Item={"id": {"S": "a"}})

    (told,) = _bodies(aws, dead, 1)
    assert told["context"]["partnerResourceArn"].endswith(f":pipe/{name}")
    assert told["context"]["condition"] == "RetryAttemptsExhausted"
    assert told["DDBStreamBatchInfo"]["batchSize"] == 1


def test_stack_makes_a_pipe_to_a_state_machine(aws: Aws, cleanups: ExitStack, make_queue: MakeQueue) -> None:
    """Which is given the batch; the stack's end is the pipe's."""
    source, unique = make_queue(), uuid.uuid4().hex[:8]
    machine = aws("stepfunctions").create_state_machine(
        name=f"m-{unique}",
        roleArn=ROLE,
        definition=json.dumps({"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}),
    )["stateMachineArn"]
    cleanups.callback(aws("stepfunctions").delete_state_machine, stateMachineArn=machine)
    properties = {
        "RoleArn": ROLE,
        "Source": queue_arn(aws, source),
        "Target": machine,
        "TargetParameters": {
            "StepFunctionStateMachineParameters": {"InvocationType": "FIRE_AND_FORGET"},
            "InputTemplate": '{"n": <$.body.n>}',
        },
    }
    template = {
        "Resources": {"Pipe": {"Type": "AWS::Pipes::Pipe", "Properties": properties}},
        "Outputs": {"Name": {"Value": {"Ref": "Pipe"}}, "Arn": {"Value": {"Fn::GetAtt": ["Pipe", "Arn"]}}},
    }
    aws("cloudformation").create_stack(StackName=f"s-{unique}", TemplateBody=json.dumps(template))
    aws("cloudformation").get_waiter("stack_create_complete").wait(
        StackName=f"s-{unique}", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    outputs = aws("cloudformation").describe_stacks(StackName=f"s-{unique}")["Stacks"][0]["Outputs"]
    named = {one["OutputKey"]: one["OutputValue"] for one in outputs}
    assert aws("pipes").describe_pipe(Name=named["Name"])["Arn"] == named["Arn"]
    _send(aws, source, 5)

    def probe() -> tuple[bool, list[Any]]:
        found = aws("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        return bool(found), found

    (execution,) = wait_for("an execution", probe, deadline_s=20)
    described = aws("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == [{"n": 5}]
    aws("cloudformation").delete_stack(StackName=f"s-{unique}")
    aws("cloudformation").get_waiter("stack_delete_complete").wait(
        StackName=f"s-{unique}", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    with pytest.raises(ClientError, match="NotFoundException"):
        aws("pipes").describe_pipe(Name=named["Name"])


def test_what_pipes_do_not_serve_is_refused(aws: Aws, make_queue: MakeQueue) -> None:
    """By name, before anything is made."""
    arn = queue_arn(aws, make_queue())
    with pytest.raises(ClientError, match=r"ValidationException.*Target arn:aws:ecs"):
        aws("pipes").create_pipe(
            Name="p-refused", Source=arn, Target="arn:aws:ecs:us-east-1:000000000000:cluster/c", RoleArn=ROLE
        )
    with pytest.raises(ClientError, match=r"ValidationException.*does not exist"):
        aws("pipes").create_pipe(Name="p-refused", Source=f"{arn}-gone", Target=arn, RoleArn=ROLE)
    with pytest.raises(ClientError, match="NotFoundException"):
        aws("pipes").describe_pipe(Name="p-refused")
