"""Amazon Data Firehose: what is put, or read of a Kinesis stream, gets into S3, transformed and named as it should."""

import base64
import gzip
import json
import re
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.contracts.owed import OwedKind
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.run.owed import owed_by
from dlqlab.waiting import wait_for
from tests.integration.conftest import ROLE, FunctionFactory

pytestmark = pytest.mark.integration

Aws = Callable[[str], Any]
TRANSFORMS = """
    import base64, json
    def handler(event, context):
        answers = []
        for record in event['records']:
            kind = json.loads(base64.b64decode(record['data']))['kind']
            result = {'drop': 'Dropped', 'fail': 'ProcessingFailed'}.get(kind, 'Ok')
            data = base64.b64encode(kind.upper().encode()).decode()
            if kind != 'forgotten':
                answers.append({'recordId': record['recordId'], 'result': result, 'data': data})
        return {'records': answers}
    """


@pytest.fixture
def bucket(aws: Aws, cleanups: ExitStack) -> str:
    """A bucket, which is emptied and deleted."""
    name = f"b-{uuid.uuid4().hex[:8]}"
    aws("s3").create_bucket(Bucket=name)

    def delete() -> None:
        for key in _keys(aws, name):
            aws("s3").delete_object(Bucket=name, Key=key)
        aws("s3").delete_bucket(Bucket=name)

    cleanups.callback(delete)
    return name


def _make(aws: Aws, cleanups: ExitStack, config: dict[str, Any], **more: Any) -> str:
    name = f"d-{uuid.uuid4().hex[:8]}"
    aws("firehose").create_delivery_stream(
        DeliveryStreamName=name, ExtendedS3DestinationConfiguration={"RoleARN": ROLE, **config}, **more
    )
    cleanups.callback(aws("firehose").delete_delivery_stream, DeliveryStreamName=name)
    return name


def _keys(aws: Aws, bucket: str) -> list[str]:
    return [one["Key"] for one in aws("s3").list_objects_v2(Bucket=bucket).get("Contents", ())]


def _objects(aws: Aws, bucket: str, count: int) -> dict[str, bytes]:
    """What lies in the bucket, once it is so many objects."""

    def probe() -> tuple[bool, list[str]]:
        keys = _keys(aws, bucket)
        return len(keys) >= count, keys

    keys = wait_for(f"{count} objects in {bucket}", probe, deadline_s=30)
    return {key: aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def test_records_are_gathered_into_an_object(emulator: Emulator, aws: Aws, cleanups: ExitStack, bucket: str) -> None:
    """By the interval, compressed, with delimiters; until then the emulator owes them."""
    firehose = aws("firehose")
    delimiter = {
        "Type": "AppendDelimiterToRecord",
        "Parameters": [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}],
    }
    name = _make(
        aws,
        cleanups,
        {
            "BucketARN": f"arn:aws:s3:::{bucket}",
            "Prefix": "orders/",
            "CompressionFormat": "GZIP",
            "BufferingHints": {"IntervalInSeconds": 900, "SizeInMBs": 1},
            "ProcessingConfiguration": {"Enabled": True, "Processors": [delimiter]},
        },
    )
    firehose.put_record(DeliveryStreamName=name, Record={"Data": b"one"})
    answer = firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"two"}, {"Data": b"three"}])
    assert (answer["FailedPutCount"], len(answer["RequestResponses"])) == (0, 2)
    owed = [(one.kind, one.n) for one in owed_by(emulator.port) if one.of == name]
    assert owed == [(OwedKind.DELIVERY, 3)]
    assert _keys(aws, bucket) == []

    told = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    firehose.update_destination(
        DeliveryStreamName=name,
        CurrentDeliveryStreamVersionId=told["VersionId"],
        DestinationId=told["Destinations"][0]["DestinationId"],
        ExtendedS3DestinationUpdate={"BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1}},
    )
    ((key, body),) = _objects(aws, bucket, 1).items()
    assert re.fullmatch(rf"orders/\d{{4}}/\d\d/\d\d/\d\d/{name}-2-[\d-]{{19}}-[0-9a-f-]{{36}}\.gz", key)
    assert gzip.decompress(body) == b"one\ntwo\nthree\n"
    assert [one for one in owed_by(emulator.port) if one.of == name] == []


def test_function_transforms_drops_and_fails_records_of_a_stream(
    aws: Aws, cleanups: ExitStack, bucket: str, make_function: FunctionFactory
) -> None:
    """From a Kinesis stream; what it fails, or does not answer, lies under the error prefix with its data."""
    stream, function = f"s-{uuid.uuid4().hex[:8]}", make_function(TRANSFORMS)
    aws("kinesis").create_stream(StreamName=stream, ShardCount=2)
    cleanups.callback(aws("kinesis").delete_stream, StreamName=stream)
    arn = f"arn:aws:kinesis:us-east-1:000000000000:stream/{stream}"
    transform = {"Type": "Lambda", "Parameters": [{"ParameterName": "LambdaArn", "ParameterValue": function.arn}]}
    name = _make(
        aws,
        cleanups,
        {
            "BucketARN": f"arn:aws:s3:::{bucket}",
            "Prefix": "ok/year=!{timestamp:yyyy}/",
            "ErrorOutputPrefix": "bad/!{firehose:error-output-type}/",
            "BufferingHints": {"IntervalInSeconds": 1, "SizeInMBs": 1},
            "ProcessingConfiguration": {"Enabled": True, "Processors": [transform]},
        },
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={"KinesisStreamARN": arn, "RoleARN": ROLE},
    )
    kinds = ["a", "b", "drop", "fail", "forgotten"]
    records = [{"Data": json.dumps({"kind": kind}).encode(), "PartitionKey": "k"} for kind in kinds]
    aws("kinesis").put_records(StreamName=stream, Records=records)

    found = _objects(aws, bucket, 2)
    good, bad = (
        next(key for key in found if key.startswith(start)) for start in ("ok/year=2", "bad/processing-failed/")
    )
    assert found[good] == b"AB"
    lines = [json.loads(line) for line in found[bad].splitlines()]
    failed = [(json.loads(base64.b64decode(line["rawData"]))["kind"], line["errorCode"]) for line in lines]
    assert failed == [("fail", "Lambda.ProcessingFailedStatus"), ("forgotten", "Lambda.MissingRecordId")]
    assert {(line["attemptsMade"], line["lambdaArn"]) for line in lines} == {(1, function.arn)}
    with pytest.raises(ClientError, match="not permitted on KinesisStreamAsSource"):
        aws("firehose").put_record(DeliveryStreamName=name, Record={"Data": b"a"})


def test_what_is_not_done_is_refused_by_name(aws: Aws, cleanups: ExitStack, bucket: str) -> None:
    """Other destinations, conversions, prefixes that Firehose refuses, records over its limit."""
    config = {"BucketARN": f"arn:aws:s3:::{bucket}"}
    with pytest.raises(ClientError, match="HttpEndpointDestinationConfiguration is not served"):
        aws("firehose").create_delivery_stream(
            DeliveryStreamName="x",
            HttpEndpointDestinationConfiguration={
                "EndpointConfiguration": {"Url": "https://example.com"},
                "S3Configuration": {"RoleARN": ROLE, **config},
            },
        )
    for wrong, said in (
        ({"DataFormatConversionConfiguration": {"Enabled": True}}, "conversion of records"),
        ({"CompressionFormat": "ZIP"}, "CompressionFormat ZIP is not served"),
        ({"Prefix": "!{timestamp:yyyy}/"}, "ErrorOutputPrefix cannot be null"),
    ):
        with pytest.raises(ClientError, match=said):
            _make(aws, cleanups, config | wrong)
    name = _make(aws, cleanups, config)
    with pytest.raises(ClientError, match="less than or equal to 1024000"):
        aws("firehose").put_record(DeliveryStreamName=name, Record={"Data": b"a" * 1024 * 1024})


TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Delivery": {
            "Type": "AWS::KinesisFirehose::DeliveryStream",
            "Properties": {
                "ExtendedS3DestinationConfiguration": {
                    "BucketARN": {"Fn::GetAtt": ["Bucket", "Arn"]},
                    "RoleARN": ROLE,
                    "BufferingHints": {"IntervalInSeconds": "0", "SizeInMBs": "1"},
                }
            },
        },
    },
    "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}, "Delivery": {"Value": {"Ref": "Delivery"}}},
}


def test_stack_makes_and_updates_a_delivery_stream(aws: Aws, cleanups: ExitStack) -> None:
    """Its reference is its name."""
    stack, client = f"f-{uuid.uuid4().hex[:8]}", aws("cloudformation")
    options = {"Delay": 1, "MaxAttempts": 30}
    client.create_stack(StackName=stack, TemplateBody=json.dumps(TEMPLATE))
    cleanups.callback(client.delete_stack, StackName=stack)
    client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=options)
    (made,) = client.describe_stacks(StackName=stack)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in made["Outputs"]}
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Delivery"]["Properties"]["ExtendedS3DestinationConfiguration"]["Prefix"] = "new/"
    client.update_stack(StackName=stack, TemplateBody=json.dumps(changed))
    client.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig=options)
    aws("firehose").put_record(DeliveryStreamName=outputs["Delivery"], Record={"Data": b"one"})

    ((key, body),) = _objects(aws, outputs["Bucket"], 1).items()
    assert (key.startswith("new/20"), body) == (True, b"one")
    aws("s3").delete_object(Bucket=outputs["Bucket"], Key=key)
