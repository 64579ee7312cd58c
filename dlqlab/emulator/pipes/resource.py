"""AWS::Pipes::Pipe (CloudFormation user guide)."""

import contextlib
from collections.abc import Mapping
from typing import Any

from localstack.services.cloudformation.provider_utils import generate_default_name
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceProvider

_OBJECT, _TEXT = {"type": "object"}, {"type": "string"}
_GIVEN = {
    "Name": _TEXT, "Description": _TEXT, "DesiredState": _TEXT, "Source": _TEXT, "SourceParameters": _OBJECT,
    "Enrichment": _TEXT, "EnrichmentParameters": _OBJECT, "Target": _TEXT, "TargetParameters": _OBJECT,
    "RoleArn": _TEXT, "Tags": _OBJECT, "LogConfiguration": _OBJECT, "KmsKeyIdentifier": _TEXT,
}  # fmt: skip
_TOLD = ("Arn", "CurrentState", "CreationTime", "LastModifiedTime")
_NOT_UPDATED = ("Source", "Tags")


class PipeProvider(ResourceProvider):  # type: ignore[misc]
    """The resource: its reference is the pipe's name."""

    TYPE = "AWS::Pipes::Pipe"
    SCHEMA: Mapping[str, Any] = {
        "typeName": TYPE,
        "properties": _GIVEN | dict.fromkeys(_TOLD, _TEXT),
        "required": ["RoleArn", "Source", "Target"],
        "readOnlyProperties": [f"/properties/{name}" for name in _TOLD],
        "createOnlyProperties": ["/properties/Name", "/properties/Source"],
        "primaryIdentifier": ["/properties/Name"],
    }

    def create(self, request: Any) -> Any:
        model, pipes = request.desired_state, request.aws_client_factory.pipes
        if not model.get("Name"):
            model["Name"] = generate_default_name(request.stack_name, request.logical_resource_id)
        pipes.create_pipe(**{name: model[name] for name in _GIVEN if name in model})
        return _done(request, pipes)

    def update(self, request: Any) -> Any:
        model, pipes = request.desired_state, request.aws_client_factory.pipes
        model["Name"] = model.get("Name") or request.previous_state["Name"]
        pipes.update_pipe(**{name: model[name] for name in _GIVEN if name in model and name not in _NOT_UPDATED})
        return _done(request, pipes)

    def delete(self, request: Any) -> Any:
        pipes = request.aws_client_factory.pipes
        with contextlib.suppress(pipes.exceptions.NotFoundException):  # somebody else has deleted it
            pipes.delete_pipe(Name=request.desired_state["Name"])
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=request.desired_state)


def _done(request: Any, pipes: Any) -> Any:
    model = request.desired_state
    described = pipes.describe_pipe(Name=model["Name"])
    model.update({name: str(described[name]) for name in _TOLD})
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model, custom_context=request.custom_context)
