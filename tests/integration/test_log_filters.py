"""Filters of CloudWatch Logs on the real emulator: searches, metric filters, subscriptions of functions."""

import base64
import gzip
import json
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.contracts.names import log_group
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.waiting import wait_for
from tests.integration.conftest import DeployedFunction, FunctionFactory, read_log

pytestmark = pytest.mark.integration
Client = Callable[[str], Any]
GroupFactory = Callable[..., str]

PRINT = """
    def handler(event, context):
        for line in event.get("lines", []):
            print(line)
    """
LINES_OF_AN_INVOCATION = 5
"""START, END and REPORT around the two that the function prints."""
KEEP_LINES = """
    import base64, gzip, json

    def handler(event, context):
        print("GOT " + gzip.decompress(base64.b64decode(event["awslogs"]["data"])).decode())
    """


@pytest.fixture
def make_group(aws: Client, cleanups: ExitStack) -> GroupFactory:
    """Makes a log group with streams, each with lines at milliseconds after a moment ago; its name."""

    def make(**streams: list[tuple[int, str]]) -> str:
        group = f"/tests/{uuid.uuid4().hex[:8]}"
        aws("logs").create_log_group(logGroupName=group)
        cleanups.callback(aws("logs").delete_log_group, logGroupName=group)
        start_ms = int(time.time() * 1000) - 60_000
        for stream, lines in streams.items():
            aws("logs").create_log_stream(logGroupName=group, logStreamName=stream)
            events = [{"timestamp": start_ms + at_ms, "message": text} for at_ms, text in lines]
            aws("logs").put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        return group

    return make


def _refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """Code and text of the error; fails where there is none."""
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_search_finds_what_matches_by_time_across_streams(aws: Client, make_group: GroupFactory) -> None:
    """Patterns, streams, prefixes, ARNs and pages; what no pattern is, is AWS's error."""
    logs = aws("logs")
    group = make_group(a1=[(0, "ERROR one"), (20, "calm")], a2=[(10, "ERROR two"), (30, '{"ms": 7}')], b=[(5, "WARN")])
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]

    def found(**members: Any) -> list[str]:
        where = {} if "logGroupIdentifier" in members else {"logGroupName": group}
        pages = logs.get_paginator("filter_log_events").paginate(**where, **members)
        return [event["message"] for page in pages for event in page["events"]]

    everything = ["ERROR one", "WARN", "ERROR two", "calm", '{"ms": 7}']
    assert everything == found() == found(PaginationConfig={"PageSize": 1}) == found(logGroupIdentifier=arn)
    assert ["ERROR one", "ERROR two"] == found(filterPattern="ERROR")
    assert ["ERROR two"] == found(filterPattern="ERROR -one", PaginationConfig={"PageSize": 1})
    assert ["ERROR one", "WARN", "ERROR two"] == found(filterPattern="?WARN ?ERROR")
    assert ['{"ms": 7}'] == found(filterPattern="{ $.ms > 6 }")
    assert ["ERROR two"] == found(filterPattern="[level = E*, what = *wo]", interleaved=True)
    assert ["WARN"] == found(logStreamNames=["b"]) == found(logStreamNamePrefix="b")
    assert ["ERROR two"] == found(logStreamNamePrefix="a2", filterPattern="ERROR")

    where = {"logGroupName": group}
    code = "InvalidParameterException"
    assert (code, "Invalid character(s) in term ':'") == _refusal(
        logs.filter_log_events, **where, filterPattern="ERROR:"
    )
    assert "Invalid filter pattern" in _refusal(logs.filter_log_events, **where, filterPattern="{ $.a")[1]
    assert (code, "The specified nextToken is invalid.") == _refusal(logs.filter_log_events, **where, nextToken="x")
    assert code == _refusal(logs.filter_log_events, **where, logStreamNames=["b"], logStreamNamePrefix="b")[0]
    assert code == _refusal(logs.filter_log_events, **where, limit=10_001)[0]
    assert (
        "ResourceNotFoundException" == _refusal(logs.filter_log_events, logGroupName="/missing", filterPattern="x")[0]
    )


def test_a_pattern_can_be_tried(aws: Client) -> None:
    """TestMetricFilter tells the lines that match, by number, and the values in them."""
    lines = ['{"ms": 7}', '{"ms": 5}', '{"ms": 9, "a": 1}']
    matches = aws("logs").test_metric_filter(filterPattern="{ $.ms > 6 }", logEventMessages=lines)["matches"]

    assert [
        {"eventNumber": 1, "eventMessage": lines[0], "extractedValues": {"$.ms": "7"}},
        {"eventNumber": 3, "eventMessage": lines[2], "extractedValues": {"$.ms": "9"}},
    ] == matches
    assert (
        "Invalid metric filter pattern"
        in _refusal(aws("logs").test_metric_filter, filterPattern="[a", logEventMessages=["x"])[1]
    )


def _sums(aws: Client, namespace: str, name: str, **dimensions: str) -> tuple[float, float] | None:
    """Sum and number of values of the last minutes."""
    now = datetime.now(UTC)
    points = aws("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=660,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return (points[0]["Sum"], points[0]["SampleCount"]) if points else None


def test_metric_filters_count_lines_of_their_group(
    aws: Client, make_group: GroupFactory, make_function: FunctionFactory, cleanups: ExitStack
) -> None:
    """Lines of functions and of the API, with values, default, dimensions; no other group's lines, no other lines."""
    logs, function, other = aws("logs"), make_function(PRINT), make_group(s=[(0, "BOOM of another group")])
    group, namespace = log_group(function.name), uuid.uuid4().hex
    logs.create_log_group(logGroupName=group)
    cleanups.callback(logs.delete_log_group, logGroupName=group)

    def put(name: str, pattern: str, **transformation: Any) -> None:
        given = {"metricName": name, "metricNamespace": namespace, "metricValue": "1"} | transformation
        logs.put_metric_filter(
            logGroupName=group, filterName=name, filterPattern=pattern, metricTransformations=[given]
        )

    put("Booms", "BOOM -REPORT")
    put("Ms", "{ $.ms = * }", metricValue="$.ms", unit="Milliseconds", dimensions={"Kind": "$.kind"})
    put("Ratio", "BOOM", defaultValue=0)
    put("Third", "[..., number > 1]", metricValue="$number")
    put("Replaced", "nothing")
    put("Replaced", "BOOM", metricValue="10")
    logs.create_log_stream(logGroupName=group, logStreamName="api")
    lines = ["BOOM", "calm", "at 3", '{"ms": 5, "kind": "slow"}', '{"ms": 7, "kind": "fast"}']
    events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
    logs.put_log_events(logGroupName=group, logStreamName="api", logEvents=events)
    logs.put_log_events(logGroupName=other, logStreamName="s", logEvents=events)
    for _ in range(3):
        function.invoke({"lines": ["a BOOM", '{"ms": 2.5, "kind": "slow"}']})
    lines_of_all = len(lines) + 3 * LINES_OF_AN_INVOCATION
    expected = {
        "Booms": (4.0, 4.0),
        "Replaced": (40.0, 4.0),
        "Ratio": (4.0, float(lines_of_all)),
        "slow": (12.5, 4.0),
        "fast": (7.0, 1.0),
        "Third": (3.0, 1.0),
    }

    def probe() -> tuple[bool, dict[str, Any]]:
        found = {
            "Booms": _sums(aws, namespace, "Booms"),
            "Replaced": _sums(aws, namespace, "Replaced"),
            "Ratio": _sums(aws, namespace, "Ratio"),
            "slow": _sums(aws, namespace, "Ms", Kind="slow"),
            "fast": _sums(aws, namespace, "Ms", Kind="fast"),
            "Third": _sums(aws, namespace, "Third"),
        }
        return found == expected, found

    wait_for("metrics", probe, deadline_s=15, interval_s=0.1)
    names = [found["filterName"] for found in logs.describe_metric_filters(logGroupName=group)["metricFilters"]]
    assert ["Booms", "Ms", "Ratio", "Replaced", "Third"] == names
    logs.delete_metric_filter(logGroupName=group, filterName="Booms")
    assert 4 == len(logs.describe_metric_filters(logGroupName=group)["metricFilters"])


def test_metric_filters_that_aws_refuses(aws: Client, make_group: GroupFactory) -> None:
    """By its errors; nothing is stored."""
    logs, group = aws("logs"), make_group()

    def refusal(pattern: str, where: str = group, **transformation: Any) -> tuple[str, str]:
        given = {"metricName": "n", "metricNamespace": "s", "metricValue": "1"} | transformation
        return _refusal(
            logs.put_metric_filter,
            logGroupName=where,
            filterName="f",
            filterPattern=pattern,
            metricTransformations=[given],
        )

    code = "InvalidParameterException"
    assert (code, "Invalid character(s) in term '('") == refusal("a (b)")
    assert "Invalid metric filter pattern" in refusal("{ $.a")[1]
    assert (code, "The specified filter pattern does not support dimensions") == refusal(
        "ERROR", dimensions={"A": "$.a"}
    )
    assert "no such value" in refusal("ERROR", metricValue="$.a")[1]
    assert "ResourceNotFoundException" == refusal("ERROR", where="/missing")[0]
    assert [] == logs.describe_metric_filters(logGroupName=group)["metricFilters"]


@pytest.fixture
def subscribe(aws: Client, cleanups: ExitStack) -> Callable[..., str]:
    """Subscribes a function to a log group that it makes where it is missing; the filter's name."""

    def make(group: str, function: DeployedFunction, pattern: str = "") -> str:
        logs, name = aws("logs"), f"filter-{uuid.uuid4().hex[:8]}"
        try:
            logs.create_log_group(logGroupName=group)
        except logs.exceptions.ResourceAlreadyExistsException:
            pass
        else:
            cleanups.callback(logs.delete_log_group, logGroupName=group)
        aws("lambda").add_permission(
            FunctionName=function.name,
            StatementId=name,
            Action="lambda:InvokeFunction",
            Principal="logs.amazonaws.com",
            SourceArn=f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*",
        )
        logs.put_subscription_filter(
            logGroupName=group, filterName=name, filterPattern=pattern, destinationArn=function.arn
        )
        return name

    return make


def _received(aws: Client, function: DeployedFunction) -> list[dict[str, Any]]:
    """What a function that keeps its lines was sent."""
    try:
        lines = [event["message"] for event in read_log(aws, function.name)]
    except ClientError:  # it was never invoked
        return []
    return [json.loads(line.removeprefix("GOT ")) for line in lines if line.startswith("GOT ")]


def test_a_subscriber_gets_the_lines_that_match(
    aws: Client, make_function: FunctionFactory, subscribe: Callable[..., str]
) -> None:
    """Of functions and of the API, each once, in CloudWatch's form; two filters of a group are independent."""
    logs, function = aws("logs"), make_function(PRINT)
    errors, everything = make_function(KEEP_LINES), make_function(KEEP_LINES)
    group = log_group(function.name)
    by_pattern, by_all = subscribe(group, errors, "ERROR"), subscribe(group, everything)
    function.invoke({"lines": ["ERROR one", "calm"]})
    function.invoke({"lines": ["ERROR two"]})
    logs.create_log_stream(logGroupName=group, logStreamName="api")
    logs.put_log_events(
        logGroupName=group,
        logStreamName="api",
        logEvents=[{"timestamp": 1000 * int(time.time()), "message": "ERROR 3"}],
    )
    stored = {(event["eventId"], event["timestamp"], event["message"]) for event in read_log(aws, function.name)}

    def events(received: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
        return [(e["id"], e["timestamp"], e["message"]) for letter in received for e in letter["logEvents"]]

    def probe() -> tuple[bool, tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
        found = (_received(aws, errors), _received(aws, everything))
        return len(events(found[0])) >= 3 and len(events(found[1])) >= len(stored), found

    some, all_of_it = wait_for("the subscribers", probe, deadline_s=30, interval_s=0.2)
    assert ["ERROR 3", "ERROR one", "ERROR two"] == sorted(message for _, _, message in events(some))
    assert set(events(some)) < stored
    assert (stored, len(stored)) == (set(events(all_of_it)), len(events(all_of_it)))
    assert {("DATA_MESSAGE", "000000000000", group, (by_pattern,))} == {
        (letter["messageType"], letter["owner"], letter["logGroup"], tuple(letter["subscriptionFilters"]))
        for letter in some
    }
    assert "api" in {letter["logStream"] for letter in some}
    assert {by_pattern, by_all} == {
        found["filterName"] for found in logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    }


def test_a_function_that_is_sent_its_own_lines_does_not_run_for_ever(
    emulator: Emulator, aws: Client, make_function: FunctionFactory, subscribe: Callable[..., str]
) -> None:
    """Sixteen rounds, then its lines are dropped."""
    function = make_function(KEEP_LINES.replace("GOT ", "ROUND "))
    subscribe(log_group(function.name), function, "ROUND")
    empty = base64.b64encode(gzip.compress(b"{}")).decode()
    function.invoke({"awslogs": {"data": empty}})

    def probe() -> tuple[bool, str]:
        text = emulator.log_path.read_text()
        return f"dropped, because {function.arn} receives what its own invocations log" in text, text[-1000:]

    wait_for("the warning", probe, deadline_s=60, interval_s=0.2)
    rounds = [line for line in read_log(aws, function.name) if line["message"].startswith("ROUND")]
    assert 17 == len(rounds)


def test_streams_get_the_lines_that_match(aws: Client, cleanups: ExitStack, make_group: GroupFactory) -> None:
    """Of Kinesis and of Firehose, compressed, in CloudWatch's form."""
    logs, group, name = aws("logs"), make_group(), f"s-{uuid.uuid4().hex[:8]}"
    kinesis, s3, role = aws("kinesis"), aws("s3"), "arn:aws:iam::000000000000:role/r"
    kinesis.create_stream(StreamName=name, ShardCount=1)
    cleanups.callback(kinesis.delete_stream, StreamName=name)
    s3.create_bucket(Bucket=name)
    hints = {"IntervalInSeconds": 0, "SizeInMBs": 1}
    aws("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={
            "BucketARN": f"arn:aws:s3:::{name}", "RoleARN": role, "BufferingHints": hints,
        },
    )  # fmt: skip
    cleanups.callback(aws("firehose").delete_delivery_stream, DeliveryStreamName=name)
    at = "us-east-1:000000000000"
    arns = [f"arn:aws:kinesis:{at}:stream/{name}", f"arn:aws:firehose:{at}:deliverystream/{name}"]
    for number, arn in enumerate(arns):
        logs.put_subscription_filter(
            logGroupName=group, filterName=f"f{number}", filterPattern="ERROR", destinationArn=arn, roleArn=role
        )
    logs.create_log_stream(logGroupName=group, logStreamName="api")
    lines = [{"timestamp": int(time.time() * 1000), "message": text} for text in ("calm", "ERROR one")]
    logs.put_log_events(logGroupName=group, logStreamName="api", logEvents=lines)

    start = {"ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(StreamName=name, **start)["ShardIterator"]

    def arrived() -> tuple[bool, tuple[list[Any], list[Any]]]:
        records = kinesis.get_records(ShardIterator=iterator)["Records"]
        objects = s3.list_objects_v2(Bucket=name).get("Contents", [])
        return bool(records and objects), (records, objects)

    (record,), (item,) = wait_for("the record and the object", arrived, deadline_s=20)
    packed = [record["Data"], s3.get_object(Bucket=name, Key=item["Key"])["Body"].read()]
    for number, data in enumerate(packed):
        told = json.loads(gzip.decompress(data))
        assert (told["logGroup"], told["subscriptionFilters"]) == (group, [f"f{number}"])
        assert [event["message"] for event in told["logEvents"]] == ["ERROR one"]
    assert record["PartitionKey"] == "api"
    s3.delete_object(Bucket=name, Key=item["Key"])
    s3.delete_bucket(Bucket=name)


def test_subscriptions_that_aws_refuses(
    aws: Client, make_group: GroupFactory, make_function: FunctionFactory, subscribe: Callable[..., str]
) -> None:
    """By its errors: no permission, no function, other services, bad patterns, a third filter."""
    logs, group, function, stranger = aws("logs"), make_group(), make_function(PRINT), make_function(PRINT)

    def refusal(destination: str, pattern: str = "", **members: Any) -> tuple[str, str]:
        given = {"logGroupName": group, "filterName": "f", "filterPattern": pattern, "destinationArn": destination}
        return _refusal(logs.put_subscription_filter, **given | members)

    code = "InvalidParameterException"
    not_allowed = (
        "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your "
        "function."
    )
    assert (code, not_allowed) == refusal(stranger.arn) == refusal(f"{stranger.arn}-missing")
    names = [subscribe(group, function), subscribe(group, function, "ERROR")]
    assert (
        "Could not deliver message to specified Kinesis stream"
        in refusal("arn:aws:kinesis:us-east-1:000000000000:stream/s", roleArn="arn:aws:iam::000000000000:role/r")[1]
    )
    assert "vendor sqs" in refusal("arn:aws:sqs:us-east-1:000000000000:queue:q")[1]
    assert "cannot be used with roleArn" in refusal(function.arn, roleArn="arn:aws:iam::000000000000:role/r")[1]
    assert (code, "Invalid character(s) in term '('") == refusal(function.arn, "a (b)")
    assert "ResourceNotFoundException" == refusal(function.arn, logGroupName="/missing")[0]
    assert ("LimitExceededException", "Resource limit exceeded.") == refusal(function.arn)
    logs.put_subscription_filter(  # a change of one of the two is not a third
        logGroupName=group, filterName=names[0], filterPattern="WARN", destinationArn=function.arn
    )
    found = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert {names[0]: "WARN", names[1]: "ERROR"} == {one["filterName"]: one["filterPattern"] for one in found}
    logs.delete_subscription_filter(logGroupName=group, filterName=names[0])
    assert (
        "ResourceNotFoundException"
        == _refusal(logs.delete_subscription_filter, logGroupName=group, filterName=names[0])[0]
    )


STACK = """
Resources:
  Work:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: arn:aws:iam::000000000000:role/test
      Code: {ZipFile: "def handler(event, context): pass"}
  Group:
    Type: AWS::Logs::LogGroup
  MayInvoke:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Work
      Action: lambda:InvokeFunction
      Principal: logs.amazonaws.com
  First:
    Type: AWS::Logs::SubscriptionFilter
    DependsOn: MayInvoke
    Properties:
      LogGroupName: !Ref Group
      FilterPattern: ERROR
      DestinationArn: !GetAtt Work.Arn
  Second:
    Type: AWS::Logs::SubscriptionFilter
    DependsOn: MayInvoke
    Properties:
      LogGroupName: !Ref Group
      FilterName: second
      FilterPattern: WARN
      DestinationArn: !GetAtt Work.Arn
  Metric:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref Group
      FilterPattern: "{ $.ms > 0 }"
      MetricTransformations:
        - MetricName: Ms
          MetricNamespace: tests
          MetricValue: $.ms
          Unit: Milliseconds
          Dimensions: [{Key: Kind, Value: $.kind}]
Outputs:
  Group: {Value: !Ref Group}
  Metric: {Value: !Ref Metric}
"""


def test_stacks_make_filters(aws: Client) -> None:
    """Both subscription filters and the metric filter are there, by their names, and go with the stack."""
    cloudformation, logs, name = aws("cloudformation"), aws("logs"), f"s-{uuid.uuid4().hex[:8]}"
    cloudformation.create_stack(StackName=name, TemplateBody=STACK)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    outputs = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    by_key = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    group = by_key["Group"]
    subscriptions = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    (metric,) = logs.describe_metric_filters(logGroupName=group)["metricFilters"]

    assert ["ERROR", "WARN"] == sorted(found["filterPattern"] for found in subscriptions)
    assert "second" in {found["filterName"] for found in subscriptions}
    assert (by_key["Metric"], "{ $.ms > 0 }") == (metric["filterName"], metric["filterPattern"])
    assert [
        {
            "metricName": "Ms",
            "metricNamespace": "tests",
            "metricValue": "$.ms",
            "unit": "Milliseconds",
            "dimensions": {"Kind": "$.kind"},
        }
    ] == metric["metricTransformations"]

    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    assert not [found for found in logs.describe_metric_filters()["metricFilters"] if found["logGroupName"] == group]
