"""HTTP APIs of API Gateway: made by its API, by stacks and from OpenAPI, served at an address that resolves.

LocalStack has no such service. Its requests come before LocalStack's chain of handlers, which knows neither the API's
own CORS nor its routes.
"""

import re
from urllib.parse import unquote

from localstack import config
from localstack.aws.app import LocalstackAwsGateway
from localstack.http import Request as HttpRequest
from localstack.http import Response
from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor
from localstack.utils.patch import patch as replace
from rolo.gateway import Gateway
from rolo.request import get_raw_path

from dlqlab.emulator.core.own_services import serve
from dlqlab.emulator.httpapi import endpoint, resources, service
from dlqlab.emulator.httpapi.messages import Request
from dlqlab.emulator.httpapi.store import STORE

_PATH = re.compile(r"/_aws/execute-api/(?P<api_id>[A-Za-z0-9]+)(?P<path>(/.*)?)", re.DOTALL)
_HOST = re.compile(r"(?P<api_id>[a-z0-9]+)\.execute-api\.", re.IGNORECASE)


def address(path: str, host: str) -> tuple[str, str] | None:
    """The API that a request is for, by its path or its host, and the path in it; None where it is for no API."""
    if found := _PATH.fullmatch(path):
        return found["api_id"].lower(), found["path"] or "/"
    if found := _HOST.match(host):
        return found["api_id"].lower(), path or "/"
    return None


def patch() -> None:
    serve(service.NAME, service.make_service)
    original_provider = ResourceProviderExecutor.try_load_resource_provider

    def try_load_resource_provider(resource_type: str) -> object:
        return resources.provider_of(resource_type or "") or original_provider(resource_type)

    ResourceProviderExecutor.try_load_resource_provider = staticmethod(try_load_resource_provider)

    @replace(Gateway.process)
    def process(original, self, request, response):  # type: ignore[no-untyped-def]
        known = _own(request) if STORE.apis and isinstance(self, LocalstackAwsGateway) else None
        if known is None:
            original(self, request, response)
        else:
            response.update_from(_answer(request, *known))


def _own(request: HttpRequest) -> tuple[str, str] | None:
    path = request.environ["PATH_INFO"]
    if not path.startswith("/_aws/execute-api/") and ".execute-api." not in request.environ.get("HTTP_HOST", ""):
        return None
    known = address(get_raw_path(request), request.environ.get("HTTP_HOST", ""))
    return known if known and STORE.find(known[0]) else None


def _answer(request: HttpRequest, api_id: str, path: str) -> Response:
    answer = endpoint.serve(api_id, _read(request, path))
    response = Response(answer.body, answer.status)
    response.headers.clear()
    for name, value in answer.headers:
        response.headers.add(name, value)
    return response


def _read(request: HttpRequest, path: str) -> Request:
    environ = request.environ
    headers = list(request.headers.items())
    port = str(config.GATEWAY_LISTEN[0].port)
    source = environ.get("REMOTE_ADDR") or "127.0.0.1"
    known = {name.lower() for name, _ in headers}
    forwarded = (("X-Forwarded-For", source), ("X-Forwarded-Port", port), ("X-Forwarded-Proto", "http"))
    headers += [(name, value) for name, value in forwarded if name.lower() not in known]
    return Request(
        method=request.method,
        path=path,
        raw_path=unquote(path),
        query=environ.get("QUERY_STRING", ""),
        headers=endpoint.traced(headers),
        body=request.get_data(),
        source_ip=source,
        protocol=environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
        host=environ.get("HTTP_HOST", ""),
    )
