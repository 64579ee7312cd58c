"""The operations of DynamoDB Streams: ListStreams, DescribeStream, GetShardIterator, GetRecords (API reference)."""

import base64
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from localstack.aws.api import CommonServiceException

from dlqlab.emulator.core.record_log import TrimmedError
from dlqlab.emulator.dynamodb.streams import (
    FIRST,
    ExpiredError,
    IteratorError,
    Record,
    Stream,
    Streams,
)

RECORDS_MAX = 1_000
BYTES_MAX = 1024 * 1024
LISTED_MAX = 100

type Answer = dict[str, Any]
type Request = Mapping[str, Any]


def _refuse(code: str, message: str) -> CommonServiceException:
    return CommonServiceException(code, message, 400, sender_fault=True)


class Api:
    """The operations, as LocalStack calls them: context, request."""

    service = "dynamodbstreams"

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    def dispatch_table(self) -> dict[str, Callable[[Any, Request], Answer]]:
        return {
            "ListStreams": self.list_streams,
            "DescribeStream": self.describe,
            "GetShardIterator": self.iterate,
            "GetRecords": self.records,
        }

    def list_streams(self, context: Any, request: Request) -> Answer:
        """ListStreams."""
        here = f":{context.region}:{context.account_id}:table/"
        after, table = request.get("ExclusiveStartStreamArn") or "", request.get("TableName")
        found = [
            one
            for one in self._streams
            if here in one.arn and one.arn > after and (table is None or one.table == table)
        ]
        count = min(request.get("Limit") or LISTED_MAX, LISTED_MAX)
        answer: Answer = {
            "Streams": [
                {"StreamArn": one.arn, "TableName": one.table, "StreamLabel": one.label} for one in found[:count]
            ]
        }
        if len(found) > count:
            answer["LastEvaluatedStreamArn"] = found[count - 1].arn
        return answer

    def describe(self, _context: Any, request: Request) -> Answer:
        """DescribeStream."""
        stream = self._find(request["StreamArn"])
        numbers = {"StartingSequenceNumber": str(FIRST)}
        if stream.closed_ts is not None:
            numbers["EndingSequenceNumber"] = str(max(FIRST, stream.next - 1))
        shard = {"ShardId": stream.shard_id, "SequenceNumberRange": numbers}
        description = {
            "StreamArn": stream.arn,
            "StreamLabel": stream.label,
            "StreamStatus": "ENABLED" if stream.closed_ts is None else "DISABLED",
            "StreamViewType": stream.view,
            "CreationRequestDateTime": datetime.fromtimestamp(stream.created_ts, UTC),
            "TableName": stream.table,
            "KeySchema": stream.key_schema,
            "Shards": [] if request.get("ExclusiveStartShardId") == stream.shard_id else [shard],
        }
        return {"StreamDescription": description}

    def iterate(self, _context: Any, request: Request) -> Answer:
        """GetShardIterator."""
        stream = self._find(request["StreamArn"])
        if request["ShardId"] != stream.shard_id:
            raise _refuse(
                "ResourceNotFoundException",
                f"Requested resource not found: Shard: {request['ShardId']} in Stream: {stream.arn} not found",
            )
        return {"ShardIterator": stream.iterator(_start(stream, request))}

    def records(self, _context: Any, request: Request) -> Answer:
        """GetRecords."""
        text, limit = request["ShardIterator"], request.get("Limit") or RECORDS_MAX
        stream = self._streams.find(text.partition("|")[0])
        if stream is None:
            raise _refuse("ValidationException", "Invalid ShardIterator")
        try:
            number = stream.place(text)
            found = list(_fitting(stream.read(number, min(limit, RECORDS_MAX))))
        except ExpiredError as error:
            raise _refuse("ExpiredIteratorException", "The shard iterator has expired.") from error
        except TrimmedError as error:
            raise _trimmed() from error
        except IteratorError as error:
            raise _refuse("ValidationException", "Invalid ShardIterator") from error
        number += len(found)
        answer: Answer = {"Records": [_shown(one, stream) for one in found]}
        if not stream.is_at_end(number):
            answer["NextShardIterator"] = stream.iterator(number)
        return answer

    def _find(self, arn: str) -> Stream:
        found = self._streams.find(arn)
        if found is None:
            raise _refuse("ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found")
        return found


def _trimmed() -> CommonServiceException:
    return _refuse(
        "TrimmedDataAccessException",
        "The operation attempted to read past the oldest stream record in a shard.",
    )


def _start(stream: Stream, request: Request) -> int:
    kind, given = request["ShardIteratorType"], request.get("SequenceNumber")
    if kind == "TRIM_HORIZON":
        return stream.oldest
    if kind == "LATEST":
        return stream.next
    if not given or not given.isdecimal():
        raise _refuse("ValidationException", f"Invalid SequenceNumber {given}: {kind} needs one of the stream")
    number: int = int(given) + (kind == "AFTER_SEQUENCE_NUMBER")
    if number < stream.oldest:
        raise _trimmed()
    return number


def _fitting(records: Iterable[Record]) -> Iterable[Record]:
    """As many of the first as one answer holds, at least one."""
    size = 0
    for one in records:
        size += len(one.text)
        if size > BYTES_MAX and size > len(one.text):
            return
        yield one


def _shown(record: Record, stream: Stream) -> Answer:
    """A record as GetRecords gives it: times and binary values are not JSON's."""
    document = record.document()
    change = document["dynamodb"]
    for name in ("Keys", "NewImage", "OldImage"):
        if name in change:
            change[name] = {attribute: _binary(value) for attribute, value in change[name].items()}
    change["ApproximateCreationDateTime"] = datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC)
    if by := document.get("userIdentity"):
        document["userIdentity"] = {"Type": by["type"], "PrincipalId": by["principalId"]}
    region = stream.arn.split(":")[3]
    return {**document, "eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": region}


def _binary(value: dict[str, Any]) -> dict[str, Any]:
    kind, held = next(iter(value.items()))
    if kind == "B":
        return {kind: base64.b64decode(held)}
    if kind == "BS":
        return {kind: [base64.b64decode(one) for one in held]}
    if kind == "L":
        return {kind: [_binary(one) for one in held]}
    if kind == "M":
        return {kind: {name: _binary(one) for name, one in held.items()}}
    return value
