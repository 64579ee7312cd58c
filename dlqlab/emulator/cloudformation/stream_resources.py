"""Kinesis streams of stacks are made with all that their template says, and updated.

LocalStack leaves retention, encryption and tags out, makes every stream without StreamModeDetails an on-demand one, and
has no update. Source: AWS::Kinesis::Stream (CloudFormation user guide).
"""

from collections.abc import Mapping
from typing import Any

from localstack.services.cloudformation.provider_utils import generate_default_name
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
from localstack.services.kinesis.resource_providers.aws_kinesis_stream import KinesisStreamProvider

_RETENTION_H = 24
_ON_DEMAND, _PROVISIONED = "ON_DEMAND", "PROVISIONED"


def patch() -> None:
    KinesisStreamProvider.create = _create
    KinesisStreamProvider.update = _update


def _create(_self: Any, request: Any) -> Any:
    model, client = request.desired_state, request.aws_client_factory.kinesis
    if not model.get("Name"):
        model["Name"] = generate_default_name(request.stack_name, request.logical_resource_id)
    count = {"ShardCount": int(model.get("ShardCount") or 1)} if _mode(model) == _PROVISIONED else {}
    size = {"MaxRecordSizeInKiB": int(model["MaxRecordSizeInKiB"])} if model.get("MaxRecordSizeInKiB") else {}
    client.create_stream(StreamName=model["Name"], StreamModeDetails={"StreamMode": _mode(model)}, **count, **size)
    _settle(client, {}, model)
    return _done(client, model)


def _update(_self: Any, request: Any) -> Any:
    model, before, client = request.desired_state, request.previous_state, request.aws_client_factory.kinesis
    name = model["Name"] = before["Name"]
    if _mode(model) != _mode(before):
        client.update_stream_mode(StreamARN=before["Arn"], StreamModeDetails={"StreamMode": _mode(model)})
    if _mode(model) == _PROVISIONED:
        told = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        if (count := int(model.get("ShardCount") or 1)) != told["OpenShardCount"]:
            client.update_shard_count(StreamName=name, TargetShardCount=count, ScalingType="UNIFORM_SCALING")
    if (size := model.get("MaxRecordSizeInKiB")) and size != before.get("MaxRecordSizeInKiB"):
        client.update_max_record_size(StreamARN=before["Arn"], MaxRecordSizeInKiB=int(size))
    _settle(client, before, model)
    return _done(client, model)


def _mode(model: Mapping[str, Any]) -> str:
    """As given ("Default is PROVISIONED", the schema of the type)."""
    return str((model.get("StreamModeDetails") or {}).get("StreamMode") or _PROVISIONED)


def _settle(client: Any, before: Mapping[str, Any], model: Mapping[str, Any]) -> None:
    """Retention, encryption, metrics and tags."""
    name = model["Name"]
    metrics, wanted = (set(one.get("DesiredShardLevelMetrics") or ()) for one in (before, model))
    if metrics - wanted:
        client.disable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=sorted(metrics - wanted))
    if wanted - metrics:
        client.enable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=sorted(wanted - metrics))
    was, hours = (int(one.get("RetentionPeriodHours") or _RETENTION_H) for one in (before, model))
    if hours > was:
        client.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=hours)
    elif hours < was:
        client.decrease_stream_retention_period(StreamName=name, RetentionPeriodHours=hours)
    key, old_key = model.get("StreamEncryption"), before.get("StreamEncryption")
    if key and key != old_key:
        client.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=key["KeyId"])
    elif old_key and not key:
        client.stop_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=old_key["KeyId"])
    old, new = ({tag["Key"]: tag["Value"] for tag in each.get("Tags") or ()} for each in (before, model))
    if gone := sorted(old.keys() - new.keys()):
        client.remove_tags_from_stream(StreamName=name, TagKeys=gone)
    if new and new != old:
        client.add_tags_to_stream(StreamName=name, Tags=new)


def _done(client: Any, model: dict[str, Any]) -> Any:
    told = client.describe_stream_summary(StreamName=model["Name"])["StreamDescriptionSummary"]
    model["Arn"] = told["StreamARN"]
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)
