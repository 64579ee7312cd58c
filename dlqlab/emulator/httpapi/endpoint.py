"""Serves the requests to HTTP APIs."""

import json
import logging
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from localstack.utils.xray.trace_header import TraceHeader

from dlqlab.emulator.httpapi import answers, calls, checks, cors, events, mapping, subtypes
from dlqlab.emulator.httpapi.authorizers import Authorizers, Denied
from dlqlab.emulator.httpapi.messages import Answer, Invocation, Request, message
from dlqlab.emulator.httpapi.store import STORE, Configuration, HttpApi, Item

REQUEST_LIMIT = 10 * 1024 * 1024
"""Bytes ("Quotas for configuring and running an HTTP API": payload size)."""
NOT_FOUND = message(404, "Not Found")
_LOG = logging.getLogger(__name__)
AUTHORIZERS = Authorizers()
_TRACE = "X-Amzn-Trace-Id"


def serve(api_id: str, request: Request) -> Answer:
    """The answer of an HTTP API; ``request.path`` begins with the stage, if it is not ``$default``."""
    request_id = str(uuid.uuid4())
    answer = _serve(api_id, request, request_id)
    return answer.with_headers([("apigw-requestid", request_id)])


def _serve(api_id: str, request: Request, request_id: str) -> Answer:
    api = STORE.find(api_id)
    if api is None or api.item.get("DisableExecuteApiEndpoint"):
        return NOT_FOUND
    stage, path = stage_of(api.stages.keys(), request.path)
    configuration = api.serves(stage) if stage else None
    if stage is None or configuration is None:
        return NOT_FOUND
    if len(request.body) > REQUEST_LIMIT:
        return message(413, "Request Entity Too Large")
    settings = configuration.cors
    if settings and cors.is_preflight(request):
        return cors.preflight(settings, request)
    answer = routed(api, stage, path, request, configuration, request_id)
    return cors.applied(settings, request, answer) if settings else answer


def stage_of(names: "set[str] | object", path: str) -> tuple[str | None, str]:
    """The stage that a path names, and the rest of the path; ``$default`` where it names none."""
    first, _, rest = path.removeprefix("/").partition("/")
    if first and first != "$default" and unquote(first) in names:  # type: ignore[operator]
        return unquote(first), f"/{rest}"
    return ("$default", path) if "$default" in names else (None, path)  # type: ignore[operator]


def routed(
    api: HttpApi, stage: str, path: str, request: Request, configuration: Configuration, request_id: str
) -> Answer:
    match = configuration.table.find(request.method, path)
    if match is None:
        return NOT_FOUND
    route = configuration.by_key[match.key]
    invocation = Invocation(
        request=request,
        api_id=api.id,
        account_id=api.account_id,
        region=api.region,
        stage=stage,
        route_key=match.key,
        request_id=request_id,
        at=datetime.now(UTC),
        path_parameters=match.parameters,
        stage_variables=api.stages[stage].get("StageVariables") or {},
    )
    try:
        authorizer = AUTHORIZERS.authorize(invocation, route, configuration)
        return _integrated(replace(invocation, authorizer=authorizer), route, configuration)
    except Denied as denied:
        return denied.answer
    except calls.CallError as error:
        return message(error.status, error.text)


def _integrated(invocation: Invocation, route: Item, configuration: Configuration) -> Answer:
    target = str(route.get("Target") or "").removeprefix("integrations/")
    integration = configuration.integrations.get(target)
    if integration is None:
        return NOT_FOUND if not target else message(500, "Internal Server Error")
    parameters = integration.get("RequestParameters") or {}
    if name := integration.get("IntegrationSubtype"):
        answer = _of_service(name, invocation, parameters)
    else:
        mapped = (
            replace(invocation, request=mapping.mapped_request(invocation, parameters)) if parameters else invocation
        )
        limit_ms = int(integration["TimeoutInMillis"])
        is_function = integration["IntegrationType"] == "AWS_PROXY"
        answer = (_of_function if is_function else _of_server)(integration, mapped, limit_ms)
    responses = integration.get("ResponseParameters")
    return mapping.mapped_answer(invocation, answer, responses) if responses else answer


def _of_function(integration: Item, invocation: Invocation, limit_ms: int) -> Answer:
    version = integration["PayloadFormatVersion"]
    uri = mapping.value_of(integration["IntegrationUri"], mapping.of_request(invocation)) or ""
    arn = checks.function_arn(uri)
    if arn is None:
        raise calls.internal(f"{uri} is not the ARN of a function")
    event = json.dumps(events.event(invocation, version), ensure_ascii=False, separators=(",", ":")).encode()
    trace = invocation.request.header(_TRACE)
    payload = calls.function(arn, event, invocation.source_arn, trace=trace, limit_ms=limit_ms)
    try:
        return answers.of_function(payload, version)
    except answers.MalformedAnswerError as error:
        raise calls.internal(f"malformed answer of {arn}: {error}: {payload[:500]!r}") from error


def _of_service(name: str, invocation: Invocation, parameters: Item) -> Answer:
    try:
        request = subtypes.request(name, parameters, mapping.of_request(invocation))
    except subtypes.SubtypeError as error:
        _LOG.warning("HTTP API %s: %s", invocation.api_id, error)
        return message(400, "Bad Request")
    return calls.Calls.service(
        request,
        invocation.source_arn,
        region=request.region or invocation.region,
        account_id=invocation.account_id,
        extra={},
    )


def _of_server(integration: Item, invocation: Invocation, limit_ms: int) -> Answer:
    request = invocation.request
    url = mapping.value_of(integration["IntegrationUri"], mapping.of_request(invocation)) or ""
    for name, value in invocation.path_parameters.items():
        url = url.replace(f"{{{name}}}", quote(value)).replace(f"{{{name}+}}", quote(value))
    method = integration.get("IntegrationMethod", "ANY")
    return calls.http(url, request.method if method == "ANY" else method, request, limit_ms=limit_ms)


def traced(headers: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """With a trace id, which API Gateway gives every request that has none."""
    if any(name.lower() == _TRACE.lower() for name, _ in headers):
        return tuple(headers)
    return (*headers, (_TRACE, TraceHeader().ensure_root_exists().to_header_str()))
