"""Streams of Kinesis and Firehose as destinations of subscription filters, by their own APIs.

"Log group-level subscription filters" (Amazon CloudWatch Logs user guide): a record is the message compressed with
gzip; its partition key is the log stream, or a random one where the filter's distribution is Random.
"""

import uuid
from typing import Any, Final

from localstack.aws.connect import connect_to
from localstack.utils.aws.arns import parse_arn

SERVICES: Final = {"kinesis": "Kinesis", "firehose": "Firehose"}
"""By the service in an ARN: what errors and metrics call it."""
_PRINCIPAL: Final = "logs"


def service_of(arn: str) -> str | None:
    """``kinesis`` or ``firehose``; None for the ARN of anything else."""
    parts = arn.split(":")
    return parts[2] if len(parts) > 2 and parts[2] in SERVICES else None  # noqa: PLR2004  (the service's place)


def exists(arn: str) -> bool:
    """Whether there is such a stream."""
    client = _client(arn)
    try:
        if service_of(arn) == "kinesis":
            client.describe_stream_summary(StreamARN=arn)
        else:
            client.describe_delivery_stream(DeliveryStreamName=_name(arn))
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


def put(arn: str, data: bytes, *, log_stream: str, is_random: bool) -> None:
    """Write a record.

    Raises:
        Exception: what the stream's API answers.
    """
    client = _client(arn)
    if service_of(arn) == "kinesis":
        client.put_record(StreamARN=arn, Data=data, PartitionKey=uuid.uuid4().hex if is_random else log_stream[:256])
    else:
        client.put_record(DeliveryStreamName=_name(arn), Record={"Data": data})


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _client(arn: str) -> Any:
    place, service = parse_arn(arn), service_of(arn) or ""
    clients = connect_to(aws_access_key_id=place["account"], region_name=place["region"])
    return clients.get_client(service).request_metadata(service_principal=_PRINCIPAL)
