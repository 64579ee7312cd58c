"""Prefixes, settings and transformations of Firehose, as rules."""

import base64
import json
import re
from typing import Any

import pytest

from dlqlab.emulator.firehose import prefixes, settings, transforms
from dlqlab.emulator.firehose.prefixes import Naming, PrefixError
from dlqlab.emulator.firehose.settings import Destination
from dlqlab.emulator.firehose.transforms import Incoming

TS = 1_535_365_800.0
"""27 August 2018, 10:30 UTC, as in AWS's examples."""
NAMING = Naming(stream="s", version=1, ts=TS)
SUFFIX = r"s-1-2018-08-27-10-30-00-[0-9a-f-]{36}"
S3 = {"BucketARN": "arn:aws:s3:::b", "RoleARN": "arn:aws:iam::000000000000:role/r"}


@pytest.mark.parametrize(
    ("prefix", "error_prefix", "key", "error_key"),
    [
        ("", "bad/!{firehose:error-output-type}/", "2018/08/27/10/", "bad/processing-failed/"),
        ("my/", None, "my/2018/08/27/10/", "my/processing-failed/2018/08/27/10/"),
        ("my", None, "my2018/08/27/10/", "myprocessing-failed/2018/08/27/10/"),
        (
            "a/year=!{timestamp:yyyy}/month=!{timestamp:MM}/",
            "e/!{timestamp:'year='yyyy'/hour='HH}/!{firehose:error-output-type}",
            "a/year=2018/month=08/",
            "e/year=2018/hour=10/processing-failed",
        ),
        (
            "!{firehose:random-string}/", "!{firehose:error-output-type}/",
            "[0-9a-f]{11}/2018/08/27/10/", "processing-failed/",
        ),
    ],
)  # fmt: skip
def test_objects_are_named_as_in_the_guide(prefix: str, error_prefix: str | None, key: str, error_key: str) -> None:
    """By the arrival of the oldest record, with the suffix that cannot be changed."""
    prefixes.check(prefix, error_prefix)

    assert re.fullmatch(f"{key}{SUFFIX}.gz", NAMING.key(prefix, ".gz"))
    assert re.fullmatch(f"{error_key}{SUFFIX}", NAMING.error_key(prefix, error_prefix))


def test_names_are_in_the_time_zone_of_the_stream() -> None:
    tokyo = Naming(stream="s", version=2, ts=TS, zone="Asia/Tokyo")

    assert tokyo.key("").startswith("2018/08/27/19/s-2-2018-08-27-19-30-00-")


@pytest.mark.parametrize(
    ("prefix", "error_prefix", "said"),
    [
        ("!{timestamp:yyyy}/", None, "ErrorOutputPrefix cannot be null"),
        ("!{firehose:error-output-type}/", "e/", "Prefix cannot contain"),
        ("", "!{timestamp:yyyy}", "one of them must be !{firehose:error-output-type}"),
        ("!{timestamp:qq}/", "!{firehose:error-output-type}", "qq in a timestamp: give DDD"),
        ("!{partitionKeyFromQuery:a}/", "!{firehose:error-output-type}", "no expression that is served here"),
        ("!{timestamp}/", "!{firehose:error-output-type}", "begins no expression"),
        ("!{timestamp:'yyyy}/", "!{firehose:error-output-type}", "whose quote does not end"),
    ],
)
def test_prefixes_that_firehose_refuses(prefix: str, error_prefix: str | None, said: str) -> None:
    with pytest.raises(PrefixError, match=re.escape(said)):
        prefixes.check(prefix, error_prefix)


def _processing(kind: str, **parameters: str) -> dict[str, Any]:
    given = [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()]
    return {"ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": kind, "Parameters": given}]}}


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"ExtendedS3DestinationConfiguration": S3}, None),
        ({"S3DestinationConfiguration": S3}, None),
        ({}, "needs one destination"),
        ({"RedshiftDestinationConfiguration": {"a": 1}}, "RedshiftDestinationConfiguration is not served"),
        ({"ExtendedS3DestinationConfiguration": S3, "DeliveryStreamType": "MSKAsSource"}, "MSKAsSource is not served"),
        ({"ExtendedS3DestinationConfiguration": S3, "DeliveryStreamType": "KinesisStreamAsSource"}, "give both"),
        ({"ExtendedS3DestinationConfiguration": S3 | {"S3BackupMode": "Enabled"}}, "S3BackupMode Enabled"),
        ({"ExtendedS3DestinationConfiguration": S3 | {"CompressionFormat": "Snappy"}}, "give UNCOMPRESSED or GZIP"),
        (
            {"ExtendedS3DestinationConfiguration": S3 | {"DynamicPartitioningConfiguration": {"Enabled": True}}},
            "does no dynamic partitioning",
        ),
        (
            {"ExtendedS3DestinationConfiguration": S3 | {"DynamicPartitioningConfiguration": {"Enabled": False}}},
            None,
        ),
        ({"ExtendedS3DestinationConfiguration": S3 | {"CustomTimeZone": "Mars/One"}}, "CustomTimeZone is Mars/One"),
        ({"ExtendedS3DestinationConfiguration": S3 | _processing("Decompression")}, "The processor Decompression"),
        ({"ExtendedS3DestinationConfiguration": S3 | _processing("Lambda")}, "needs the parameter LambdaArn"),
        (
            {"ExtendedS3DestinationConfiguration": S3 | _processing("Lambda", LambdaArn="arn:f", NumberOfRetries="x")},
            "NumberOfRetries of the processor Lambda is x",
        ),
    ],
)
def test_what_is_not_done_is_refused(request_: dict[str, Any], said: str | None) -> None:
    """By name, with what to give instead."""
    found = settings.wrong(request_)

    assert (found is None) == (said is None)
    assert (said or "") in (found or "")


def test_defaults_are_those_of_firehose() -> None:
    """5 MB or 300 s; of a function 1 MB at once, and three retries."""
    found = Destination.of(S3 | _processing("Lambda", LambdaArn="arn:f"))

    assert (found.size_bytes, found.interval_s, found.extension) == (5 * settings.MB, 300, "")
    assert found.transform == settings.Transform(function_arn="arn:f", retries=3, batch_bytes=settings.MB)


def _records(*texts: str) -> list[Incoming]:
    return [Incoming(record_id=str(number), data=text.encode(), arrived_ts=TS) for number, text in enumerate(texts)]


def _answer(*results: tuple[str, str, Any]) -> bytes:
    return json.dumps(
        {"records": [dict(zip(("recordId", "result", "data"), one, strict=True)) for one in results]}
    ).encode()


def test_each_record_is_what_the_function_says() -> None:
    """Delivered, dropped or failed; what it says nothing sound of has failed."""
    answer = _answer(
        ("0", "Ok", base64.b64encode(b"A").decode()), ("1", "Dropped", ""), ("2", "ProcessingFailed", ""),
        ("4", "Ok", "no base64!"), ("5", "Ok", None),
    )  # fmt: skip
    made = transforms.outcome(_records("a", "b", "c", "d", "e", "f"), answer)

    assert made.delivered == [b"A"]
    assert [(one.data, code) for one, code, _ in made.failed] == [
        (b"c", "Lambda.ProcessingFailedStatus"),
        (b"d", "Lambda.MissingRecordId"),
        (b"e", "Lambda.JsonProcessingException"),
        (b"f", "Lambda.JsonProcessingException"),
    ]


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b'{"records": 1}', b'{"records": [1]}'])
def test_answer_that_says_nothing_fails_all(payload: bytes) -> None:
    made = transforms.outcome(_records("a", "b"), payload)

    assert (made.delivered, len(made.failed)) == ([], 2)


def test_records_are_handed_over_by_size() -> None:
    """A record that is larger goes alone."""
    batches = [[one.data for one in batch] for batch in transforms.batches(_records("aa", "b", "cccc", "d"), 3)]

    assert batches == [[b"aa", b"b"], [b"cccc"], [b"d"]]
