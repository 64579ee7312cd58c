"""AWS::KinesisFirehose::DeliveryStream (CloudFormation user guide)."""

import contextlib
from collections.abc import Mapping
from typing import Any

from localstack.services.cloudformation.provider_utils import generate_default_name
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent

from dlqlab.emulator.cloudformation.support import plain
from dlqlab.emulator.firehose.settings import EXTENDED, PLAIN, typed

_OWN = frozenset({"Arn"})


def create(_self: Any, request: Any) -> Any:
    """Make the stream with all that the template says; what is not served fails by its name."""
    model, client = request.desired_state, request.aws_client_factory.firehose
    if not model.get("DeliveryStreamName"):
        model["DeliveryStreamName"] = generate_default_name(request.stack_name, request.logical_resource_id)
    given = {name: typed(value) for name, value in model.items() if name not in _OWN}
    model["Arn"] = client.create_delivery_stream(**given)["DeliveryStreamARN"]
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def update(_self: Any, request: Any) -> Any:
    """Change the destination, encryption and tags."""
    model, before, client = request.desired_state, request.previous_state, request.aws_client_factory.firehose
    name = model["DeliveryStreamName"] = before["DeliveryStreamName"]
    model["Arn"] = before["Arn"]
    config = model.get(EXTENDED) or model.get(PLAIN)
    if config and plain(config) != plain(before.get(EXTENDED) or before.get(PLAIN)):
        told = client.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
        client.update_destination(
            DeliveryStreamName=name,
            CurrentDeliveryStreamVersionId=told["VersionId"],
            DestinationId=told["Destinations"][0]["DestinationId"],
            ExtendedS3DestinationUpdate=typed(config),
        )
    _tag(client, before, model)
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def delete(_self: Any, request: Any) -> Any:
    """Delete the stream, if it is there."""
    client, model = request.aws_client_factory.firehose, request.previous_state or request.desired_state
    with contextlib.suppress(client.exceptions.ResourceNotFoundException):  # somebody else has deleted it
        client.delete_delivery_stream(DeliveryStreamName=model["DeliveryStreamName"])
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _tag(client: Any, before: Mapping[str, Any], model: Mapping[str, Any]) -> None:
    old, new = ({tag["Key"]: tag.get("Value", "") for tag in each.get("Tags") or ()} for each in (before, model))
    name = model["DeliveryStreamName"]
    if gone := sorted(old.keys() - new.keys()):
        client.untag_delivery_stream(DeliveryStreamName=name, TagKeys=gone)
    if new and new != old:
        client.tag_delivery_stream(DeliveryStreamName=name, Tags=model["Tags"])
