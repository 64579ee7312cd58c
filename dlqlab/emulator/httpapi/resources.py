"""CloudFormation's resources of HTTP APIs.

Sources: the pages "AWS::ApiGatewayV2::..." of the CloudFormation template reference.
"""

from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from localstack.aws.spec import load_service
from localstack.services.cloudformation.resource_provider import (
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)

from dlqlab.emulator.httpapi import control, imports, service
from dlqlab.emulator.httpapi.checks import RefusedError, bad

PREFIX = "AWS::ApiGatewayV2::"
_ONLY_IN_TEMPLATES = frozenset({"Body", "BodyS3Location", "FailOnWarnings", "BasePath", "DisableSchemaValidation"})
_MADE = frozenset({"Id", "ApiId", "ApiEndpoint"})


def provider_of(resource_type: str) -> ResourceProvider | None:
    """What makes such a resource; None where it is none of an HTTP API."""
    kind = resource_type.removeprefix(PREFIX)
    if kind == resource_type:
        return None
    if kind == "Api":
        return ApiProvider()
    return ItemProvider(kind) if kind in control.KINDS else RefusingProvider(resource_type)


class _Provider(ResourceProvider):  # type: ignore[misc]
    """Creates, updates and deletes; what is refused fails the resource with the reason."""

    SCHEMA: Mapping[str, Any]

    def create(self, request: ResourceRequest) -> ProgressEvent:
        return _event(request, self._create)

    def update(self, request: ResourceRequest) -> ProgressEvent:
        return _event(request, self._update)

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        return _event(request, self._delete)

    def _create(self, request: ResourceRequest) -> dict[str, Any]:
        raise NotImplementedError

    def _update(self, request: ResourceRequest) -> dict[str, Any]:
        raise NotImplementedError

    def _delete(self, request: ResourceRequest) -> dict[str, Any]:
        raise NotImplementedError


def _event(request: ResourceRequest, act: Any) -> ProgressEvent:
    try:
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=act(request))
    except RefusedError as error:
        return ProgressEvent(
            status=OperationStatus.FAILED,
            resource_model=dict(request.desired_state or {}),
            message=error.text,
            error_code=error.code,
        )


class ApiProvider(_Provider):
    """``AWS::ApiGatewayV2::Api``."""

    TYPE = f"{PREFIX}Api"
    SCHEMA: Mapping[str, Any] = {"primaryIdentifier": ["/properties/ApiId"]}

    def _create(self, request: ResourceRequest) -> dict[str, Any]:
        state = request.desired_state
        definition, settings = _definition(request), _request_of("CreateApi", state, also=_ONLY_IN_TEMPLATES)
        where = {"account_id": request.account_id, "region": request.region_name, "endpoint": service.endpoint()}
        if definition is not None:
            made = imports.create(definition, **where, **settings)
        else:
            made = control.create_api(settings, **where)
        return {**state, "ApiId": made.id, "ApiEndpoint": made.item["ApiEndpoint"]}

    def _update(self, request: ResourceRequest) -> dict[str, Any]:
        state, old = request.desired_state, request.previous_state
        definition, settings = _definition(request), _request_of("CreateApi", state, also=_ONLY_IN_TEMPLATES)
        for member in ("Target", "RouteKey", "CredentialsArn"):
            if settings.pop(member, None) != old.get(member):
                raise bad(f"{member} of an API is set at its creation only here: replace the resource")
        if definition is not None:
            made = imports.replace(old["ApiId"], definition, **settings)
        else:
            if "CorsConfiguration" in old and "CorsConfiguration" not in settings:
                control.delete_cors(old["ApiId"])
            made = control.update_api(old["ApiId"], settings)
        return {**state, "ApiId": made.id, "ApiEndpoint": made.item["ApiEndpoint"]}

    def _delete(self, request: ResourceRequest) -> dict[str, Any]:
        return _gone(lambda: control.delete_api(request.desired_state["ApiId"]))


class ItemProvider(_Provider):
    """Routes, integrations, stages, authorizers and deployments of an API."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._member = control.KINDS[kind][1]
        self.SCHEMA: Mapping[str, Any] = {"primaryIdentifier": [f"/properties/{self._member}"]}

    def _create(self, request: ResourceRequest) -> dict[str, Any]:
        state = request.desired_state
        wanted = _request_of(f"Create{self._kind}", state)
        if self._kind == "Stage" and wanted.get("StageName") == "$default":
            _adopt(state["ApiId"])
        made = control.create(state["ApiId"], self._kind, wanted)
        return {**state, self._member: made[self._member]}

    def _update(self, request: ResourceRequest) -> dict[str, Any]:
        state, old = request.desired_state, request.previous_state
        name = old[self._member]
        if state["ApiId"] != old["ApiId"] or state.get(self._member, name) != name or self._kind == "Deployment":
            made = self._create(request)  # a resource of its own, as what replaces it
            _gone(lambda: control.delete(old["ApiId"], self._kind, name))
            return made
        changes = dict.fromkeys(self._gone_members(state, old)) | _request_of(f"Create{self._kind}", state)
        return {**state, self._member: control.replace(state["ApiId"], self._kind, name, changes)[self._member]}

    def _gone_members(self, state: Mapping[str, Any], old: Mapping[str, Any]) -> set[str]:
        return set(old) - set(state) - {self._member} - _MADE

    def _delete(self, request: ResourceRequest) -> dict[str, Any]:
        state = request.desired_state
        return _gone(lambda: control.delete(state["ApiId"], self._kind, state[self._member]))


class RefusingProvider(_Provider):
    """What the emulator does not have fails its stack, and says so."""

    SCHEMA: Mapping[str, Any] = {"primaryIdentifier": ["/properties/Id"]}

    def __init__(self, resource_type: str) -> None:
        self._type = resource_type

    def _create(self, _request: ResourceRequest) -> dict[str, Any]:
        raise bad(f"The emulator does not have {self._type}: HTTP APIs are served at their own address only")

    def _update(self, request: ResourceRequest) -> dict[str, Any]:
        return self._create(request)

    def _delete(self, _request: ResourceRequest) -> dict[str, Any]:
        return {}


def _adopt(api_id: str) -> None:
    """A definition or a quick create may have made the stage ``$default`` already: the template's comes instead."""
    if "$default" in control.api(api_id).stages:
        control.delete(api_id, "Stage", "$default")


def _gone(delete: Any) -> dict[str, Any]:
    try:
        delete()
    except RefusedError as error:
        if error.code != "NotFoundException":
            raise
    return {}


def _definition(request: ResourceRequest) -> dict[str, Any] | None:
    state = request.desired_state
    if state.get("Body"):
        return dict(state["Body"])
    if not (place := state.get("BodyS3Location")):
        return None
    known = {name: place[name] for name in ("Bucket", "Key") if name in place}
    if place.get("Version"):
        known["VersionId"] = place["Version"]
    body = request.aws_client_factory.s3.get_object(**known)["Body"].read().decode()
    return imports.document(body)


def _request_of(operation: str, state: Mapping[str, Any], *, also: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The resource's properties as the operation's members, each of the type that it has there.

    Raises:
        RefusedError: a property is not one of the operation's.
    """
    shape = load_service(service.NAME).operation_model(operation).input_shape
    given = {name: value for name, value in state.items() if name not in also}
    if operation == "CreateIntegration" and given.get("ResponseParameters"):
        given["ResponseParameters"] = {
            status: _sources(mapping) for status, mapping in given["ResponseParameters"].items()
        }
    made = {name: value for name, value in given.items() if name in shape.members}
    if unknown := sorted(given.keys() - made.keys() - _MADE - {"AuthorizerId", "RouteId", "IntegrationId"}):
        raise bad(f"The emulator does not know the property {', '.join(unknown)} of {operation[6:]}")
    return {name: _typed(shape.members[name], value) for name, value in made.items() if value is not None}


def _sources(mapping: Any) -> dict[str, str]:
    """``{"ResponseParameters": [{"Source": ..., "Destination": ...}]}`` of templates."""
    if isinstance(mapping, Mapping) and isinstance(mapping.get("ResponseParameters"), list):
        return {item["Destination"]: str(item["Source"]) for item in mapping["ResponseParameters"]}
    return dict(mapping)


def _typed(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {name: _typed(shape.members[name], item) for name, item in value.items() if name in shape.members}
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {str(name): _typed(shape.value, item) for name, item in value.items()}
    if isinstance(shape, ListShape):
        return [_typed(shape.member, item) for item in (value if isinstance(value, list) else [value])]
    if shape.type_name == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if shape.type_name == "integer" and not isinstance(value, int):
        return int(value)
    return _scalar(value) if shape.type_name == "string" else value


def _scalar(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
