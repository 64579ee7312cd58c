"""Shards of Kinesis in the form in which functions, filters and destinations get their records."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dlqlab.emulator.kinesis.streams import PROVISIONED, Settings, Stream
from dlqlab.emulator.mappings.filters import Filter
from dlqlab.emulator.mappings.stream_batches import EXHAUSTED, GivenUp, batch_document
from dlqlab.emulator.mappings.stream_sources import KinesisShard, start
from dlqlab.emulator.mappings.stream_validation import stream_refusal

ARN = "arn:aws:kinesis:eu-north-1:111111111111:stream/s"


def _stream(*data: bytes) -> Stream:
    stream = Stream(ARN, 1, Settings(mode=PROVISIONED), now=lambda: 1_800_000_000.25)
    for one in data:
        stream.put(one, "k")
    return stream


def _shard(*data: bytes) -> KinesisShard:
    return KinesisShard(_stream(*data).shards[0], ARN)


def test_record_is_the_one_of_lambdas_guide() -> None:
    """Nested for functions, flat for pipes."""
    shard = _shard(b"Hello")
    (record,) = shard.log.read(shard.log.first, 1)
    held = {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "k",
        "sequenceNumber": str(record.number),
        "data": "SGVsbG8=",
        "approximateArrivalTimestamp": 1_800_000_000.25,
    }
    about = {
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{record.number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:role",
        "awsRegion": "eu-north-1",
        "eventSourceARN": ARN,
    }

    assert shard.shown(record, "arn:role") == {"kinesis": held, **about}
    assert shard.flat(record) == {**held, **about, "invokeIdentityArn": None}


@pytest.mark.parametrize(
    ("data", "pattern", "matches"),
    [
        (b'{"kind": "a"}', {"data": {"kind": ["a"]}}, True),
        (b'{"kind": "b"}', {"data": {"kind": ["a"]}}, False),
        (b"kind a", {"data": {"kind": [{"anything-but": "b"}]}}, False),
        (b"\xff", {"partitionKey": ["k"]}, True),
        (b"{}", {"kinesis": {"partitionKey": ["other"]}}, False),
    ],
)
def test_filters_see_the_data_as_json(data: bytes, pattern: dict[str, Any], matches: bool) -> None:
    """What is no JSON matches no filter of data."""
    shard = _shard(data)
    (record,) = shard.log.read(shard.log.first, 1)

    assert Filter(json.dumps(pattern)).matches(shard.filtered(record)) is matches


def test_destination_is_told_times_to_the_millisecond() -> None:
    """As AWS's document of Kinesis has them, unlike that of DynamoDB."""
    shard = _shard(b"a", b"b")
    given_up = GivenUp(tuple(shard.log.read(shard.log.first, 2)), EXHAUSTED, 1)
    document = batch_document(given_up, shard, at="2027-01-15T08:00:05.000Z")

    assert document["KinesisBatchInfo"] == {
        "shardId": "shardId-000000000000",
        "startSequenceNumber": str(shard.log.first),
        "endSequenceNumber": str(shard.log.first + 1),
        "approximateArrivalOfFirstRecord": "2027-01-15T08:00:00.250Z",
        "approximateArrivalOfLastRecord": "2027-01-15T08:00:00.250Z",
        "batchSize": 2,
        "streamArn": ARN,
    }


@pytest.mark.parametrize(
    ("mapping", "place"),
    [
        ({"StartingPosition": "TRIM_HORIZON"}, 0),
        ({"StartingPosition": "LATEST"}, 2),
        ({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": datetime(2027, 1, 15, tzinfo=UTC)}, 0),
        ({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1_800_000_001}, 2),
    ],
)
def test_mapping_begins_where_it_says(mapping: dict[str, Any], place: int) -> None:
    """In a shard that has two records."""
    log = _shard(b"a", b"b").log

    assert start(log, mapping) - log.first == place


@pytest.mark.parametrize(
    ("settings", "is_there", "text"),
    [
        ({"StartingPosition": "LATEST"}, False, f"Stream not found: {ARN}"),
        ({"StartingPosition": "AT_TIMESTAMP"}, True, "StartingPositionTimestamp belongs to"),
        ({"StartingPosition": "LATEST", "StartingPositionTimestamp": 1}, True, "StartingPositionTimestamp belongs to"),
        ({"StartingPosition": "LATEST"}, True, None),
    ],
)
def test_mapping_of_kinesis_is_checked(settings: dict[str, Any], is_there: bool, text: str | None) -> None:
    refused = stream_refusal({"EventSourceArn": ARN, **settings}, is_there=is_there)

    assert (refused.message[: len(text)] if refused and text else refused) == text
