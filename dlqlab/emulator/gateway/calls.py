"""AWS calls as IAM sees them: which action on which resource. Pure.

Knows the services that the functions call: SQS and DynamoDB. Which operation needs which permission: "Actions,
resources, and condition keys" of both in AWS's service authorization reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SERVICES = frozenset({"sqs", "dynamodb"})
_ACTIONS = {
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}
"""Operations that need another operation's permission."""


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """What a caller did, ``resource`` as an ARN; ``caller`` is the name of its role."""

    caller: str
    action: str
    resource: str


def call_of(
    caller: str, service: str, operation: str, request: Mapping[str, Any], *, region: str, account: str
) -> Call:
    """A request in IAM's terms."""
    action = f"{service}:{_ACTIONS.get(operation, operation)}"
    if service == "sqs":
        name = request.get("QueueName") or str(request.get("QueueUrl", "")).rpartition("/")[2]
    else:
        index = request.get("IndexName")
        name = f"table/{request.get('TableName', '')}" + (f"/index/{index}" if index else "")
    return Call(caller, action, f"arn:aws:{service}:{region}:{account}:{name}")
