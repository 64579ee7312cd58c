"""Cross-origin resource sharing of an HTTP API: what the API itself answers and adds. Pure.

Source: "Configure CORS for HTTP APIs in API Gateway". With a CORS configuration, the API answers preflight requests
itself, and headers of that kind from an integration are ignored.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from dlqlab.emulator.httpapi.messages import Answer, Request

_PREFIX = "access-control-"


def is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and bool(
        request.header("origin") and request.header("access-control-request-method")
    )


def preflight(settings: Mapping[str, Any], request: Request) -> Answer:
    """The answer to a preflight request; without the headers where the origin is not allowed."""
    origin = _allowed(settings, request)
    headers = _common(settings, origin)
    if origin is not None:
        for name, member in (("Methods", "AllowMethods"), ("Headers", "AllowHeaders")):
            if values := settings.get(member):
                headers.append((f"Access-Control-Allow-{name}", ",".join(values)))
        if settings.get("MaxAge") is not None:
            headers.append(("Access-Control-Max-Age", str(settings["MaxAge"])))
    return Answer(204, tuple(headers))


def applied(settings: Mapping[str, Any], request: Request, answer: Answer) -> Answer:
    """The answer with the API's headers in place of those that the integration sent."""
    kept = tuple((name, value) for name, value in answer.headers if not name.lower().startswith(_PREFIX))
    added = _common(settings, _allowed(settings, request))
    return Answer(answer.status, kept, answer.body).with_headers(added)


def _common(settings: Mapping[str, Any], origin: str | None) -> list[tuple[str, str]]:
    if origin is None:
        return []
    headers = [("Access-Control-Allow-Origin", origin)]
    if settings.get("AllowCredentials"):
        headers.append(("Access-Control-Allow-Credentials", "true"))
    if exposed := settings.get("ExposeHeaders"):
        headers.append(("Access-Control-Expose-Headers", ",".join(exposed)))
    return headers


def _allowed(settings: Mapping[str, Any], request: Request) -> str | None:
    """What the header says of the request's origin; None where there is none, or it is not allowed."""
    origin = request.header("origin")
    if origin is None:
        return None
    for allowed in settings.get("AllowOrigins") or ():
        if allowed == "*":
            return "*"
        if fnmatchcase(origin.lower(), allowed.lower()):
            return origin
    return None
