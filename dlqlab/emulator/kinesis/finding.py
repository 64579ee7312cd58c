"""What operations share: the stream that a request names, and AWS's errors."""

from collections.abc import Mapping
from typing import Any

from localstack.aws.api import CommonServiceException

from dlqlab.emulator.kinesis.streams import STREAMS, Shard, Stream

type Answer = dict[str, Any]
type Request = Mapping[str, Any]

NOT_FOUND, IN_USE, INVALID = "ResourceNotFoundException", "ResourceInUseException", "InvalidArgumentException"
VALIDATION = "ValidationException"


def refused(code: str, message: str) -> CommonServiceException:
    """An error of AWS."""
    return CommonServiceException(code, message, 400, sender_fault=True)


def arn_of(context: Any, name: str) -> str:
    return f"arn:{context.partition}:kinesis:{context.region}:{context.account_id}:stream/{name}"


def stream_of(context: Any, request: Request) -> Stream:
    """The stream of StreamARN, or of StreamName in the caller's account and region.

    Raises:
        CommonServiceException: none is named, or there is none.
    """
    name = request.get("StreamName")
    arn = request.get("StreamARN") or request.get("ResourceARN") or (arn_of(context, name) if name else None)
    if arn is None:
        raise refused(INVALID, "StreamARN and StreamName are both missing: give one of them.")
    found = STREAMS.find(arn)
    if found is None:
        account, told = arn.split(":")[4], arn.rpartition(":stream/")[2].partition("/")[0]
        raise refused(NOT_FOUND, f"Stream {told} under account {account} not found.")
    return found


def shard_of(stream: Stream, shard_id: str) -> Shard:
    """The shard of that id.

    Raises:
        CommonServiceException: the stream has none.
    """
    found = stream.find(shard_id)
    if found is None:
        account = stream.arn.split(":")[4]
        message = f"Shard {shard_id} in stream {stream.name} under account {account} does not exist"
        raise refused(NOT_FOUND, message)
    return found
