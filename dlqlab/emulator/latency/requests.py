"""Which call a request is, as the table of latencies names it. Pure."""

import re

_SCOPE = re.compile(rb"Credential=[^/]+/\d{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request")
_INVOKE = re.compile(rb"/2015-03-31/functions/[^/]+/invocations(\?|$)")
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z]+)")
_API = (b"/_aws/execute-api/", b"/restapis/")
ANY = ""
"""Of an operation that is not known."""


def call_of(target: bytes, host: bytes, authorization: bytes, amz_target: bytes, body: bytes) -> tuple[str, str] | None:
    """Service and operation; None for what is no call of AWS's APIs, such as the emulator's own health.

    Args:
        target: the request's path and query.
        host: its header.
        authorization: its header, whose scope names the service.
        amz_target: its header X-Amz-Target, which names the operation of a JSON protocol.
        body: its body, which names the operation of the query protocol.
    """
    if target.startswith(_API) or b".execute-api." in host:
        return "execute-api", ANY
    scope = _SCOPE.search(authorization)
    if scope is None:
        return None
    service = scope[1].decode()
    if amz_target:
        return service, amz_target.rpartition(b".")[2].decode("latin-1")
    if service == "lambda":
        return service, "Invoke" if _INVOKE.match(target) else ANY
    action = _ACTION.search(body[:1000])
    return service, action[1].decode() if action else ANY
