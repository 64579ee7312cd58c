"""REST APIs of stacks are updated: their definition, and the deployment and variables of their stages.

LocalStack has no update of either, and reports one as done. A stage that stays at its first deployment shows nothing of
what SAM and CDK deploy anew.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from localstack.services.apigateway.resource_providers.aws_apigateway_restapi import ApiGatewayRestApiProvider
from localstack.services.apigateway.resource_providers.aws_apigateway_stage import ApiGatewayStageProvider
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent

from dlqlab.emulator.cloudformation.support import changed, no_update

_API = "AWS::ApiGateway::RestApi"
_STAGE = "AWS::ApiGateway::Stage"
_UPDATED = frozenset({"Body", "BodyS3Location", "Mode", "Parameters", "FailOnWarnings"})
_PATCHED: Mapping[str, str] = {"DeploymentId": "/deploymentId", "TracingEnabled": "/tracingEnabled"}
_IGNORED = frozenset({"AccessLogSetting", "MethodSettings", "CacheClusterEnabled", "CacheClusterSize"})
"""What LocalStack leaves out when it makes a stage, or what has no effect here."""


def patch() -> None:
    ApiGatewayRestApiProvider.update = _update_api
    ApiGatewayStageProvider.update = _update_stage


def _update_api(_self: Any, request: Any) -> Any:
    model, before = request.desired_state, request.previous_state
    model |= {name: before[name] for name in ("RestApiId", "RootResourceId")}
    model["Name"] = model.get("Name") or before["Name"]
    names = _changes(_API, before, model)
    if refused := names - _UPDATED:
        return _refused(_API, before, refused)
    if names:
        client = request.aws_client_factory.apigateway
        client.put_rest_api(
            restApiId=model["RestApiId"],
            mode=model.get("Mode") or "overwrite",
            failOnWarnings=bool(model.get("FailOnWarnings")),
            parameters={"basepath": "ignore", **(model.get("Parameters") or {})},
            body=_body(request, model),
        )
        resources = client.get_resources(restApiId=model["RestApiId"], limit=500)["items"]
        model["RootResourceId"] = next(one["id"] for one in resources if one["path"] == "/")
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _body(request: Any, model: Mapping[str, Any]) -> bytes:
    body = model.get("Body")
    if body:
        return (body if isinstance(body, str) else json.dumps(body)).encode()
    place = model["BodyS3Location"]
    version = {"VersionId": place["Version"]} if place.get("Version") else {}
    found = request.aws_client_factory.s3.get_object(Bucket=place["Bucket"], Key=place["Key"], **version)
    return bytes(found["Body"].read())


def _update_stage(_self: Any, request: Any) -> Any:
    model, before = request.desired_state, request.previous_state
    model["StageName"] = before["StageName"]
    names = _changes(_STAGE, before, model)
    if refused := names - _PATCHED.keys() - _IGNORED - {"Variables"}:
        return _refused(_STAGE, before, refused)
    if operations := list(_operations(before, model)):
        request.aws_client_factory.apigateway.update_stage(
            restApiId=model["RestApiId"], stageName=model["StageName"], patchOperations=operations
        )
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _operations(before: Mapping[str, Any], model: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for name, path in _PATCHED.items():
        if model.get(name) is not None and model[name] != before.get(name):
            value = model[name]
            yield {"op": "replace", "path": path, "value": str(value).lower() if isinstance(value, bool) else value}
    old, new = (each.get("Variables") or {} for each in (before, model))
    for name in old.keys() - new.keys():
        yield {"op": "remove", "path": f"/variables/{name}"}
    for name, value in new.items():
        if value != old.get(name):
            yield {"op": "replace", "path": f"/variables/{name}", "value": str(value)}


def _changes(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """The properties that are other ones, or there no more."""
    return {*changed(kind, before, after), *changed(kind, after, before)}


def _refused(kind: str, before: Mapping[str, Any], names: set[str]) -> Any:
    text = no_update(kind, sorted(names))
    return ProgressEvent(status=OperationStatus.FAILED, resource_model=before, message=text)
