"""ImportApi and ReimportApi: APIs as their definitions say."""

import json
from typing import Any

import yaml  # type: ignore[import-untyped]

from dlqlab.emulator.httpapi import checks, control, openapi
from dlqlab.emulator.httpapi.store import STORE, HttpApi


def document(body: str) -> dict[str, Any]:
    """An OpenAPI definition in JSON or YAML.

    Raises:
        RefusedError: it is neither.
    """
    try:
        found = json.loads(body) if body.lstrip().startswith("{") else yaml.safe_load(body)
    except (ValueError, yaml.YAMLError) as error:
        raise checks.bad(f"Unable to parse the OpenAPI definition: {error}") from error
    if not isinstance(found, dict):
        raise checks.bad("Unable to parse the OpenAPI definition: it is not an object")
    return found


def create(definition: dict[str, Any], *, account_id: str, region: str, endpoint: str, **settings: Any) -> HttpApi:
    """An API from a definition; ``settings`` come before what that says of the API as a whole."""
    read = _read(definition)
    with STORE.lock:
        made = control.create_api({**read.api, **settings}, account_id=account_id, region=region, endpoint=endpoint)
        try:
            _fill(made, read)
        except checks.RefusedError:
            control.delete_api(made.id)
            raise
    return made


def replace(api_id: str, definition: dict[str, Any], **settings: Any) -> HttpApi:
    """The API as another definition says; its stages, its id and its address stay."""
    read = _read(definition)
    with STORE.lock:
        found = control.api(api_id)
        before = found.item, dict(found.routes), dict(found.integrations), dict(found.authorizers)
        if "CorsConfiguration" not in {**read.api, **settings}:
            found.item = {name: value for name, value in found.item.items() if name != "CorsConfiguration"}
        with found.held():
            try:
                control.update_api(api_id, {**read.api, **settings})
                found.routes.clear()
                found.integrations.clear()
                found.authorizers.clear()
                _fill(found, read)
            except checks.RefusedError:
                found.item, found.routes, found.integrations, found.authorizers = before
                raise
    return found


def _read(definition: dict[str, Any]) -> openapi.Definition:
    try:
        return openapi.read(definition)
    except openapi.DefinitionError as error:
        raise checks.bad(f"The OpenAPI definition is refused: {error}") from error


def _fill(api: HttpApi, read: openapi.Definition) -> None:
    authorizers = {
        name: control.create(api.id, "Authorizer", item)["AuthorizerId"] for name, item in read.authorizers.items()
    }
    for route in read.routes:
        item: dict[str, Any] = {"RouteKey": route.key}
        if route.integration is not None:
            integration = control.create(api.id, "Integration", route.integration)
            item["Target"] = f"integrations/{integration['IntegrationId']}"
        if route.authorizer is not None:
            kind = read.authorizers[route.authorizer]["AuthorizerType"]
            item["AuthorizerId"] = authorizers[route.authorizer]
            item["AuthorizationType"] = "CUSTOM" if kind == "REQUEST" else kind
            if route.scopes:
                item["AuthorizationScopes"] = list(route.scopes)
        control.create(api.id, "Route", item)
