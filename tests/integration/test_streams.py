"""DynamoDB streams: what can be read of a table's changes, and what mappings make of them."""

import json
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.waiting import wait_for
from tests.integration.conftest import FunctionFactory, json_lines, map_stream, queue_arn

pytestmark = pytest.mark.integration

Aws = Callable[[str], Any]
MakeQueue = Callable[..., str]
FAILS = """
    import json
    def handler(event, context):
        ids = [record['dynamodb']['Keys']['id']['S'] for record in event['Records']]
        print(json.dumps({'ids': ids, 'names': [record['eventName'] for record in event['Records']]}))
        if 'poison' in ids:
            raise ValueError('poisoned')
    """
REPORTS = """
    import json
    SEEN = []
    def handler(event, context):
        failed = []
        for record in event['Records']:
            number = record['dynamodb']['SequenceNumber']
            key = record['dynamodb']['Keys']['id']['S'], record['dynamodb']['NewImage']['n']['N']
            print(json.dumps({'key': key, 'source': record['eventSource'], 'arn': record['eventSourceARN']}))
            if key[1] == '2' and number not in SEEN:
                SEEN.append(number)
                return {'batchItemFailures': [{'itemIdentifier': number}]}
        return {'batchItemFailures': []}
    """


@pytest.fixture
def make_table(aws: Aws, cleanups: ExitStack) -> Callable[[str], tuple[str, str]]:
    """Makes tables with a stream; the name, and the stream's ARN."""

    def make(view: str) -> tuple[str, str]:
        name = f"t-{uuid.uuid4().hex[:8]}"
        made = aws("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
        )["TableDescription"]
        cleanups.callback(aws("dynamodb").delete_table, TableName=name)
        return name, made["LatestStreamArn"]

    return make


def _item(key: str, number: int = 1) -> dict[str, Any]:
    return {"id": {"S": key}, "n": {"N": str(number)}, "raw": {"B": b"\x00\xff"}}


def test_changes_of_a_table_are_read_in_order(aws: Aws, make_table: Callable[[str], tuple[str, str]]) -> None:
    """By each operation that writes; a write that changes nothing makes no record; a closed stream has an end."""
    table, arn = make_table("NEW_AND_OLD_IMAGES")
    dynamodb, reader = aws("dynamodb"), aws("dynamodbstreams")
    dynamodb.put_item(TableName=table, Item=_item("a"))
    dynamodb.put_item(TableName=table, Item=_item("a"))
    dynamodb.update_item(
        TableName=table,
        Key={"id": {"S": "a"}},
        UpdateExpression="SET n = n + :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    dynamodb.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": _item("b")}}]})
    dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": _item("c")}}])
    dynamodb.delete_item(TableName=table, Key={"id": {"S": "a"}})
    dynamodb.delete_item(TableName=table, Key={"id": {"S": "a"}})

    assert [one["StreamArn"] for one in reader.list_streams(TableName=table)["Streams"]] == [arn]
    description = reader.describe_stream(StreamArn=arn)["StreamDescription"]
    assert (description["StreamStatus"], description["TableName"]) == ("ENABLED", table)
    (shard,) = description["Shards"]

    def read(**where: str) -> list[dict[str, Any]]:
        iterator = reader.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], **where)["ShardIterator"]
        found: list[dict[str, Any]] = reader.get_records(ShardIterator=iterator)["Records"]
        return found

    records = read(ShardIteratorType="TRIM_HORIZON")
    changes = [record["dynamodb"] for record in records]
    assert [(record["eventName"], record["dynamodb"]["Keys"]["id"]["S"]) for record in records] == [
        ("INSERT", "a"), ("MODIFY", "a"), ("INSERT", "b"), ("INSERT", "c"), ("REMOVE", "a"),
    ]  # fmt: skip
    assert [changes[1]["OldImage"], changes[1]["NewImage"]] == [_item("a"), _item("a", 2)]
    assert ("OldImage" in changes[0], "NewImage" in changes[4]) == (False, False)
    third = changes[2]["SequenceNumber"]
    assert len(read(ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=third)) == 3
    assert len(read(ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=third)) == 2
    assert read(ShardIteratorType="LATEST") == []

    dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    dynamodb.put_item(TableName=table, Item=_item("d"))
    assert len(read(ShardIteratorType="TRIM_HORIZON")) == 5
    described = reader.describe_stream(StreamArn=arn)["StreamDescription"]
    assert described["StreamStatus"] == "DISABLED"
    assert described["Shards"][0]["SequenceNumberRange"]["EndingSequenceNumber"] == changes[-1]["SequenceNumber"]
    wanted = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    again = dynamodb.update_table(TableName=table, StreamSpecification=wanted)["TableDescription"]
    assert again["LatestStreamArn"] != arn


def test_poisoned_record_is_singled_out_and_told_of(
    aws: Aws,
    cleanups: ExitStack,
    make_function: FunctionFactory,
    make_queue: MakeQueue,
    make_table: Callable[[str], tuple[str, str]],
) -> None:
    """Halves until it is alone, its retries, the destination; the others of its batch are done, once each."""
    table, arn = make_table("KEYS_ONLY")
    dead, function = make_queue(), make_function(FAILS)
    for key in ("a", "poison", "b", "ignored"):
        aws("dynamodb").put_item(TableName=table, Item=_item(key))
    unwanted = json.dumps({"dynamodb": {"Keys": {"id": {"S": [{"anything-but": "ignored"}]}}}})
    map_stream(
        aws, cleanups, function.name, arn,
        BatchSize=3, MaximumRetryAttempts=1, BisectBatchOnFunctionError=True,
        FilterCriteria={"Filters": [{"Pattern": unwanted}]},
        DestinationConfig={"OnFailure": {"Destination": queue_arn(aws, dead)}},
    )  # fmt: skip

    (letter,) = aws("sqs").receive_message(QueueUrl=dead, WaitTimeSeconds=20)["Messages"]
    told = json.loads(letter["Body"])
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert told["requestContext"]["approximateInvokeCount"] == 2
    assert told["requestContext"]["functionArn"] == function.arn
    assert told["requestContext"]["requestId"]
    assert told["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert (told["DDBStreamBatchInfo"]["batchSize"], told["DDBStreamBatchInfo"]["streamArn"]) == (1, arn)
    handed = [one["ids"] for one in json_lines(aws, function, 6)]
    assert handed == [["a", "poison", "b"], ["a", "poison"], ["a"], ["poison"], ["poison"], ["b"]]


def test_reported_failure_is_tried_again_from_there(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_table: Callable[[str], tuple[str, str]]
) -> None:
    """Items keep their order, whichever lane they are in; a mapping that was disabled goes on where it was."""
    table, arn = make_table("NEW_IMAGE")
    function = make_function(REPORTS)
    for number in (1, 2, 3):
        aws("dynamodb").put_item(TableName=table, Item=_item("a", number))
    mapping = map_stream(
        aws, cleanups, function.name, arn,
        ParallelizationFactor=4, FunctionResponseTypes=["ReportBatchItemFailures"],
    )  # fmt: skip
    printed = json_lines(aws, function, 4)
    assert [one["key"][1] for one in printed] == ["1", "2", "2", "3"]
    assert {(one["source"], one["arn"]) for one in printed} == {("aws:dynamodb", arn)}

    def is_state(state: str) -> Callable[[], tuple[bool, str]]:
        return lambda: ((found := aws("lambda").get_event_source_mapping(UUID=mapping)["State"]) == state, found)

    aws("lambda").update_event_source_mapping(UUID=mapping, Enabled=False)
    wait_for("the mapping is disabled", is_state("Disabled"), deadline_s=20)
    aws("dynamodb").put_item(TableName=table, Item=_item("a", 4))
    aws("lambda").update_event_source_mapping(UUID=mapping, Enabled=True)

    assert [one["key"][1] for one in json_lines(aws, function, 5)] == ["1", "2", "2", "3", "4"]


TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": {"StreamViewType": "KEYS_ONLY"},
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Table", "StreamArn"]},
                "StartingPosition": "TRIM_HORIZON",
                "BatchSize": 1,
            },
        },
    },
    "Outputs": {"Table": {"Value": {"Ref": "Table"}}},
}


def test_stack_makes_a_stream_and_its_mapping(aws: Aws, cleanups: ExitStack, make_function: FunctionFactory) -> None:
    """As templates write them."""
    function, name = make_function(FAILS), f"s-{uuid.uuid4().hex[:8]}"
    template = json.loads(json.dumps(TEMPLATE))
    template["Resources"]["Mapping"]["Properties"]["FunctionName"] = function.name
    aws("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
    cleanups.callback(aws("cloudformation").delete_stack, StackName=name)
    aws("cloudformation").get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    (output,) = aws("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    aws("dynamodb").put_item(TableName=output["OutputValue"], Item=_item("a"))

    assert json_lines(aws, function, 1) == [{"ids": ["a"], "names": ["INSERT"]}]


def test_what_streams_do_not_take_is_refused(
    aws: Aws, make_function: FunctionFactory, make_table: Callable[[str], tuple[str, str]]
) -> None:
    """By the mapping, and by the stream."""
    _, arn = make_table("KEYS_ONLY")
    function = make_function(FAILS)
    with pytest.raises(ClientError, match="TumblingWindowInSeconds is not served"):
        aws("lambda").create_event_source_mapping(
            FunctionName=function.name, EventSourceArn=arn, StartingPosition="LATEST", TumblingWindowInSeconds=30
        )
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws("dynamodbstreams").describe_stream(StreamArn=f"{arn}1")
    with pytest.raises(ClientError, match="StreamViewType must be one of"):
        aws("dynamodb").create_table(
            TableName=f"t-{uuid.uuid4().hex[:8]}",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True},
        )


EXPIRED = """
    import json
    def handler(event, context):
        for record in event['Records']:
            print(json.dumps({'id': record['dynamodb']['Keys']['id']['S'], 'by': record['userIdentity']}))
    """


def test_expired_item_is_deleted_and_its_stream_says_by_whom(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_table: Callable[[str], tuple[str, str]]
) -> None:
    """Also where it was there before the TTL; what has no number there, or expired years ago, stays."""
    table, arn = make_table("OLD_IMAGE")
    function, client, now_s = make_function(EXPIRED), aws("dynamodb"), int(time.time())
    years_s = 6 * 365 * 24 * 3600
    until = {"over": now_s - 1, "soon": now_s + 2, "later": now_s + 3600, "ancient": now_s - years_s}
    items = [{"id": {"S": key}, "until": {"N": str(value)}} for key, value in until.items()]
    for item in [*items, {"id": {"S": "text"}, "until": {"S": str(now_s - 1)}}, {"id": {"S": "without"}}]:
        client.put_item(TableName=table, Item=item)
    by_ttl = json.dumps({"userIdentity": {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]}})
    map_stream(aws, cleanups, function.name, arn, FilterCriteria={"Filters": [{"Pattern": by_ttl}]})
    wanted = {"Enabled": True, "AttributeName": "until"}
    client.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)

    identity = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert json_lines(aws, function, 2) == [{"id": "over", "by": identity}, {"id": "soon", "by": identity}]
    assert time.time() >= until["soon"]
    left = {item["id"]["S"] for item in client.scan(TableName=table)["Items"]}
    assert left == {"later", "ancient", "text", "without"}
    client.delete_item(TableName=table, Key={"id": {"S": "text"}})
    (shard,) = aws("dynamodbstreams").describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    iterator = aws("dynamodbstreams").get_shard_iterator(**start)["ShardIterator"]
    records = aws("dynamodbstreams").get_records(ShardIterator=iterator)["Records"]
    removed = [(one["dynamodb"]["Keys"]["id"]["S"], one.get("userIdentity")) for one in records[6:]]
    shown = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    assert removed == [("over", shown), ("soon", shown), ("text", None)]
