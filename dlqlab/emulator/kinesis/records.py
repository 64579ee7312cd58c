"""PutRecord, PutRecords, GetShardIterator, GetRecords (Kinesis API reference)."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from dlqlab.emulator.core.record_log import TrimmedError
from dlqlab.emulator.kinesis import iterators
from dlqlab.emulator.kinesis.finding import (
    INVALID,
    NOT_FOUND,
    VALIDATION,
    Answer,
    Request,
    refused,
    shard_of,
    stream_of,
)
from dlqlab.emulator.kinesis.iterators import Place
from dlqlab.emulator.kinesis.streams import HASH_MAX, STREAMS, Record, Shard, Stream, ThroughputError

READ_MAX = 10_000
BYTES_MAX = 10 * 1024 * 1024
"""Of one request of PutRecords, and of one answer of GetRecords."""
_KIB = 1024
_EXCEEDED = "ProvisionedThroughputExceededException"


def put_record(context: Any, request: Request) -> Answer:
    """PutRecord."""
    stream = stream_of(context, request)
    _check_size(stream, request, "data")
    try:
        return _put(stream, request)
    except ThroughputError as error:
        raise refused(_EXCEEDED, str(error)) from error


def put_records(context: Any, request: Request) -> Answer:
    """PutRecords: each record by itself; those that exceed their shard's throughput have an error each."""
    stream, entries = stream_of(context, request), request["Records"]
    if sum(map(_size, entries)) > BYTES_MAX:
        raise refused(INVALID, "Records size exceeds 10 MB limit")
    for number, entry in enumerate(entries, 1):
        _check_size(stream, entry, f"records.{number}.member.data")
        _hash_key(entry)
    made = [_put_one(stream, entry) for entry in entries]
    return {"FailedRecordCount": sum("ErrorCode" in one for one in made), "Records": made} | _encryption(stream)


def _put_one(stream: Stream, entry: Request) -> Answer:
    try:
        return _put(stream, entry)
    except ThroughputError as error:
        return {"ErrorCode": _EXCEEDED, "ErrorMessage": str(error)}


def _put(stream: Stream, entry: Request) -> Answer:
    try:
        shard, made = stream.put(entry["Data"], entry["PartitionKey"], _hash_key(entry))
    except LookupError as error:
        account = stream.arn.split(":")[4]
        raise refused(NOT_FOUND, f"Stream {stream.name} under account {account} not found.") from error
    return {"ShardId": shard.shard_id, "SequenceNumber": str(made.number)} | _encryption(stream)


def _hash_key(entry: Request) -> int | None:
    given = entry.get("ExplicitHashKey")
    if given is None:
        return None
    if int(given) > HASH_MAX:
        raise refused(INVALID, f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]: {given}")
    return int(given)


def _encryption(stream: Stream) -> Answer:
    return {"EncryptionType": "KMS"} if stream.settings.encryption_key else {}


def _size(entry: Request) -> int:
    return len(entry["Data"]) + len(entry["PartitionKey"].encode())


def _check_size(stream: Stream, entry: Request, member: str) -> None:
    most = stream.settings.record_kib * _KIB
    if _size(entry) > most:
        raise refused(
            VALIDATION,
            f"1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length "
            f"less than or equal to {most}",
        )


def get_shard_iterator(context: Any, request: Request) -> Answer:
    """GetShardIterator."""
    stream = stream_of(context, request)
    shard = shard_of(stream, request["ShardId"])
    place = Place(stream.arn, shard.shard_id, _start(stream, shard, request))
    return {"ShardIterator": iterators.write(place, time.time())}


def _start(stream: Stream, shard: Shard, request: Request) -> int:
    kind = request["ShardIteratorType"]
    if kind == "TRIM_HORIZON":
        return shard.oldest
    if kind == "LATEST":
        return shard.next
    if kind == "AT_TIMESTAMP":
        return shard.since(_timestamp(request.get("Timestamp")))
    given = request.get("StartingSequenceNumber")
    if given is None:
        raise refused(INVALID, f"Must either specify StartingSequenceNumber for {kind}, or another ShardIteratorType.")
    number = int(given)
    if not shard.first <= number <= max(shard.first, shard.next - 1):
        raise refused(
            INVALID,
            f"StartingSequenceNumber {given} used in GetShardIterator on shard {shard.shard_id} in stream "
            f"{stream.name} under account {stream.arn.split(':')[4]} is invalid because it did not come from this "
            "stream.",
        )
    return max(number + int(kind == "AFTER_SEQUENCE_NUMBER"), shard.oldest)


def _timestamp(given: Any) -> float:
    if given is None:
        raise refused(INVALID, "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP.")
    return float(given.timestamp() if isinstance(given, datetime) else given)


def get_records(_context: Any, request: Request) -> Answer:
    """GetRecords."""
    now, place = time.time(), _place(request["ShardIterator"])
    stream = STREAMS.find(place.stream_arn)
    if stream is None:
        name = place.stream_arn.rpartition("/")[2]
        account = place.stream_arn.split(":")[4]
        raise refused(NOT_FOUND, f"Stream {name} under account {account} not found.")
    shard = shard_of(stream, place.shard_id)
    try:
        found = list(_fitting(shard.read(place.number, request.get("Limit") or READ_MAX)))
        number = place.number + len(found)
        unread = shard.read(number, 1)
    except TrimmedError:  # it expired while the iterator was held: read on at what is left
        return _answer(stream, shard, [], shard.oldest, 0)
    behind_s = now - unread[0].written_ts if unread else 0
    return _answer(stream, shard, found, number, behind_s)


def _place(text: str) -> Place:
    try:
        return iterators.read(text, time.time())
    except iterators.ExpiredError as error:
        raise refused(
            "ExpiredIteratorException",
            f"Iterator expired. It was made more than {iterators.GOOD_S} seconds ago: get a new one.",
        ) from error
    except iterators.IteratorError as error:
        raise refused(INVALID, "Invalid ShardIterator.") from error


def _answer(stream: Stream, shard: Shard, found: list[Record], number: int, behind_s: float) -> Answer:
    answer: Answer = {
        "Records": [_shown(one) | _encryption(stream) for one in found],
        "MillisBehindLatest": max(0, int(behind_s * 1000)),
    }
    if not shard.is_at_end(number):
        answer["NextShardIterator"] = iterators.write(Place(stream.arn, shard.shard_id, number), time.time())
    elif children := stream.children(shard.shard_id):
        answer["ChildShards"] = [
            {"ShardId": one.shard_id, "ParentShards": list(one.parents), "HashKeyRange": hash_range(one)}
            for one in children
        ]
    return answer


def hash_range(shard: Shard) -> Answer:
    return {"StartingHashKey": str(shard.low), "EndingHashKey": str(shard.high)}


def _shown(record: Record) -> Answer:
    return {
        "SequenceNumber": str(record.number),
        "ApproximateArrivalTimestamp": datetime.fromtimestamp(record.written_ts, UTC),
        "Data": record.data,
        "PartitionKey": record.keys,
    }


def _fitting(records: Iterable[Record]) -> Iterable[Record]:
    """As many of the first as one answer holds, at least one."""
    size = 0
    for one in records:
        size += one.size_bytes
        if size > BYTES_MAX and size > one.size_bytes:
            return
        yield one
