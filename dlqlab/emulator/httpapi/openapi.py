"""HTTP APIs from OpenAPI definitions with API Gateway's extensions. Pure.

Source: "Working with OpenAPI definitions for HTTP APIs in API Gateway", "OpenAPI extensions for API Gateway".
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_INTEGRATIONS = "x-amazon-apigateway-integrations"
_AUTHORIZER = "x-amazon-apigateway-authorizer"
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
_CORS = ("allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders", "maxAge", "allowCredentials")


class DefinitionError(ValueError):
    """The definition cannot become an HTTP API; the text names the place."""


@dataclass(frozen=True, slots=True)
class RouteDefinition:
    """A route with what belongs to it; ``authorizer`` is the name of one of the definition's."""

    key: str
    integration: Mapping[str, Any] | None
    authorizer: str | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """What a definition says, as members of AWS's API reference."""

    api: Mapping[str, Any]
    routes: tuple[RouteDefinition, ...]
    authorizers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read(document: Mapping[str, Any]) -> Definition:
    """The API of an OpenAPI 3.0 definition.

    Raises:
        DefinitionError: it is none, or says what an HTTP API does not know.
    """
    if not str(document.get("openapi", "")).startswith("3.0"):
        raise DefinitionError(f"HTTP APIs are made of OpenAPI 3.0: openapi is {document.get('openapi')!r}")
    info = document.get("info") or {}
    api: dict[str, Any] = {"Name": str(info.get("title") or ""), "ProtocolType": "HTTP"}
    for member, name in (("Description", "description"), ("Version", "version")):
        if info.get(name):
            api[member] = str(info[name])
    if cors := document.get("x-amazon-apigateway-cors"):
        api["CorsConfiguration"] = _cors(cors)
    if tags := {tag["name"]: str(tag[_TAG]) for tag in document.get("tags") or () if _TAG in tag}:
        api["Tags"] = tags
    authorizers = dict(_authorizers(document))
    return Definition(api, tuple(_routes(document, authorizers)), authorizers)


_TAG = "x-amazon-apigateway-tag-value"


def _cors(value: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := sorted(value.keys() - set(_CORS)):
        raise DefinitionError(f"x-amazon-apigateway-cors has {', '.join(unknown)}")
    made = {_upper(name): item for name, item in value.items() if item is not None}
    lists = ("AllowOrigins", "AllowMethods", "AllowHeaders", "ExposeHeaders")
    return {name: [item] if name in lists and isinstance(item, str) else item for name, item in made.items()}


def _routes(document: Mapping[str, Any], authorizers: Mapping[str, Any]) -> Iterator[RouteDefinition]:
    for path, operations in (document.get("paths") or {}).items():
        for method, operation in operations.items():
            if method != _ANY and method not in _METHODS:
                continue
            where = f"paths.{path}.{method}"
            is_default = path in {"$default", "/$default"} and method == _ANY
            key = "$default" if is_default else f"{'ANY' if method == _ANY else method.upper()} {path}"
            name, scopes = _security(document, operation, authorizers, where)
            yield RouteDefinition(key, _integration(document, operation, where), name, scopes)


def _security(
    document: Mapping[str, Any], operation: Mapping[str, Any], authorizers: Mapping[str, Any], where: str
) -> tuple[str | None, tuple[str, ...]]:
    for requirement in operation.get("security", document.get("security")) or ():
        for name, scopes in requirement.items():
            if name not in authorizers:
                raise DefinitionError(f"{where}.security names {name}, which has no {_AUTHORIZER}")
            return name, tuple(scopes or ())
    return None, ()


def _integration(document: Mapping[str, Any], operation: Mapping[str, Any], where: str) -> dict[str, Any] | None:
    given = operation.get(_INTEGRATION)
    if given is None:
        return None
    if reference := given.get("$ref"):
        name = str(reference).rpartition("/")[2]
        given = ((document.get("components") or {}).get(_INTEGRATIONS) or {}).get(name)
        if given is None:
            raise DefinitionError(f"{where}.{_INTEGRATION} refers to {reference}, which is not there")
    made: dict[str, Any] = {"IntegrationType": str(given.get("type", "")).upper()}
    for name, member, kind in _MEMBERS:
        if given.get(name) is not None:
            made[member] = kind(given[name])
    if responses := given.get("responseParameters"):
        made["ResponseParameters"] = {str(status): dict(mapping) for status, mapping in responses.items()}
    return made


_MEMBERS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("uri", "IntegrationUri", str),
    ("httpMethod", "IntegrationMethod", str),
    ("payloadFormatVersion", "PayloadFormatVersion", str),
    ("subtype", "IntegrationSubtype", str),
    ("integrationSubtype", "IntegrationSubtype", str),
    ("timeoutInMillis", "TimeoutInMillis", int),
    ("credentials", "CredentialsArn", str),
    ("requestParameters", "RequestParameters", dict),
    ("connectionType", "ConnectionType", str),
    ("connectionId", "ConnectionId", str),
    ("description", "Description", str),
)


def _authorizers(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, scheme in ((document.get("components") or {}).get("securitySchemes") or {}).items():
        given = scheme.get(_AUTHORIZER)
        if given is None:
            continue
        where = f"components.securitySchemes.{name}.{_AUTHORIZER}"
        kind = str(given.get("type", "")).lower()
        sources = given.get("identitySource") or []
        made: dict[str, Any] = {
            "Name": name,
            "IdentitySource": [part.strip() for part in sources.split(",")] if isinstance(sources, str) else sources,
        }
        if kind == "jwt":
            settings = given.get("jwtConfiguration") or {}
            audience = settings.get("audience") or []
            made["JwtConfiguration"] = {
                "Issuer": settings.get("issuer"),
                "Audience": [audience] if isinstance(audience, str) else audience,
            }
        elif kind == "request":
            made |= _request_authorizer(given)
        else:
            raise DefinitionError(f"{where}.type is {given.get('type')!r}: HTTP APIs know jwt and request")
        yield name, {**made, "AuthorizerType": kind.upper()}


def _request_authorizer(given: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"AuthorizerUri": given.get("authorizerUri")}
    if (version := given.get("authorizerPayloadFormatVersion")) is not None:
        made["AuthorizerPayloadFormatVersion"] = f"{float(version):.1f}"
    if (simple := given.get("enableSimpleResponses")) is not None:
        made["EnableSimpleResponses"] = simple in {True, "true"}
    if (ttl_s := given.get("authorizerResultTtlInSeconds")) is not None:
        made["AuthorizerResultTtlInSeconds"] = int(ttl_s)
    return made


def _upper(name: str) -> str:
    return f"{name[0].upper()}{name[1:]}"
