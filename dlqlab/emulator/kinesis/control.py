"""Operations on streams and their shards (Kinesis API reference): made, described, listed, changed, deleted."""

import base64
from datetime import UTC, datetime
from typing import Any

from dlqlab.emulator.kinesis.finding import (
    IN_USE,
    INVALID,
    VALIDATION,
    Answer,
    Request,
    arn_of,
    refused,
    shard_of,
    stream_of,
)
from dlqlab.emulator.kinesis.records import hash_range
from dlqlab.emulator.kinesis.streams import (
    ON_DEMAND,
    ON_DEMAND_SHARDS,
    PROVISIONED,
    RECORD_KIB,
    RETENTION_H,
    STREAMS,
    ReshardError,
    Settings,
    Shard,
    Stream,
)

_LISTED_MAX, _SHARDS_TOLD = 10_000, 100
_LISTED_STREAMS = 100
_RETENTION_MAX_H = 8760
_METRICS = (
    "IncomingBytes", "IncomingRecords", "IteratorAgeMilliseconds", "OutgoingBytes", "OutgoingRecords",
    "ReadProvisionedThroughputExceeded", "WriteProvisionedThroughputExceeded",
)  # fmt: skip
_ALL = "ALL"


def create_stream(context: Any, request: Request) -> Answer:
    """CreateStream."""
    mode, count = (request.get("StreamModeDetails") or {}).get("StreamMode") or PROVISIONED, request.get("ShardCount")
    if mode == PROVISIONED and count is None:
        raise refused(VALIDATION, "ShardCount must not be null for a stream in PROVISIONED mode.")
    if mode == ON_DEMAND and count is not None:
        raise refused(VALIDATION, "ShardCount must not be set for a stream in ON_DEMAND mode.")
    settings = Settings(
        mode=mode, tags=dict(request.get("Tags") or {}), record_kib=request.get("MaxRecordSizeInKiB") or RECORD_KIB
    )
    name = request["StreamName"]
    if not STREAMS.add(Stream(arn_of(context, name), count or ON_DEMAND_SHARDS, settings)):
        raise refused(IN_USE, f"Stream {name} under account {context.account_id} already exists.")
    return {}


def delete_stream(context: Any, request: Request) -> Answer:
    """DeleteStream."""
    stream = stream_of(context, request)
    if stream.settings.consumers and not request.get("EnforceConsumerDeletion"):
        raise refused(
            IN_USE, f"Stream {stream.name} has consumers: deregister them, or set EnforceConsumerDeletion to true."
        )
    STREAMS.remove(stream)
    return {}


def describe_stream(context: Any, request: Request) -> Answer:
    """DescribeStream."""
    stream = stream_of(context, request)
    after = request.get("ExclusiveStartShardId") or ""
    left = [one for one in stream.shards if one.shard_id > after]
    told = left[: request.get("Limit") or _SHARDS_TOLD]
    return {
        "StreamDescription": _described(stream)
        | {"Shards": [_shard(one) for one in told], "HasMoreShards": len(told) < len(left)}
    }


def describe_stream_summary(context: Any, request: Request) -> Answer:
    """DescribeStreamSummary."""
    stream = stream_of(context, request)
    return {
        "StreamDescriptionSummary": _described(stream)
        | {
            "OpenShardCount": len(stream.open_shards),
            "ConsumerCount": len(stream.settings.consumers),
            "MaxRecordSizeInKiB": stream.settings.record_kib,
        }
    }


def _described(stream: Stream) -> Answer:
    key = stream.settings.encryption_key
    return _named(stream) | {
        "RetentionPeriodHours": stream.retention_h,
        "EnhancedMonitoring": [{"ShardLevelMetrics": sorted(stream.settings.metrics)}],
        "EncryptionType": "KMS" if key else "NONE",
        **({"KeyId": key} if key else {}),
    }


def _named(stream: Stream) -> Answer:
    return {
        "StreamName": stream.name,
        "StreamARN": stream.arn,
        "StreamStatus": "ACTIVE",
        "StreamModeDetails": {"StreamMode": stream.settings.mode},
        "StreamCreationTimestamp": datetime.fromtimestamp(int(stream.created_ts), UTC),
    }


def _shard(shard: Shard) -> Answer:
    numbers = {"StartingSequenceNumber": str(shard.first)}
    if shard.closed_ts is not None:
        numbers["EndingSequenceNumber"] = str(max(shard.first, shard.next - 1))
    parents = dict(zip(("ParentShardId", "AdjacentParentShardId"), shard.parents, strict=False))
    return {
        "ShardId": shard.shard_id,
        "HashKeyRange": hash_range(shard),
        "SequenceNumberRange": numbers,
        **parents,
    }


def list_streams(context: Any, request: Request) -> Answer:
    """ListStreams."""
    here, after = arn_of(context, ""), request.get("NextToken") or request.get("ExclusiveStartStreamName") or ""
    left = [one for one in STREAMS if one.arn.startswith(here) and one.name > after]
    told = left[: request.get("Limit") or _LISTED_STREAMS]
    answer: Answer = {
        "StreamNames": [one.name for one in told],
        "StreamSummaries": [_named(one) for one in told],
        "HasMoreStreams": len(told) < len(left),
    }
    return answer | ({"NextToken": told[-1].name} if answer["HasMoreStreams"] else {})


def list_shards(context: Any, request: Request) -> Answer:
    """ListShards."""
    token = request.get("NextToken")
    arn, after = _continued(token) if token else ("", request.get("ExclusiveStartShardId") or "")
    stream = stream_of(context, {"StreamARN": arn} if token else request)
    left = [one for one in stream.shards if one.shard_id > after and _is_listed(one, request.get("ShardFilter") or {})]
    told = left[: request.get("MaxResults") or _LISTED_MAX]
    answer: Answer = {"Shards": [_shard(one) for one in told]}
    if len(told) < len(left):
        answer["NextToken"] = base64.b64encode(f"{stream.arn} {told[-1].shard_id}".encode()).decode()
    return answer


def _continued(token: str) -> tuple[str, str]:
    try:
        arn, _, after = base64.b64decode(token, validate=True).decode().partition(" ")
    except ValueError as error:
        raise refused(INVALID, "Invalid NextToken.") from error
    return arn, after


def _is_listed(shard: Shard, wanted: Request) -> bool:
    """Whether a ShardFilter lets a shard through."""
    kind, at = wanted.get("Type"), wanted.get("Timestamp")
    ts = at.timestamp() if isinstance(at, datetime) else float(at or 0)
    is_open = shard.closed_ts is None
    if kind == "AT_LATEST":
        return is_open
    if kind == "AFTER_SHARD_ID":
        return shard.shard_id > (wanted.get("ShardId") or "")
    if kind == "AT_TRIM_HORIZON":
        return not shard.parents
    if kind == "AT_TIMESTAMP":
        return shard.created_ts <= ts and (shard.closed_ts is None or shard.closed_ts >= ts)
    if kind == "FROM_TIMESTAMP":
        return shard.closed_ts is None or shard.closed_ts >= ts
    return True


def split_shard(context: Any, request: Request) -> Answer:
    """SplitShard."""
    stream = _provisioned(context, request)
    shard_of(stream, request["ShardToSplit"])
    try:
        stream.split(request["ShardToSplit"], int(request["NewStartingHashKey"]))
    except ReshardError as error:
        raise refused(INVALID, str(error)) from error
    return {}


def merge_shards(context: Any, request: Request) -> Answer:
    """MergeShards."""
    stream, ids = _provisioned(context, request), (request["ShardToMerge"], request["AdjacentShardToMerge"])
    for shard_id in ids:
        shard_of(stream, shard_id)
    try:
        stream.merge(*ids)
    except ReshardError as error:
        raise refused(INVALID, str(error)) from error
    return {}


def update_shard_count(context: Any, request: Request) -> Answer:
    """UpdateShardCount."""
    stream, target = _provisioned(context, request), request["TargetShardCount"]
    current = len(stream.open_shards)
    if target > 2 * current or 2 * target < current:
        raise refused(
            INVALID,
            f"UpdateShardCount cannot scale stream {stream.name} from {current} to {target} shards: not to more than "
            "double, and not below half.",
        )
    stream.resize(target)
    return {
        "StreamName": stream.name,
        "StreamARN": stream.arn,
        "CurrentShardCount": current,
        "TargetShardCount": target,
    }


def _provisioned(context: Any, request: Request) -> Stream:
    stream = stream_of(context, request)
    if stream.settings.mode == ON_DEMAND:
        account = stream.arn.split(":")[4]
        raise refused(
            VALIDATION, f"Request is invalid. Stream {stream.name} under account {account} is in On-Demand mode."
        )
    return stream


def update_stream_mode(context: Any, request: Request) -> Answer:
    """UpdateStreamMode."""
    stream_of(context, request).settings.mode = request["StreamModeDetails"]["StreamMode"]
    return {}


def update_max_record_size(context: Any, request: Request) -> Answer:
    """UpdateMaxRecordSize."""
    stream_of(context, request).settings.record_kib = request["MaxRecordSizeInKiB"]
    return {}


def increase_retention(context: Any, request: Request) -> Answer:
    """IncreaseStreamRetentionPeriod."""
    stream, hours = stream_of(context, request), request["RetentionPeriodHours"]
    _check_hours(hours)
    if hours < stream.retention_h:
        raise refused(
            INVALID,
            f"Requested retention period ({hours} hours) for stream {stream.name} can not be shorter than existing "
            f"retention period ({stream.retention_h} hours). Use DecreaseRetentionPeriod API.",
        )
    stream.retain(hours)
    return {}


def decrease_retention(context: Any, request: Request) -> Answer:
    """DecreaseStreamRetentionPeriod."""
    stream, hours = stream_of(context, request), request["RetentionPeriodHours"]
    _check_hours(hours)
    if hours > stream.retention_h:
        raise refused(
            INVALID,
            f"Requested retention period ({hours} hours) for stream {stream.name} can not be longer than existing "
            f"retention period ({stream.retention_h} hours). Use IncreaseRetentionPeriod API.",
        )
    stream.retain(hours)
    return {}


def _check_hours(hours: int) -> None:
    if hours < RETENTION_H:
        raise refused(
            INVALID,
            f"Minimum allowed retention period is {RETENTION_H} hours. Requested retention period ({hours} hours) is "
            "too short.",
        )
    if hours > _RETENTION_MAX_H:
        raise refused(
            INVALID,
            f"Maximum allowed retention period is {_RETENTION_MAX_H} hours. Requested retention period ({hours} "
            "hours) is too long.",
        )


def start_encryption(context: Any, request: Request) -> Answer:
    """StartStreamEncryption: it is told, nothing is encrypted."""
    stream_of(context, request).settings.encryption_key = request["KeyId"]
    return {}


def stop_encryption(context: Any, request: Request) -> Answer:
    """StopStreamEncryption."""
    stream_of(context, request).settings.encryption_key = None
    return {}


def enable_monitoring(context: Any, request: Request) -> Answer:
    """EnableEnhancedMonitoring."""
    return _monitor(stream_of(context, request), add=_metrics(request))


def disable_monitoring(context: Any, request: Request) -> Answer:
    """DisableEnhancedMonitoring."""
    return _monitor(stream_of(context, request), remove=_metrics(request))


def _metrics(request: Request) -> set[str]:
    given = set(request["ShardLevelMetrics"])
    return set(_METRICS) if _ALL in given else given


def _monitor(stream: Stream, *, add: set[str] = frozenset(), remove: set[str] = frozenset()) -> Answer:  # type: ignore[assignment]
    before = set(stream.settings.metrics)
    stream.settings.metrics = (before | add) - remove
    return {
        "StreamName": stream.name,
        "StreamARN": stream.arn,
        "CurrentShardLevelMetrics": sorted(before),
        "DesiredShardLevelMetrics": sorted(stream.settings.metrics),
    }


def describe_limits(context: Any, _request: Request) -> Answer:
    """DescribeLimits: what is there; the limits are the defaults of AWS and not enforced."""
    here = arn_of(context, "")
    streams = [one for one in STREAMS if one.arn.startswith(here)]
    return {
        "ShardLimit": 500,
        "OpenShardCount": sum(len(one.open_shards) for one in streams),
        "OnDemandStreamCount": sum(one.settings.mode == ON_DEMAND for one in streams),
        "OnDemandStreamCountLimit": 50,
    }
