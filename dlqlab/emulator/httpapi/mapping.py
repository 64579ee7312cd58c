"""Parameter mapping of HTTP APIs: ``$request.header.x`` and the like, and what is done with the values. Pure.

Source: "Transform API requests and responses for HTTP APIs in API Gateway" and "Create AWS service integrations for
HTTP APIs in API Gateway".
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from dlqlab.emulator.httpapi.messages import Answer, Invocation, Request

Find = Callable[[str], str | None]
"""The value of a variable by its name without the dollar; None where there is none."""

_NAME = r"(?:request|response|context|stageVariables)(?:\.[A-Za-z0-9_$:\-\[\]]+)+"
_WHOLE = re.compile(rf"\$({_NAME})")
_INSERTED = re.compile(rf"\$\{{({_NAME})\}}")
_LIKE_VARIABLE = re.compile(r"\$(request|response|context|stageVariables)\b")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_KEY = re.compile(r"(?P<action>overwrite|append|remove):(?P<place>header|querystring)\.(?P<name>\S+)|overwrite:path")
_RESPONSE_KEY = re.compile(r"(?P<action>overwrite|append|remove):header\.(?P<name>\S+)|overwrite:statuscode")


class MappingError(ValueError):
    """A mapping that cannot be; the text says why."""


def check(parameters: Mapping[str, str], *, is_response: bool = False) -> None:
    """Of an integration without a subtype.

    Raises:
        MappingError: a key or a value is not of a form that is known.
    """
    for key, value in parameters.items():
        if not (_RESPONSE_KEY if is_response else _KEY).fullmatch(key):
            raise MappingError(f"Invalid mapping expression specified: {key}")
        check_value(value)


def check_value(value: str) -> None:
    """Raises:
    MappingError: it begins like a variable, and is none that is known.
    """
    if _LIKE_VARIABLE.match(value) and not _WHOLE.fullmatch(value):
        raise MappingError(f"Invalid mapping expression specified: {value}")


def value_of(expression: str, find: Find) -> str | None:
    """A variable's value, or a text with the values of the variables in it; None where the only variable has none."""
    if whole := _WHOLE.fullmatch(expression):
        return find(whole[1])
    if (only := _INSERTED.fullmatch(expression)) is not None:
        return find(only[1])
    return _INSERTED.sub(lambda found: find(found[1]) or "", expression)


def of_request(invocation: Invocation) -> Find:
    """Variables of a request."""

    def find(name: str) -> str | None:
        root, _, rest = name.partition(".")
        if root == "stageVariables":
            return invocation.stage_variables.get(rest)
        if root == "context":
            return _text(_context(invocation).get(rest, _authorizer(invocation, rest)))
        return _of_request(invocation, rest) if root == "request" else None

    return find


def of_response(invocation: Invocation, answer: Answer) -> Find:
    """Variables of an answer."""
    before = of_request(invocation)

    def find(name: str) -> str | None:
        root, _, rest = name.partition(".")
        place, _, inner = rest.partition(".")
        if root != "response":
            return before(name)
        if place == "header":
            values = [value for known, value in answer.headers if known.lower() == inner.lower()]
            return ",".join(values) if values else None
        return _of_body(answer.body, rest.removeprefix("body")) if _is_body(rest) else None

    return find


def mapped_request(invocation: Invocation, parameters: Mapping[str, str]) -> Request:
    """The request as the integration gets it, without an integration subtype."""
    request, find = invocation.request, of_request(invocation)
    headers, query = request.headers, list(request.parameters)
    for key, expression in parameters.items():
        value = value_of(expression, find)
        found = _KEY.fullmatch(key)
        if found is None:
            continue
        if found["place"] is None:
            path = value if value is not None else request.path
            request = replace(request, path=path, raw_path=path)
        elif found["place"] == "header":
            headers = _changed(headers, found["action"], found["name"], value)
        else:
            query = list(_changed(tuple(query), found["action"], found["name"], value))
    kept = request.query if query == request.parameters else urlencode(query)
    return replace(request, headers=headers, query=kept)


def mapped_answer(invocation: Invocation, answer: Answer, parameters: Mapping[str, Mapping[str, str]]) -> Answer:
    """The integration's answer as the client gets it; ``parameters`` by status."""
    mapping = parameters.get(str(answer.status))
    if not mapping:
        return answer
    find, status, headers = of_response(invocation, answer), answer.status, answer.headers
    for key, expression in mapping.items():
        value = value_of(expression, find)
        found = _RESPONSE_KEY.fullmatch(key)
        if found and found["name"]:
            headers = _changed(headers, found["action"], found["name"], value)
        elif value is not None and value.isdecimal():
            status = int(value)
    return Answer(status, headers, answer.body)


def _changed(
    pairs: tuple[tuple[str, str], ...], action: str, name: str, value: str | None
) -> tuple[tuple[str, str], ...]:
    if value is None and action != "remove":
        return pairs
    if action == "append":
        return (*pairs, (name, value or ""))
    kept = tuple(pair for pair in pairs if pair[0].lower() != name.lower())
    return kept if action == "remove" else (*kept, (name, value or ""))


def _of_request(invocation: Invocation, name: str) -> str | None:
    request = invocation.request
    place, _, inner = name.partition(".")
    if place == "header":
        return request.header(inner)
    if place == "querystring":
        values = [value for known, value in request.parameters if known == inner]
        return ",".join(values) if values else None
    if place == "path":
        return invocation.path_parameters.get(inner) if inner else request.path
    return _of_body(request.body, name.removeprefix("body")) if _is_body(name) else None


def _is_body(name: str) -> bool:
    return name == "body" or name.startswith(("body.", "body["))


def _of_body(body: bytes, path: str) -> str | None:
    if not path:
        return body.decode(errors="replace") if body else None
    try:
        value: Any = json.loads(body)
    except ValueError:
        return None
    for name, index in _STEP.findall(path):
        if index:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return _text(value)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _context(invocation: Invocation) -> dict[str, Any]:
    request = invocation.request
    return {
        "accountId": invocation.account_id,
        "apiId": invocation.api_id,
        "domainName": request.host,
        "domainPrefix": invocation.api_id,
        "extendedRequestId": invocation.request_id,
        "httpMethod": request.method,
        "identity.sourceIp": request.source_ip,
        "identity.userAgent": request.header("user-agent"),
        "path": request.raw_path,
        "protocol": request.protocol,
        "requestId": invocation.request_id,
        "requestTime": invocation.time,
        "requestTimeEpoch": invocation.time_epoch_ms,
        "routeKey": invocation.route_key,
        "stage": invocation.stage,
    }


def _authorizer(invocation: Invocation, name: str) -> Any:
    """``authorizer.claims.sub`` of a JWT, ``authorizer.key`` of a function's context."""
    known = invocation.authorizer or {}
    if name.startswith("authorizer.claims."):
        return (known.get("jwt") or {}).get("claims", {}).get(name.removeprefix("authorizer.claims."))
    return (known.get("lambda") or {}).get(name.removeprefix("authorizer."))
