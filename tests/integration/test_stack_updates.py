"""Updates of stacks change what they say: rules, tables, functions' aliases, buckets, alarms, REST APIs."""

import json
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from dlqlab.waiting import wait_for
from tests.integration.conftest import ROLE, FunctionFactory, queue_arn
from tests.support import stacks
from tests.support.stacks import Aws

pytestmark = pytest.mark.integration

MakeQueue = Callable[..., str]


class Stack:
    """A stack of one resource, ``It``, that is made first and updated then."""

    def __init__(self, aws: Aws, kind: str) -> None:
        self.aws, self.kind = aws, kind
        self.name = f"s-{uuid.uuid4().hex[:8]}"
        self._is_made = False

    def put(self, **properties: Any) -> str:
        """The status of the stack with the reason."""
        template = stacks.body(It={"Type": self.kind, "Properties": properties})
        done = (stacks.update if self._is_made else stacks.create)(self.aws, self.name, template)
        self._is_made = True
        return f"{done['StackStatus']} {done.get('StackStatusReason', '')}".strip()

    @property
    def id(self) -> str:
        return stacks.physical_id(self.aws, self.name, "It")


@pytest.fixture
def stack_of(aws: Aws, cleanups: ExitStack) -> Callable[[str], Stack]:
    def make(kind: str) -> Stack:
        stack = Stack(aws, kind)
        cleanups.callback(stacks.delete, aws, stack.name)
        return stack

    return make


def _received(aws: Aws, url: str) -> str:
    """The body of a message, waited for; it is gone then."""
    messages = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
    return str(messages[0]["Body"])


def _is_empty(aws: Aws, url: str) -> bool:
    return "Messages" not in aws("sqs").receive_message(QueueUrl=url)


def test_rule_is_updated_and_deleted_on_its_bus(
    aws: Aws, make_queue: MakeQueue, cleanups: ExitStack, stack_of: Callable[[str], Stack]
) -> None:
    """Another pattern, another target, no target of before; a rule that is deleted is gone."""
    bus, first, second = f"bus-{uuid.uuid4().hex[:8]}", make_queue(), make_queue()
    aws("events").create_event_bus(Name=bus)
    cleanups.callback(aws("events").delete_event_bus, Name=bus)
    stack = stack_of("AWS::Events::Rule")

    def put(source: str, url: str, target: str, state: str = "ENABLED") -> str:
        targets = [{"Id": target, "Arn": queue_arn(aws, url)}]
        return stack.put(EventBusName=bus, EventPattern={"source": [source]}, Targets=targets, State=state)

    def send(source: str) -> None:
        event = {"Source": source, "DetailType": "d", "Detail": json.dumps({"of": source}), "EventBusName": bus}
        assert aws("events").put_events(Entries=[event])["FailedEntryCount"] == 0

    assert put("a", first, "t1") == "CREATE_COMPLETE"
    assert put("b", second, "t2") == "UPDATE_COMPLETE"
    send("a")
    send("b")
    assert json.loads(_received(aws, second))["detail"] == {"of": "b"}
    assert _is_empty(aws, first)
    (rule,) = aws("events").list_rules(EventBusName=bus)["Rules"]
    targets = aws("events").list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)["Targets"]
    assert [one["Id"] for one in targets] == ["t2"]
    assert put("b", second, "t2", "DISABLED") == "UPDATE_COMPLETE"
    assert aws("events").describe_rule(Name=rule["Name"], EventBusName=bus)["State"] == "DISABLED"
    stacks.delete(aws, stack.name)
    assert aws("events").list_rules(EventBusName=bus)["Rules"] == []


def test_update_that_fails_says_why(aws: Aws, make_queue: MakeQueue, stack_of: Callable[[str], Stack]) -> None:
    """Also one whose error says that something is not there."""
    target = {"Id": "t", "Arn": queue_arn(aws, make_queue())}
    stack = stack_of("AWS::Events::Rule")
    stack.put(ScheduleExpression="rate(1 day)", Targets=[target])

    aws("events").remove_targets(Rule=stack.id, Ids=["t"])
    aws("events").delete_rule(Name=stack.id)
    refused = stack.put(ScheduleExpression="rate(1 days)", Targets=[target])

    assert refused.startswith("UPDATE_ROLLBACK_COMPLETE The following resource(s) failed: It: An error occurred")
    assert "ScheduleExpression is not valid" in refused


KEYS = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST"}
TABLE = {**KEYS, "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}


def _indexed(*names: str) -> dict[str, Any]:
    definitions = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", *names)]
    indexes = [
        {"IndexName": f"by-{n}", "KeySchema": [{"AttributeName": n, "KeyType": "HASH"}], "Projection": PROJECTION}
        for n in names
    ]
    return {**TABLE, "AttributeDefinitions": definitions, **({"GlobalSecondaryIndexes": indexes} if indexes else {})}


PROJECTION = {"ProjectionType": "ALL"}


def test_table_is_updated_in_place(aws: Aws, stack_of: Callable[[str], Stack]) -> None:
    """Its items stay; an index can be asked at once; what AWS would make a new table for is refused."""
    stack, client = stack_of("AWS::DynamoDB::Table"), aws("dynamodb")
    assert stack.put(**TABLE) == "CREATE_COMPLETE"
    table = stack.id
    client.put_item(TableName=table, Item={"id": {"S": "1"}, "kind": {"S": "k"}})
    expiring = {"TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True}}

    assert stack.put(**TABLE, **expiring, StreamSpecification={"StreamViewType": "NEW_IMAGE"}) == "UPDATE_COMPLETE"
    assert client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["AttributeName"] == "until"
    described = client.describe_table(TableName=table)["Table"]
    assert described["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}

    assert stack.put(**_indexed("kind"), DeletionProtectionEnabled=True) == "UPDATE_COMPLETE"
    assert client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    described = client.describe_table(TableName=table)["Table"]
    assert (described["DeletionProtectionEnabled"], "StreamSpecification" in described) == (True, False)
    found = client.query(
        TableName=table,
        IndexName="by-kind",
        KeyConditionExpression="kind = :k",
        ExpressionAttributeValues={":k": {"S": "k"}},
    )
    assert [item["id"]["S"] for item in found["Items"]] == ["1"]

    assert "Cannot perform more than one GSI creation or deletion in a single update" in stack.put(**_indexed("a", "b"))
    assert "cannot update KeySchema of AWS::DynamoDB::Table" in stack.put(
        **_indexed("a") | {"KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}]}
    )
    assert stack.put(**TABLE) == "UPDATE_COMPLETE"
    assert "GlobalSecondaryIndexes" not in client.describe_table(TableName=table)["Table"]


def test_alias_moves_to_another_version(
    aws: Aws, make_function: FunctionFactory, stack_of: Callable[[str], Stack]
) -> None:
    """As SAM's AutoPublishAlias deploys; with weights while it goes there, none afterwards."""
    function = make_function("import os\ndef handler(event, context): return context.function_version")
    client, stack = aws("lambda"), stack_of("AWS::Lambda::Alias")
    client.publish_version(FunctionName=function.name)
    client.update_function_configuration(FunctionName=function.name, Environment={"Variables": {"X": "1"}})
    client.get_waiter("function_updated_v2").wait(FunctionName=function.name, WaiterConfig={"Delay": 1})
    client.publish_version(FunctionName=function.name)
    place = {"FunctionName": function.name, "Name": "live"}
    weights = {"AdditionalVersionWeights": [{"FunctionVersion": "2", "FunctionWeight": 0.25}]}

    assert stack.put(**place, FunctionVersion="1", RoutingConfig=weights) == "CREATE_COMPLETE"
    assert client.get_alias(**place)["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.25}}
    assert stack.put(**place, FunctionVersion="2") == "UPDATE_COMPLETE"
    answer = client.invoke(FunctionName=function.name, Qualifier="live")
    assert json.loads(answer["Payload"].read()) == "2"
    assert not client.get_alias(**place).get("RoutingConfig", {}).get("AdditionalVersionWeights")


def test_bucket_notifies_another_queue(aws: Aws, make_queue: MakeQueue, stack_of: Callable[[str], Stack]) -> None:
    """By another filter; without a notification, nobody."""
    first, second, client = make_queue(), make_queue(), aws("s3")
    stack = stack_of("AWS::S3::Bucket")

    def to(url: str, prefix: str) -> dict[str, Any]:
        rules = {"S3Key": {"Rules": [{"Name": "prefix", "Value": prefix}]}}
        one = {"Event": "s3:ObjectCreated:*", "Queue": queue_arn(aws, url), "Filter": rules}
        return {"NotificationConfiguration": {"QueueConfigurations": [one]}}

    assert stack.put(**to(first, "a/")) == "CREATE_COMPLETE"
    assert "s3:TestEvent" in _received(aws, first)
    assert stack.put(**to(second, "b/"), VersioningConfiguration={"Status": "Enabled"}) == "UPDATE_COMPLETE"
    assert "s3:TestEvent" in _received(aws, second)
    for key in ("a/1", "b/1"):
        client.put_object(Bucket=stack.id, Key=key, Body=b"x")
    (record,) = json.loads(_received(aws, second))["Records"]
    assert record["s3"]["object"]["key"] == "b/1"
    assert _is_empty(aws, first)
    assert client.get_bucket_versioning(Bucket=stack.id)["Status"] == "Enabled"
    assert stack.put() == "UPDATE_COMPLETE"
    assert "QueueConfigurations" not in client.get_bucket_notification_configuration(Bucket=stack.id)
    assert client.get_bucket_versioning(Bucket=stack.id)["Status"] == "Suspended"


def test_alarm_has_another_threshold(aws: Aws, stack_of: Callable[[str], Stack]) -> None:
    stack = stack_of("AWS::CloudWatch::Alarm")
    settings = {
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Namespace": "AWS/SQS",
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }

    assert stack.put(**settings, Threshold=1) == "CREATE_COMPLETE"
    alarm = stack.id
    assert stack.put(**settings, Threshold=5) == "UPDATE_COMPLETE"
    assert alarm == stack.id
    (found,) = aws("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    assert found["Threshold"] == 5


def _api(answer: str, deployment: str) -> dict[str, Any]:
    """A REST API as SAM writes it: a definition, a deployment whose name changes with it, a stage."""
    integration = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": answer}}},
    }
    method = {"responses": {"200": {"description": "ok"}}, "x-amazon-apigateway-integration": integration}
    definition = {"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": {"/it": {"get": method}}}
    api = {"Ref": "Api"}
    return {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": definition}},
        deployment: {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": api}},
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {"RestApiId": api, "DeploymentId": {"Ref": deployment}, "StageName": "s"},
        },
    }


def test_rest_api_answers_as_it_was_deployed_last(aws: Aws, emulator: Any, cleanups: ExitStack) -> None:
    name = f"s-{uuid.uuid4().hex[:8]}"
    cleanups.callback(stacks.delete, aws, name)

    def answer() -> str:
        api = stacks.physical_id(aws, name, "Api")
        with urllib.request.urlopen(f"{emulator.endpoint}/_aws/execute-api/{api}/s/it", timeout=10) as response:
            return str(response.read().decode())

    assert stacks.create(aws, name, stacks.body(**_api("one", "First")))["StackStatus"] == "CREATE_COMPLETE"
    assert answer() == "one"
    updated = stacks.update(aws, name, stacks.body(**_api("two", "Second")))
    assert updated["StackStatus"] == "UPDATE_COMPLETE", updated["StackStatusReason"]
    wait_for("the answer of the second deployment", lambda: (answer() == "two", None), deadline_s=10)


def _pipeline(version: str, visibility_timeout_s: int) -> dict[str, Any]:
    """A queue, its function and what refers to both."""
    code = f"def handler(event, context): return '{version}'"
    function = {"Ref": "Work"}
    return {
        "Jobs": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": visibility_timeout_s}},
        "Work": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": ROLE,
                "Code": {"ZipFile": code},
            },
        },
        f"Version{version}": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": function}},
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": function,
                "Name": "live",
                "FunctionVersion": {"Fn::GetAtt": [f"Version{version}", "Version"]},
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"EventSourceArn": {"Fn::GetAtt": ["Jobs", "Arn"]}, "FunctionName": {"Ref": "Live"}},
        },
    }


def test_what_refers_to_an_updated_resource_is_not_replaced(aws: Aws, cleanups: ExitStack) -> None:
    """Mapping and alias stay when their queue and function change; the alias calls the new version."""
    name = f"s-{uuid.uuid4().hex[:8]}"
    cleanups.callback(stacks.delete, aws, name)

    def state() -> tuple[str, str]:
        function = stacks.physical_id(aws, name, "Work")
        answer = aws("lambda").invoke(FunctionName=function, Qualifier="live")["Payload"].read()
        return json.loads(answer), stacks.physical_id(aws, name, "Mapping")

    assert stacks.create(aws, name, stacks.body(**_pipeline("One", 40)))["StackStatus"] == "CREATE_COMPLETE"
    first, mapping = state()
    updated = stacks.update(aws, name, stacks.body(**_pipeline("Two", 50)))
    assert updated["StackStatus"] == "UPDATE_COMPLETE", updated["StackStatusReason"]
    assert (first, ("Two", mapping)) == ("One", state())


def test_topic_without_a_name_stays_with_its_subscriptions(
    aws: Aws, make_queue: MakeQueue, cleanups: ExitStack
) -> None:
    """A filter that the template no longer has filters no longer."""
    name, queue = f"s-{uuid.uuid4().hex[:8]}", queue_arn(aws, make_queue())
    cleanups.callback(stacks.delete, aws, name)

    def put(display: str, **filters: Any) -> tuple[str, str | None]:
        topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": display}}
        given = {"TopicArn": {"Ref": "Topic"}, "Protocol": "sqs", "Endpoint": queue, **filters}
        template = stacks.body(Topic=topic, Sub={"Type": "AWS::SNS::Subscription", "Properties": given})
        stack = (stacks.create if display == "one" else stacks.update)(aws, name, template)
        assert stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, stack["StackStatusReason"]
        found = stacks.physical_id(aws, name, "Sub")
        policy = aws("sns").get_subscription_attributes(SubscriptionArn=found)["Attributes"].get("FilterPolicy")
        return stacks.physical_id(aws, name, "Topic"), policy

    first, filtered = put("one", FilterPolicy={"kind": ["a"]})
    second, unfiltered = put("two")

    assert first == second
    assert first.rpartition(":")[2].startswith(f"{name}-Topic-")
    assert json.loads(filtered or "{}") == {"kind": ["a"]}
    assert json.loads(unfiltered or "{}") == {}
    assert aws("sns").get_topic_attributes(TopicArn=first)["Attributes"]["DisplayName"] == "two"
