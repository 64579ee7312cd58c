"""Kinesis streams: what is written and read by API, and what mappings make of records."""

import json
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.load.messages import EntrySettings
from dlqlab.load.service_senders import Stream
from tests.integration.conftest import DeployedFunction, FunctionFactory, json_lines, map_stream, queue_arn

pytestmark = pytest.mark.integration

Aws = Callable[[str], Any]
MakeQueue = Callable[..., str]
MakeStream = Callable[..., tuple[str, str]]
FAILS = """
    import base64, json
    def handler(event, context):
        texts = [base64.b64decode(record['kinesis']['data']).decode() for record in event['Records']]
        print(json.dumps({'texts': texts}))
        if any('poison' in text for text in texts):
            raise ValueError('poisoned')
    """
REPORTS = """
    import base64, json
    SEEN = []
    def handler(event, context):
        for record in event['Records']:
            held = record['kinesis']
            number, text = held['sequenceNumber'], base64.b64decode(held['data']).decode()
            print(json.dumps({'key': held['partitionKey'], 'text': text, 'record': record}))
            if text == '2' and number not in SEEN:
                SEEN.append(number)
                return {'batchItemFailures': [{'itemIdentifier': number}]}
        return {'batchItemFailures': []}
    """
FORWARDS = """
    import boto3, json, os
    kinesis = boto3.client('kinesis')
    def handler(event, context):
        one = kinesis.put_record(StreamName=event['stream'], Data=b'one', PartitionKey='k')
        many = kinesis.put_records(
            StreamARN=event['arn'], Records=[{'Data': b'two', 'PartitionKey': 'k'}, {'Data': b'3', 'PartitionKey': 'l'}]
        )
        return {'one': one['SequenceNumber'], 'failed': many['FailedRecordCount']}
    """


@pytest.fixture
def make_stream(aws: Aws, cleanups: ExitStack) -> MakeStream:
    """Makes streams; the name, and the ARN."""

    def make(shards: int = 1) -> tuple[str, str]:
        name = f"s-{uuid.uuid4().hex[:8]}"
        aws("kinesis").create_stream(StreamName=name, ShardCount=shards)
        cleanups.callback(aws("kinesis").delete_stream, StreamName=name, EnforceConsumerDeletion=True)
        return name, aws("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]

    return make


def _put(aws: Aws, stream: str, *texts: str, key: str = "k") -> None:
    records = [{"Data": text.encode(), "PartitionKey": key} for text in texts]
    aws("kinesis").put_records(StreamName=stream, Records=records)


def _read(aws: Aws, stream: str, shard_id: str, **where: Any) -> list[str]:
    where = where or {"ShardIteratorType": "TRIM_HORIZON"}
    iterator = aws("kinesis").get_shard_iterator(StreamName=stream, ShardId=shard_id, **where)["ShardIterator"]
    return [record["Data"].decode() for record in aws("kinesis").get_records(ShardIterator=iterator)["Records"]]


def test_records_are_read_where_they_were_written(aws: Aws, make_stream: MakeStream) -> None:
    """By sequence number, by time, and through a split: the parent has an end, the children have the later records."""
    name, arn = make_stream()
    kinesis, (shard,) = aws("kinesis"), aws("kinesis").list_shards(StreamName=name)["Shards"]
    first = kinesis.put_record(StreamName=name, Data=b"a", PartitionKey="k")
    answer = kinesis.put_records(StreamARN=arn, Records=[{"Data": b"b", "PartitionKey": "k"}] * 2)
    assert (answer["FailedRecordCount"], first["ShardId"]) == (0, shard["ShardId"])
    assert len(first["SequenceNumber"]) == 56

    number = first["SequenceNumber"]
    assert _read(aws, name, shard["ShardId"]) == ["a", "b", "b"]
    after = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": number}
    assert _read(aws, name, shard["ShardId"], **after) == ["b", "b"]
    assert _read(
        aws, name, shard["ShardId"], ShardIteratorType="AT_TIMESTAMP", Timestamp=datetime(2020, 1, 1, tzinfo=UTC)
    ) == ["a", "b", "b"]
    assert _read(aws, name, shard["ShardId"], ShardIteratorType="LATEST") == []

    kinesis.update_shard_count(StreamName=name, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    _put(aws, name, "c")
    children = [one for one in kinesis.list_shards(StreamName=name)["Shards"] if "ParentShardId" in one]
    assert {one["ParentShardId"] for one in children} == {shard["ShardId"]}
    assert [text for one in children for text in _read(aws, name, one["ShardId"])] == ["c"]
    start = kinesis.get_shard_iterator(StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    end = kinesis.get_records(ShardIterator=start["ShardIterator"])
    assert (len(end["Records"]), end.get("NextShardIterator")) == (3, None)
    assert {one["ShardId"] for one in end["ChildShards"]} == {one["ShardId"] for one in children}


def test_poisoned_record_is_singled_out_and_told_of(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: MakeQueue, make_stream: MakeStream
) -> None:
    """Halves until it is alone, its retries, the destination; the filter reads the data as JSON."""
    name, arn = make_stream()
    dead, function = make_queue(), make_function(FAILS)
    texts = [json.dumps({"kind": kind}) for kind in ("a", "poison", "b", "ignored")]
    _put(aws, name, *texts, "no JSON")
    unwanted = json.dumps({"data": {"kind": [{"anything-but": "ignored"}]}})
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
    batch = told["KinesisBatchInfo"]
    assert (batch["batchSize"], batch["streamArn"], batch["shardId"]) == (1, arn, "shardId-000000000000")
    handed = [[json.loads(text)["kind"] for text in one["texts"]] for one in json_lines(aws, function, 6)]
    assert handed == [["a", "poison", "b"], ["a", "poison"], ["a"], ["poison"], ["poison"], ["b"]]


def test_reported_failure_is_tried_again_from_there_through_a_split(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_stream: MakeStream
) -> None:
    """Records of a key keep their order, whichever lane and shard they are in; the record is AWS's."""
    name, arn = make_stream()
    function = make_function(REPORTS)
    _put(aws, name, "1", "2", "3")
    aws("kinesis").update_shard_count(StreamName=name, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    _put(aws, name, "4")
    map_stream(
        aws, cleanups, function.name, arn, ParallelizationFactor=2, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    printed = json_lines(aws, function, 5)
    assert [one["text"] for one in printed] == ["1", "2", "2", "3", "4"]
    record = printed[0]["record"]
    assert record.keys() == {
        "kinesis", "eventSource", "eventVersion", "eventID", "eventName", "invokeIdentityArn", "awsRegion",
        "eventSourceARN",
    }  # fmt: skip
    assert record["eventID"] == f"shardId-000000000000:{record['kinesis']['sequenceNumber']}"
    assert (record["eventName"], record["eventSourceARN"]) == ("aws:kinesis:record", arn)
    assert record["invokeIdentityArn"].startswith("arn:aws:iam::")
    aws("kinesis").merge_shards(
        StreamName=name, ShardToMerge="shardId-000000000001", AdjacentShardToMerge="shardId-000000000002"
    )
    _put(aws, name, "5")
    assert json_lines(aws, function, 6)[-1]["text"] == "5"


def test_functions_put_records(aws: Aws, make_function: FunctionFactory, make_stream: MakeStream) -> None:
    """One by one and many at once, by the SDK that they have."""
    name, arn = make_stream()
    function = make_function(FORWARDS)
    payload = json.dumps({"stream": name, "arn": arn})
    answer = aws("lambda").invoke(FunctionName=function.name, Payload=payload)
    assert json.loads(answer["Payload"].read())["failed"] == 0
    assert _read(aws, name, "shardId-000000000000") == ["one", "two", "3"]


def test_load_is_sent_into_a_stream(emulator: Emulator, aws: Aws, make_stream: MakeStream) -> None:
    """A task is a record, its key the partition key; a stream that is gone is an error of the ledger."""
    name, _ = make_stream()
    answers = []
    for address in (name, "nothing"):
        entry = EntrySettings(
            kind="stream", address=address, key="id", body='{"id": "{{key}}"}',
            endpoint=emulator.endpoint, region="us-east-1", access_key="test", secret_key="test",
        )  # fmt: skip
        sender = Stream(entry, seed=1)
        answers.append(sender.send(None, sender.compose(7), 7, "request-7"))

    assert (answers[0].status_code, answers[0].error) == (200, None)
    assert (answers[1].status_code, "ResourceNotFoundException" in (answers[1].error or "")) == (400, True)
    iterator = aws("kinesis").get_shard_iterator(
        StreamName=name, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    (record,) = aws("kinesis").get_records(ShardIterator=iterator)["Records"]
    assert json.loads(record["Data"])["id"] == record["PartitionKey"]


TEMPLATE: dict[str, Any] = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Stream": {
            "Type": "AWS::Kinesis::Stream",
            "Properties": {
                "ShardCount": 2,
                "RetentionPeriodHours": 48,
                "Tags": [{"Key": "team", "Value": "a"}],
                "StreamEncryption": {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"},
            },
        },
        "Reader": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "InlineCode": "import base64, json\n"
                "def handler(event, context):\n"
                "    for record in event['Records']:\n"
                "        print(json.dumps({'text': base64.b64decode(record['kinesis']['data']).decode()}))\n",
                "Events": {
                    "Records": {
                        "Type": "Kinesis",
                        "Properties": {
                            "Stream": {"Fn::GetAtt": ["Stream", "Arn"]},
                            "StartingPosition": "TRIM_HORIZON",
                            "BatchSize": 10,
                            "BisectBatchOnFunctionError": True,
                        },
                    }
                },
            },
        },
    },
    "Outputs": {
        "Stream": {"Value": {"Ref": "Stream"}},
        "Reader": {"Value": {"Ref": "Reader"}},
        "Arn": {"Value": {"Fn::GetAtt": ["Stream", "Arn"]}},
    },
}


def _outputs(aws: Aws, stack: str, waiter: str) -> dict[str, str]:
    aws("cloudformation").get_waiter(waiter).wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    (found,) = aws("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}


def test_stack_of_sam_makes_and_updates_a_stream_and_its_mapping(aws: Aws, cleanups: ExitStack) -> None:
    """With retention, tags and encryption; an update reshards it."""
    name = f"k-{uuid.uuid4().hex[:8]}"
    needed = {"Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"], "StackName": name}
    aws("cloudformation").create_stack(**needed, TemplateBody=json.dumps(TEMPLATE))
    cleanups.callback(aws("cloudformation").delete_stack, StackName=name)
    outputs = _outputs(aws, name, "stack_create_complete")
    stream = outputs["Stream"]
    _put(aws, stream, "hello")

    function = DeployedFunction(outputs["Reader"], "", aws("lambda"))
    assert json_lines(aws, function, 1) == [{"text": "hello"}]
    kinesis = aws("kinesis")
    told = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    assert (told["StreamARN"], told["RetentionPeriodHours"], told["EncryptionType"]) == (outputs["Arn"], 48, "KMS")
    assert (told["OpenShardCount"], told["StreamModeDetails"]["StreamMode"]) == (2, "PROVISIONED")
    assert kinesis.list_tags_for_stream(StreamName=stream)["Tags"] == [{"Key": "team", "Value": "a"}]

    changed = json.loads(json.dumps(TEMPLATE))
    properties = changed["Resources"]["Stream"]["Properties"]
    properties |= {"ShardCount": 1, "RetentionPeriodHours": 24, "Tags": [{"Key": "cost", "Value": "b"}]}
    del properties["StreamEncryption"]
    aws("cloudformation").update_stack(**needed, TemplateBody=json.dumps(changed))
    assert _outputs(aws, name, "stack_update_complete")["Stream"] == stream
    told = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    assert (told["OpenShardCount"], told["RetentionPeriodHours"], told["EncryptionType"]) == (1, 24, "NONE")
    assert kinesis.list_tags_for_stream(StreamName=stream)["Tags"] == [{"Key": "cost", "Value": "b"}]


def test_what_kinesis_does_not_take_is_refused(
    aws: Aws, make_function: FunctionFactory, make_stream: MakeStream
) -> None:
    """By AWS's errors, and what is not served by name."""
    name, arn = make_stream()
    kinesis, function = aws("kinesis"), make_function(FAILS)
    with pytest.raises(ClientError, match="Stream nothing under account 000000000000 not found"):
        kinesis.put_record(StreamName="nothing", Data=b"", PartitionKey="k")
    with pytest.raises(ClientError, match=r"ValidationException.*'records.2.member.data' failed"):
        kinesis.put_records(
            StreamName=name,
            Records=[{"Data": b"a", "PartitionKey": "k"}, {"Data": b"a" * 1024 * 1024, "PartitionKey": "k"}],
        )
    assert _read(aws, name, "shardId-000000000000") == []
    with pytest.raises(ClientError, match=f"ResourceInUseException.*Stream {name} under account"):
        kinesis.create_stream(StreamName=name, ShardCount=1)
    with pytest.raises(ClientError, match="does not serve PutResourcePolicy of Kinesis"):
        kinesis.put_resource_policy(ResourceARN=arn, Policy="{}")
    with pytest.raises(ClientError, match="Stream not found"):
        aws("lambda").create_event_source_mapping(
            FunctionName=function.name, EventSourceArn=f"{arn}-none", StartingPosition="LATEST"
        )
    with pytest.raises(ClientError, match="TumblingWindowInSeconds is not served"):
        aws("lambda").create_event_source_mapping(
            FunctionName=function.name, EventSourceArn=arn, StartingPosition="LATEST", TumblingWindowInSeconds=30
        )
