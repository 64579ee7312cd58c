"""Tables of stacks are updated: throughput, streams, TTL, indexes one at a time, backups, protection, tags.

LocalStack has no update of a table, and reports one as done.
"""

from collections.abc import Mapping
from typing import Any

from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
from localstack.services.dynamodb.resource_providers.aws_dynamodb_table import DynamoDBTableProvider

from dlqlab.emulator.cloudformation.table_changes import ChangeError, calls


def patch() -> None:
    DynamoDBTableProvider.update = _update


def _update(_self: Any, request: Any) -> Any:
    model, before = request.desired_state, request.previous_state
    name = model["TableName"] = before["TableName"]
    client = request.aws_client_factory.dynamodb
    try:
        for method, given in calls(before, model):
            getattr(client, method)(TableName=name, **given)
    except ChangeError as error:
        return ProgressEvent(status=OperationStatus.FAILED, resource_model=before, message=str(error))
    _tag(client, before, model)
    table = client.describe_table(TableName=name)["Table"]
    model["Arn"] = table["TableArn"]
    if model.get("StreamSpecification"):
        model["StreamArn"] = table["LatestStreamArn"]
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _tag(client: Any, before: Mapping[str, Any], model: Mapping[str, Any]) -> None:
    old, new = ({tag["Key"]: tag["Value"] for tag in each.get("Tags") or ()} for each in (before, model))
    if gone := sorted(old.keys() - new.keys()):
        client.untag_resource(ResourceArn=before["Arn"], TagKeys=gone)
    if new and new != old:
        client.tag_resource(ResourceArn=before["Arn"], Tags=model["Tags"])
