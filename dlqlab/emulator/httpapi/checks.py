"""What an HTTP API refuses when it is made, and what it fills in. No I/O.

Sources: "Amazon API Gateway Version 2 API Reference" and "Choose an integration for HTTP APIs". What AWS has and the
emulator cannot serve is refused by name.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from dlqlab.emulator.httpapi import mapping, routing, subtypes
from dlqlab.emulator.httpapi.store import HttpApi, Item, now

TIMEOUT_MS = range(50, 30_001)
TIMEOUT_DEFAULT_MS = 30_000
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that an integration or an issuer may have: the emulator reaches no other machine."""
_STAGE = re.compile(r"\$default|[A-Za-z0-9_-]{1,128}")
_FUNCTION = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[^:/]+(:[^:/]+)?")
_INVOKE_PATH = re.compile(
    r"arn:aws[a-z-]*:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/(?P<function>arn:.+)/invocations"
)


class RefusedError(Exception):
    """An operation is refused, with AWS's error code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = {"NotFoundException": 404, "ConflictException": 409}.get(code, 400)


def bad(text: str) -> RefusedError:
    return RefusedError("BadRequestException", text)


def function_arn(uri: str) -> str | None:
    """The function of an integration or an authorizer, by its ARN or by the path of its invocation."""
    found = _INVOKE_PATH.fullmatch(uri)
    arn = found["function"] if found else uri
    return arn if _FUNCTION.fullmatch(arn.replace("${", "").replace("}", "")) else None


def api(request: Item) -> None:
    if request.get("ProtocolType") == "WEBSOCKET":
        raise bad("The emulator has no WebSocket APIs: ProtocolType must be HTTP")
    if request.get("ProtocolType") != "HTTP":
        raise bad(f"Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]: {request.get('ProtocolType')}")
    if not request.get("Name"):
        raise bad("Name of the API is missing")
    cors = request.get("CorsConfiguration") or {}
    if cors.get("AllowCredentials") and "*" in (cors.get("AllowOrigins") or ()):
        raise bad("Unable to create/update CORS configuration: AllowCredentials must be false where AllowOrigins has *")


def completed(found: HttpApi, kind: str, item: Item, *, old: Item | None = None) -> dict[str, Any]:
    """The item with what AWS fills in.

    Raises:
        RefusedError: AWS would refuse it, or the emulator cannot serve it.
    """
    return {"Route": _route, "Integration": _integration, "Authorizer": _authorizer, "Stage": _stage}[kind](
        found, dict(item), old
    )


def unused(found: HttpApi, kind: str, name: str) -> None:
    """Raises:
    RefusedError: something else of the API needs it.
    """
    if kind == "Integration":
        users = [route["RouteKey"] for route in found.routes.values() if route.get("Target") == f"integrations/{name}"]
        if users:
            raise RefusedError(
                "ConflictException",
                f"Cannot delete Integration '{name}' because it is referenced by Route '{users[0]}'.",
            )
    if kind == "Deployment":
        stages = [stage["StageName"] for stage in found.stages.values() if stage.get("DeploymentId") == name]
        if stages:
            raise bad(f"Active stages pointing to this deployment must be moved or deleted: {', '.join(stages)}")


def _route(found: HttpApi, item: dict[str, Any], old: Item | None) -> dict[str, Any]:
    key = item.get("RouteKey", "")
    if key != routing.DEFAULT:
        try:
            routing.parse(key)
        except routing.RouteKeyError as error:
            raise bad(str(error)) from error
    for other in found.routes.values():
        if routing.shape(other["RouteKey"]) == routing.shape(key) and other is not old:
            raise RefusedError("ConflictException", f"Route with key {key} already exists for this API")
    target = item.get("Target")
    if target is not None and target.removeprefix("integrations/") not in found.integrations:
        raise bad(f"Invalid integration target specified: {target}")
    kind = item.setdefault("AuthorizationType", "NONE")
    if kind in {"JWT", "CUSTOM"}:
        authorizer = found.authorizers.get(item.get("AuthorizerId", ""))
        wanted = "REQUEST" if kind == "CUSTOM" else kind
        if authorizer is None or authorizer["AuthorizerType"] != wanted:
            raise bad(f"Invalid authorizer for AuthorizationType {kind}: {item.get('AuthorizerId')}")
    elif kind not in {"NONE", "AWS_IAM"}:
        raise bad(f"AuthorizationType {kind} is none of NONE, AWS_IAM, JWT, CUSTOM")
    item.setdefault("ApiKeyRequired", False)
    return item


def _integration(_found: HttpApi, item: dict[str, Any], _old: Item | None) -> dict[str, Any]:
    if item.get("ConnectionType", "INTERNET") == "VPC_LINK":
        raise bad("The emulator has no VPC links: ConnectionType must be INTERNET")
    item.setdefault("ConnectionType", "INTERNET")
    timeout_ms = item.setdefault("TimeoutInMillis", TIMEOUT_DEFAULT_MS)
    if timeout_ms not in TIMEOUT_MS:
        raise bad(f"Timeout should be between 50 ms and 30000 ms: {timeout_ms}")
    try:
        _integrated(item)
        for status, parameters in (item.get("ResponseParameters") or {}).items():
            if not status.isdecimal():
                raise bad(f"ResponseParameters has the status {status!r}")
            mapping.check(parameters, is_response=True)
    except (mapping.MappingError, subtypes.SubtypeError) as error:
        raise bad(str(error)) from error
    return item


def _integrated(item: dict[str, Any]) -> None:
    kind, uri = item.get("IntegrationType"), item.get("IntegrationUri") or ""
    version = item.setdefault("PayloadFormatVersion", "1.0")
    parameters = item.get("RequestParameters") or {}
    if version not in {"1.0", "2.0"}:
        raise bad(f"PayloadFormatVersion {version} is neither 1.0 nor 2.0")
    if kind == "AWS_PROXY" and item.get("IntegrationSubtype"):
        subtypes.check(item["IntegrationSubtype"], parameters)
    elif kind == "AWS_PROXY":
        if function_arn(uri) is None:
            raise bad(f"Invalid Integration URI specified: {uri} is not the ARN of a function")
        item.setdefault("IntegrationMethod", "POST")
        mapping.check(parameters)
    elif kind == "HTTP_PROXY":
        if urlsplit(uri).hostname not in LOOPBACK:
            raise bad(f"Here an HTTP_PROXY integration reaches this machine only: IntegrationUri {uri} names another")
        if version != "1.0":
            raise bad("PayloadFormatVersion of an HTTP_PROXY integration must be 1.0")
        item.setdefault("IntegrationMethod", "ANY")
        mapping.check(parameters)
    else:
        raise bad(f"IntegrationType {kind} is none of an HTTP API: AWS_PROXY, HTTP_PROXY")


def _authorizer(_found: HttpApi, item: dict[str, Any], _old: Item | None) -> dict[str, Any]:
    if not item.get("Name"):
        raise bad("Name of the authorizer is missing")
    sources = item.get("IdentitySource") or []
    item["IdentitySource"] = [sources] if isinstance(sources, str) else list(sources)
    if item.get("AuthorizerType") == "JWT":
        _jwt_authorizer(item)
    elif item.get("AuthorizerType") == "REQUEST":
        _function_authorizer(item)
    else:
        raise bad(f"AuthorizerType {item.get('AuthorizerType')} is neither JWT nor REQUEST")
    try:
        for source in item["IdentitySource"]:
            mapping.check_value(source)
    except mapping.MappingError as error:
        raise bad(str(error)) from error
    return item


def _jwt_authorizer(item: Item) -> None:
    settings = item.get("JwtConfiguration") or {}
    if not settings.get("Issuer") or not settings.get("Audience"):
        raise bad("JwtConfiguration of a JWT authorizer needs an Issuer and an Audience")
    host = urlsplit(settings["Issuer"]).hostname
    if host not in LOOPBACK:
        raise bad(f"Here the issuer of tokens must be on this machine: JwtConfiguration.Issuer names {host}")
    if len(item["IdentitySource"]) != 1:
        raise bad("IdentitySource of a JWT authorizer must be one expression, as $request.header.Authorization")


def _function_authorizer(item: dict[str, Any]) -> None:
    if function_arn(item.get("AuthorizerUri") or "") is None:
        raise bad(f"Invalid AuthorizerUri specified: {item.get('AuthorizerUri')}")
    if item.setdefault("AuthorizerPayloadFormatVersion", "1.0") not in {"1.0", "2.0"}:
        raise bad("AuthorizerPayloadFormatVersion must be 1.0 or 2.0")
    if item.get("EnableSimpleResponses") and item["AuthorizerPayloadFormatVersion"] == "1.0":
        raise bad("EnableSimpleResponses needs AuthorizerPayloadFormatVersion 2.0")
    if item.get("AuthorizerResultTtlInSeconds", 0) not in range(3601):
        raise bad("AuthorizerResultTtlInSeconds must be from 0 to 3600")


def _stage(found: HttpApi, item: dict[str, Any], old: Item | None) -> dict[str, Any]:
    name = item.get("StageName") or ""
    if not _STAGE.fullmatch(name):
        raise bad(f"StageName {name!r} is neither $default nor letters, digits, hyphens and underscores")
    if old is None and name in found.stages:
        raise RefusedError("ConflictException", "Stage already exists")
    if item.get("DeploymentId") and item["DeploymentId"] not in found.deployments:
        raise bad(f"Invalid deployment identifier specified: {item['DeploymentId']}")
    if item.get("ClientCertificateId"):
        raise bad("The emulator has no mutual TLS: ClientCertificateId cannot be served")
    made = {"AutoDeploy": False, "DefaultRouteSettings": {}, "RouteSettings": {}, "StageVariables": {}, "Tags": {}}
    return {**made, "CreatedDate": now(), **item, "LastUpdatedDate": now()}
