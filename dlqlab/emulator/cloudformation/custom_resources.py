"""Custom resources of stacks are made by their function or topic, which answers at a URL of the emulator.

LocalStack reports them as made and calls nobody. The function is invoked once and waited for: where it ends with an
error and without a response, the resource fails at once, while AWS tries it twice more and waits for ServiceTimeout.
"""

import json
import queue
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from botocore.config import Config
from localstack import config
from localstack.aws.connect import connect_to
from localstack.http import Request, Response
from localstack.services.cloudformation.resource_provider import (
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceProviderExecutor,
)
from localstack.services.edge import ROUTER
from localstack.utils.aws.arns import parse_arn

from dlqlab.emulator import settings
from dlqlab.emulator.cloudformation import custom_events, support

_INVOCATION_MAX_S = 910
_SENT = "_ResourceProperties"
"""Where the model keeps what was sent, apart from the response's Data."""

_waiting: dict[str, queue.SimpleQueue[bytes]] = {}
"""By the last part of the ResponseURL; the first response counts."""


class CustomResourceProvider(ResourceProvider):  # type: ignore[misc]
    """Create, update and delete by request and response."""

    SCHEMA: Mapping[str, Any] = {"properties": {}, "primaryIdentifier": ["/properties/PhysicalResourceId"]}

    def create(self, request: Any) -> Any:
        return _made(request, _call(request, "Create", request.desired_state))

    def update(self, request: Any) -> Any:
        before = request.previous_state
        old = {"PhysicalResourceId": before["PhysicalResourceId"]}
        given = _call(request, "Update", request.desired_state, **old, OldResourceProperties=before[_SENT])
        if given["Status"] == "SUCCESS" and given["PhysicalResourceId"] != before["PhysicalResourceId"]:
            _call(request, "Delete", before[_SENT], **old)  # as on AWS: its failure does not undo the update
        return _made(request, given)

    def delete(self, request: Any) -> Any:
        before = request.previous_state or request.desired_state
        if "PhysicalResourceId" not in before:  # it was never made
            return ProgressEvent(status=OperationStatus.SUCCESS, resource_model={})
        given = _call(request, "Delete", before[_SENT], PhysicalResourceId=before["PhysicalResourceId"])
        return _made(request, given)


def _made(request: Any, given: Mapping[str, Any]) -> Any:
    if given["Status"] == "FAILED":
        reason = given.get("Reason") or "the provider gave no Reason"
        text = f"Received response status [FAILED] from custom resource. Message returned: {reason}"
        return ProgressEvent(status=OperationStatus.FAILED, resource_model=request.desired_state, message=text)
    sent = custom_events.as_sent(request.desired_state)
    model = {**sent, **(given.get("Data") or {}), "PhysicalResourceId": given["PhysicalResourceId"], _SENT: sent}
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _call(request: Any, request_type: str, properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Ask the provider and wait for its response; trouble on the way is a response that failed."""
    token = str(uuid.uuid4())
    responses = _waiting[token] = queue.SimpleQueue()
    event = {
        "RequestType": request_type,
        "ServiceToken": properties["ServiceToken"],
        "ResponseURL": f"{config.external_service_url()}{settings.RESPONSES_PATH}{token}",
        "StackId": request.stack_id,
        "RequestId": token,
        "LogicalResourceId": request.logical_resource_id,
        "ResourceType": request.resource_type,
        "ResourceProperties": custom_events.as_sent(properties),
        **more,
    }
    try:
        limit_s = custom_events.timeout_s(properties)
        error = _send(event)
        if error is not None and responses.empty():
            return {"Status": "FAILED", "Reason": f"no response was sent; {error}"}
        return custom_events.parse_response(responses.get(timeout=limit_s))
    except queue.Empty:
        text = f"CloudFormation did not receive a response from your Custom Resource within {limit_s} s. [{token}]"
        return {"Status": "FAILED", "Reason": text}
    except ValueError as error_of_provider:
        return {"Status": "FAILED", "Reason": str(error_of_provider)}
    finally:
        del _waiting[token]


def _send(event: Mapping[str, Any]) -> str | None:
    """What the function failed with, if it did; a topic only takes the request.

    Raises:
        ValueError: the ServiceToken names neither a function nor a topic.
    """
    token = event["ServiceToken"]
    arn = parse_arn(token)
    clients = connect_to(
        aws_access_key_id=arn["account"],
        region_name=arn["region"],
        config=Config(read_timeout=_INVOCATION_MAX_S, retries={"total_max_attempts": 1}),
    )
    if arn["service"] == "sns":
        subject = "AWS CloudFormation custom resource request"
        clients.sns.publish(TopicArn=token, Subject=subject, Message=json.dumps(event))
        return None
    if arn["service"] != "lambda":
        raise ValueError(f"ServiceToken is {token}: give the ARN of a function or topic")
    answer = clients.lambda_.invoke(FunctionName=token, Payload=json.dumps(event))
    if "FunctionError" not in answer:
        return None
    return f"its function ended with {answer['Payload'].read().decode(errors='replace')}"


def _respond(request: Request, token: str) -> Response:
    responses = _waiting.get(token)
    if responses is None:
        return Response("This request was answered, or waits no longer.\n", status=403)
    responses.put(request.get_data())
    return Response(status=200)


def patch() -> None:
    ROUTER.add(f"{settings.RESPONSES_PATH}<token>", endpoint=_respond, methods=["PUT"])
    original: Callable[[str], Any] = ResourceProviderExecutor.try_load_resource_provider

    def try_load_resource_provider(resource_type: str) -> Any:
        if support.is_custom(resource_type):
            return CustomResourceProvider()
        return original(resource_type)

    ResourceProviderExecutor.try_load_resource_provider = staticmethod(try_load_resource_provider)
