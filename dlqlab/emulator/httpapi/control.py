"""The operations on HTTP APIs, over the store. Items have the members of AWS's API reference.

Every operation holds the store's lock: they are rare. The data plane reads without it.
"""

from collections.abc import Mapping
from typing import Any

from dlqlab.emulator.httpapi import checks
from dlqlab.emulator.httpapi.checks import RefusedError
from dlqlab.emulator.httpapi.store import STORE, HttpApi, Item, new_id, now

KINDS: Mapping[str, tuple[str, str]] = {
    "Route": ("routes", "RouteId"),
    "Integration": ("integrations", "IntegrationId"),
    "Authorizer": ("authorizers", "AuthorizerId"),
    "Stage": ("stages", "StageName"),
    "Deployment": ("deployments", "DeploymentId"),
}
"""Kind of an item of an API -> where the API keeps it, and the member that names it."""


def api(api_id: str) -> HttpApi:
    found = STORE.find(api_id)
    if found is None:
        raise RefusedError("NotFoundException", f"Invalid API identifier specified {api_id}")
    return found


def create_api(request: Item, *, account_id: str, region: str, endpoint: str) -> HttpApi:
    """CreateApi, with its quick create: a ``$default`` route to the target, and a ``$default`` stage."""
    checks.api(request)
    api_id = new_id()
    item: dict[str, Any] = {
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "DisableExecuteApiEndpoint": False,
        "IpAddressType": "ipv4",
        "RouteSelectionExpression": "$request.method $request.path",
        "Tags": {},
        **_without(request, "Target", "RouteKey", "CredentialsArn"),
        "ApiId": api_id,
        "ApiEndpoint": f"{endpoint}/_aws/execute-api/{api_id}",
        "CreatedDate": now(),
    }
    made = HttpApi(account_id=account_id, region=region, item=item)
    with STORE.lock:
        STORE.apis[api_id] = made
        if request.get("Target"):
            _quick_create(made, request)
    return made


def _quick_create(made: HttpApi, request: Item) -> None:
    target = request["Target"]
    kind = "HTTP_PROXY" if target.startswith(("http://", "https://")) else "AWS_PROXY"
    credentials = {"CredentialsArn": request["CredentialsArn"]} if request.get("CredentialsArn") else {}
    try:
        integration = create(
            made.id,
            "Integration",
            {
                "IntegrationType": kind,
                "IntegrationUri": target,
                "PayloadFormatVersion": "1.0" if kind == "HTTP_PROXY" else "2.0",
                **({"IntegrationMethod": "ANY"} if kind == "HTTP_PROXY" else {}),
                **credentials,
            },
        )
        key = request.get("RouteKey") or "$default"
        create(made.id, "Route", {"RouteKey": key, "Target": f"integrations/{integration['IntegrationId']}"})
        create(made.id, "Stage", {"StageName": "$default", "AutoDeploy": True})
    except RefusedError:
        del STORE.apis[made.id]
        raise


def update_api(api_id: str, request: Item) -> HttpApi:
    with STORE.lock:
        found = api(api_id)
        checks.api({"Name": found.item["Name"], "ProtocolType": "HTTP", **request})
        if request.get("Target") or request.get("RouteKey"):
            raise RefusedError("BadRequestException", "Target and RouteKey of an API are set by CreateApi only here")
        found.item = {**found.item, **_without(request, "ApiId")}
        found.changed()
    return found


def delete_api(api_id: str) -> None:
    with STORE.lock:
        del STORE.apis[api(api_id).id]


def delete_cors(api_id: str) -> None:
    with STORE.lock:
        found = api(api_id)
        found.item = _without(found.item, "CorsConfiguration")
        found.changed()


def items(api_id: str, kind: str) -> list[Item]:
    return list(_kept(api(api_id), kind).values())


def item(api_id: str, kind: str, name: str) -> Item:
    kept = _kept(api(api_id), kind)
    if name not in kept:
        raise RefusedError("NotFoundException", f"Invalid {kind} identifier specified {name}")
    return kept[name]


def create(api_id: str, kind: str, request: Item) -> Item:
    """CreateRoute, CreateIntegration, CreateAuthorizer, CreateStage, CreateDeployment; returns the item."""
    with STORE.lock:
        found = api(api_id)
        if kind == "Deployment":
            return _create_deployment(found, request)
        made = checks.completed(found, kind, _without(request, "ApiId"))
        member = KINDS[kind][1]
        name = made.setdefault(member, new_id(7))
        _kept(found, kind)[name] = made
        found.changed()
        return _kept(found, kind)[name]


def update(api_id: str, kind: str, name: str, request: Item) -> Item:
    with STORE.lock:
        found = api(api_id)
        old = item(api_id, kind, name)
        member = KINDS[kind][1]
        changes = _without(request, "ApiId", member)
        if kind == "Deployment":
            made: dict[str, Any] = {**old, **changes}
        else:
            made = checks.completed(found, kind, {**old, **changes}, old=old)
        _kept(found, kind)[name] = {**made, member: name}
        if kind != "Deployment":
            found.changed()
        return _kept(found, kind)[name]


def replace(api_id: str, kind: str, name: str, request: Item) -> Item:
    """As ``update``; a member that is None is taken away."""
    with STORE.lock:
        found = api(api_id)
        kept = _kept(found, kind)
        gone = {member for member, value in request.items() if value is None}
        old = item(api_id, kind, name)
        kept[name] = _without(old, *gone)
        try:
            return update(api_id, kind, name, request)
        except RefusedError:
            kept[name] = old
            raise


def delete(api_id: str, kind: str, name: str) -> None:
    with STORE.lock:
        found = api(api_id)
        item(api_id, kind, name)
        checks.unused(found, kind, name)
        if kind == "Deployment":
            found.forget(name)
        else:
            del _kept(found, kind)[name]
            found.changed()


def _create_deployment(found: HttpApi, request: Item) -> Item:
    stage = request.get("StageName")
    if stage is not None and stage not in found.stages:
        raise RefusedError("NotFoundException", f"Invalid Stage identifier specified {stage}")
    if not found.routes:
        raise RefusedError("BadRequestException", "At least one route is required before deploying the Api.")
    if stage is not None and found.stages[stage].get("AutoDeploy"):
        raise RefusedError("BadRequestException", f"Deployments are made by themselves: stage {stage} has AutoDeploy")
    name = found.deploy(is_automatic=False, description=request.get("Description"))
    if stage is not None:
        found.stages[stage] = {**found.stages[stage], "DeploymentId": name, "LastUpdatedDate": now()}
    return found.deployments[name]


def _kept(found: HttpApi, kind: str) -> dict[str, Item]:
    kept: dict[str, Item] = getattr(found, KINDS[kind][0])
    return kept


def _without(item: Item, *members: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in members and value is not None}
