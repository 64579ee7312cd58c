"""The service ``apigatewayv2`` of LocalStack, which has none: each operation by its name."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from localstack import config
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.plugins import Service

from dlqlab.emulator.httpapi import control, imports
from dlqlab.emulator.httpapi.checks import RefusedError, bad
from dlqlab.emulator.httpapi.endpoint import AUTHORIZERS
from dlqlab.emulator.httpapi.store import STORE, HttpApi

NAME = "apigatewayv2"
Operation = Callable[[RequestContext, Mapping[str, Any]], Any]
_UNSERVED = {
    "DomainName": "custom domain names",
    "ApiMapping": "custom domain names and their API mappings",
    "VpcLink": "VPC links",
    "RoutingRule": "custom domain names and their routing rules",
    "IntegrationResponse": "WebSocket APIs and their integration responses",
    "RouteResponse": "WebSocket APIs and their route responses",
    "Model": "WebSocket APIs and their models",
    "Portal": "portals",
    "Product": "portals",
}


def make_service() -> Service:
    """The service, ready for LocalStack's list of them."""
    model = load_service(NAME)
    table = {name: _answering(operation) for name, operation in _operations().items()}
    for name in model.operation_names:
        if name not in table:
            table[name] = _answering(functools.partial(_refuse, name))
    return Service(NAME, skeleton=Skeleton(model, table))


def endpoint() -> str:
    """The emulator's own address."""
    return str(config.external_service_url()).rstrip("/")


def _answering(operation: Operation) -> Operation:
    def answer(context: RequestContext, request: Mapping[str, Any]) -> Any:
        try:
            return operation(context, request)
        except RefusedError as error:
            raise CommonServiceException(error.code, error.text, status_code=error.status) from error

    return answer


def _refuse(name: str, _context: RequestContext, _request: Mapping[str, Any]) -> Any:
    what = next((text for part, text in _UNSERVED.items() if part in name), None)
    raise bad(f"The emulator has no {what}: {name}" if what else f"The emulator does not serve {name} of HTTP APIs")


def _operations() -> dict[str, Operation]:
    made: dict[str, Operation] = {
        "CreateApi": _create_api,
        "ImportApi": _import_api,
        "ReimportApi": lambda _, request: imports.replace(request["ApiId"], imports.document(request["Body"])).item,
        "GetApi": lambda _, request: control.api(request["ApiId"]).item,
        "GetApis": lambda context, _: {"Items": [api.item for api in _own(context)]},
        "UpdateApi": lambda _, request: control.update_api(request["ApiId"], request).item,
        "DeleteApi": lambda _, request: control.delete_api(request["ApiId"]),
        "DeleteCorsConfiguration": lambda _, request: control.delete_cors(request["ApiId"]),
        "ResetAuthorizersCache": _reset_cache,
        "TagResource": lambda _, request: _tag(request["ResourceArn"], request.get("Tags") or {}, ()),
        "UntagResource": lambda _, request: _tag(request["ResourceArn"], {}, request.get("TagKeys") or ()),
        "GetTags": lambda _, request: {"Tags": _tagged(request["ResourceArn"]).item.get("Tags") or {}},
    }
    for kind, (_, member) in control.KINDS.items():
        made |= _operations_on(kind, member)
    return made


def _operations_on(kind: str, member: str) -> dict[str, Operation]:
    return {
        f"Create{kind}": lambda _, request: control.create(request["ApiId"], kind, request),
        f"Get{kind}": lambda _, request: control.item(request["ApiId"], kind, request[member]),
        f"Get{kind}s": lambda _, request: {"Items": control.items(request["ApiId"], kind)},
        f"Update{kind}": lambda _, request: control.update(request["ApiId"], kind, request[member], request),
        f"Delete{kind}": lambda _, request: control.delete(request["ApiId"], kind, request[member]),
    }


def _create_api(context: RequestContext, request: Mapping[str, Any]) -> Any:
    return control.create_api(request, account_id=context.account_id, region=context.region, endpoint=endpoint()).item


def _import_api(context: RequestContext, request: Mapping[str, Any]) -> Any:
    return imports.create(
        imports.document(request["Body"]), account_id=context.account_id, region=context.region, endpoint=endpoint()
    ).item


def _reset_cache(_context: RequestContext, request: Mapping[str, Any]) -> None:
    stage = control.item(request["ApiId"], "Stage", request["StageName"])
    AUTHORIZERS.forget(request["ApiId"], stage["StageName"])


def _own(context: RequestContext) -> list[HttpApi]:
    return [
        api for api in list(STORE.apis.values()) if (api.account_id, api.region) == (context.account_id, context.region)
    ]


def _tagged(arn: str) -> HttpApi:
    _, mark, rest = arn.partition("/apis/")
    if not mark or "/" in rest:
        raise bad(f"The emulator keeps tags of HTTP APIs only: {arn}")
    return control.api(rest)


def _tag(arn: str, added: Mapping[str, str], removed: Any) -> dict[str, Any]:
    with STORE.lock:
        api = _tagged(arn)
        kept = {name: value for name, value in (api.item.get("Tags") or {}).items() if name not in removed}
        api.item = {**api.item, "Tags": {**kept, **added}}
    return {}
