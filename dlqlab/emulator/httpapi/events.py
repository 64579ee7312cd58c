"""The events by which an HTTP API invokes functions: payload formats 2.0 and 1.0. Pure.

Source: "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway" (payload format version).
"""

from typing import Any

from dlqlab.emulator.httpapi.messages import Invocation, Request


def event(invocation: Invocation, version: str) -> dict[str, Any]:
    """The event of that payload format, ``1.0`` or ``2.0``."""
    return _version_1(invocation) if version == "1.0" else _version_2(invocation)


def joined_headers(request: Request) -> dict[str, str]:
    """By names in lower case, values of one name joined by commas; without cookies."""
    found: dict[str, list[str]] = {}
    for name, value in request.headers:
        if name.lower() != "cookie":
            found.setdefault(name.lower(), []).append(value)
    return {name: ",".join(values) for name, values in found.items()}


def joined_parameters(request: Request) -> dict[str, str]:
    """Of the query, values of one name joined by commas."""
    return {name: ",".join(values) for name, values in _lists(request.parameters).items()}


def _version_2(invocation: Invocation) -> dict[str, Any]:
    request = invocation.request
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": invocation.route_key,
        "rawPath": request.raw_path,
        "rawQueryString": request.query,
    }
    if cookies := list(request.cookies):
        made["cookies"] = cookies
    made["headers"] = joined_headers(request)
    if parameters := joined_parameters(request):
        made["queryStringParameters"] = parameters
    made["requestContext"] = context_2(invocation)
    if invocation.path_parameters:
        made["pathParameters"] = dict(invocation.path_parameters)
    if invocation.stage_variables:
        made["stageVariables"] = dict(invocation.stage_variables)
    made["isBase64Encoded"] = False
    if request.body:
        made["body"], made["isBase64Encoded"] = request.text()
    return made


def context_2(invocation: Invocation) -> dict[str, Any]:
    """``requestContext`` of payload format 2.0."""
    request = invocation.request
    made: dict[str, Any] = {
        "accountId": invocation.account_id,
        "apiId": invocation.api_id,
        "domainName": request.host,
        "domainPrefix": invocation.api_id,
        "http": {
            "method": request.method,
            "path": request.raw_path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": invocation.request_id,
        "routeKey": invocation.route_key,
        "stage": invocation.stage,
        "time": invocation.time,
        "timeEpoch": invocation.time_epoch_ms,
    }
    if invocation.authorizer is not None:
        made["authorizer"] = dict(invocation.authorizer)
    return made


def _version_1(invocation: Invocation) -> dict[str, Any]:
    request = invocation.request
    headers, parameters = _lists(request.headers), _lists(request.parameters)
    body, is_base64 = request.text() if request.body else (None, False)
    return {
        "version": "1.0",
        "resource": _resource(invocation),
        "path": request.raw_path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "requestContext": _context_1(invocation),
        "pathParameters": dict(invocation.path_parameters) or None,
        "stageVariables": dict(invocation.stage_variables) or None,
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _context_1(invocation: Invocation) -> dict[str, Any]:
    request = invocation.request
    nobody = ("accessKey", "accountId", "caller", "cognitoAmr", "cognitoAuthenticationProvider",
              "cognitoAuthenticationType", "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId")  # fmt: skip
    identity: dict[str, Any] = dict.fromkeys(nobody) | {
        "sourceIp": request.source_ip,
        "user": None,
        "userAgent": request.header("user-agent") or "",
        "userArn": None,
    }
    made: dict[str, Any] = {
        "accountId": invocation.account_id,
        "apiId": invocation.api_id,
        "domainName": request.host,
        "domainPrefix": invocation.api_id,
        "extendedRequestId": invocation.request_id,
        "httpMethod": request.method,
        "identity": identity,
        "path": request.raw_path,
        "protocol": request.protocol,
        "requestId": invocation.request_id,
        "requestTime": invocation.time,
        "requestTimeEpoch": invocation.time_epoch_ms,
        "resourceId": invocation.route_key,
        "resourcePath": _resource(invocation),
        "stage": invocation.stage,
    }
    if (authorizer := invocation.authorizer) is not None:
        made["authorizer"] = dict(authorizer.get("jwt") or authorizer.get("lambda") or {})
    return made


def _resource(invocation: Invocation) -> str:
    return invocation.route_key.partition(" ")[2] or invocation.route_key


def _lists(pairs: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
