"""awslambdaric's transport for a Python that its compiled one was not built for: the same functions, one connection.

Runs in function processes, as the top-level module ``runtime_client``, on every Python that awslambdaric supports. The
rest of awslambdaric is AWS's own. Paths and headers: "Using the Lambda runtime API" (AWS Lambda developer guide).
"""

import http.client
import os
import sys

_PREFIX = "/2018-06-01/runtime/invocation"
_ACCEPTED, _OK = 202, 200
_headers = {"User-Agent": ""}
_connections: "list[http.client.HTTPConnection]" = []


def initialize_client(user_agent: str) -> None:
    """What each request names as its sender."""
    _headers["User-Agent"] = user_agent


def next() -> "tuple[bytes, dict[str, str]]":  # noqa: A001  (awslambdaric's name)
    """Body and headers of the next invocation."""
    response, body = _request("GET", _PREFIX + "/next", None, {})
    if response.status != _OK:
        raise RuntimeError("Failed to get next")
    return body, dict(response.getheaders())


def post_invocation_result(
    invoke_id: str, result_data: bytes, content_type: str = "application/json", _invocation_id: "str | None" = None
) -> None:
    """Answer an invocation."""
    response, body = _request("POST", f"{_PREFIX}/{invoke_id}/response", result_data, {"Content-Type": content_type})
    if response.status != _ACCEPTED:
        _complain(f"Failed to post handler success response. Http response code: {response.status}. {body.decode()}")
        raise RuntimeError("Failed to post invocation response")


def post_error(invoke_id: str, error: str, xray_fault: str, _invocation_id: "str | None" = None) -> None:
    """Report that an invocation failed."""
    headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-XRay-Error-Cause": xray_fault}
    response, _ = _request("POST", f"{_PREFIX}/{invoke_id}/error", error.encode(), headers)
    if response.status != _ACCEPTED:
        raise RuntimeError("Failed to post invocation error")


def _request(
    method: str, path: str, body: "bytes | None", headers: "dict[str, str]"
) -> "tuple[http.client.HTTPResponse, bytes]":
    if not _connections:
        _connections.append(http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"]))
    sent = {name: value.encode() for name, value in {**_headers, **headers}.items()}
    _connections[0].request(method, path, body, sent)
    response = _connections[0].getresponse()
    return response, response.read()


def _complain(text: str) -> None:
    sys.stderr.write(f"[ERROR] LAMBDA_RUNTIME {text}\n")
    sys.stderr.flush()
