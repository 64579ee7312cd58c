"""The quotas: their numbers, what AWS answers beyond them, and where that stands. Pure.

``aws`` takes all of them as they are; ``aws,NAME=NUMBER,...`` changes some, as for an account with others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dlqlab.errors import UsageError

AWS = "aws"
_LAMBDA = "Lambda quotas"
_API = "Amazon API Gateway quotas; Throttle requests to your REST APIs"


@dataclass(frozen=True, slots=True)
class Quota:
    """One of them."""

    name: str
    default: int
    meaning: str
    answer: str
    source: str


QUOTAS: tuple[Quota, ...] = (
    Quota(
        "lambda_concurrency",
        1000,
        "invocations at once of all functions of an account and region; reserved ones are taken from it",
        "429 TooManyRequestsException",
        _LAMBDA,
    ),
    Quota(
        "lambda_unreserved",
        100,
        "of these, what PutFunctionConcurrency must leave unreserved",
        "400 InvalidParameterValueException",
        "PutFunctionConcurrency",
    ),
    Quota(
        "lambda_environments_per_10_s",
        1000,
        "new execution environments of a function in 10 s",
        "429 TooManyRequestsException",
        "Understanding Lambda function scaling: concurrency scaling rate",
    ),
    Quota(
        "lambda_requests_per_s",
        10,
        "invocations of a function in a second, times its reserved concurrency or that of the account",
        "429 TooManyRequestsException",
        _LAMBDA,
    ),
    Quota(
        "lambda_control_per_s",
        15,
        "calls of Lambda's API in a second, but for invocations and GetFunction",
        "429 TooManyRequestsException",
        _LAMBDA,
    ),
    Quota(
        "lambda_get_function_per_s",
        100,
        "GetFunction in a second",
        "429 TooManyRequestsException",
        _LAMBDA,
    ),
    Quota(
        "api_per_s",
        10_000,
        "requests to all REST APIs of an account and region in a second; a stage's own rate of `*/*` beside it",
        "429 Too Many Requests",
        _API,
    ),
    Quota(
        "api_burst",
        5000,
        "requests to them at once; a stage's own burst of `*/*` beside it",
        "429 Too Many Requests",
        _API,
    ),
    Quota(
        "sqs_in_flight",
        120_000,
        "messages in flight of a standard queue",
        "400 OverLimit with short polling, nothing received with long polling and by mappings",
        "Amazon SQS standard queue quotas",
    ),
    Quota(
        "sqs_fifo_in_flight",
        120_000,
        "messages in flight of a FIFO queue (20,000 until November 2024)",
        "nothing received",
        "Amazon SQS FIFO queue quotas",
    ),
    Quota(
        "kinesis_shard_records_per_s",
        1000,
        "records written to a shard of a provisioned Kinesis stream in a second",
        "400 ProvisionedThroughputExceededException, of PutRecords as the error of each such record",
        "Amazon Kinesis Data Streams quotas and limits",
    ),
    Quota(
        "kinesis_shard_bytes_per_s",
        1_048_576,
        "bytes of data and partition keys written to such a shard in a second",
        "400 ProvisionedThroughputExceededException, of PutRecords as the error of each such record",
        "Amazon Kinesis Data Streams quotas and limits",
    ),
)


def chosen(given: str) -> Mapping[str, int]:
    """The numbers of all quotas by name.

    Raises:
        UsageError: it does not begin with ``aws``, or names no quota, or no whole number of 1 or more.
    """
    first, *changes = [part.strip() for part in given.split(",")]
    if first != AWS:
        raise UsageError(f"--limits {given}: give {AWS}, or {AWS},NAME=NUMBER,...")
    numbers = {quota.name: quota.default for quota in QUOTAS}
    for change in changes:
        name, _, number = change.partition("=")
        if name not in numbers:
            raise UsageError(f"--limits {given}: {name} is none of {', '.join(numbers)}")
        if not number.isdecimal() or int(number) < 1:
            raise UsageError(f"--limits {given}: {name} is {number or 'nothing'}: give a whole number of 1 or more")
        numbers[name] = int(number)
    return numbers
