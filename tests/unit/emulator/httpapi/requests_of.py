"""Requests and invocations for the tests of HTTP APIs."""

from datetime import UTC, datetime
from typing import Any

from dlqlab.emulator.httpapi.messages import Invocation, Request


def request(method: str = "GET", path: str = "/", *, query: str = "", body: bytes = b"", **headers: str) -> Request:
    """Headers by their names with underscores for hyphens."""
    return Request(
        method=method,
        path=path,
        raw_path=path,
        query=query,
        headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()),
        body=body,
        source_ip="127.0.0.1",
        protocol="HTTP/1.1",
        host="abc.execute-api.localhost",
    )


def invocation(made: Request, route_key: str = "$default", **more: Any) -> Invocation:
    known: dict[str, Any] = {
        "api_id": "abc",
        "account_id": "000000000000",
        "region": "us-east-1",
        "stage": "$default",
        "request_id": "r-1",
        "at": datetime(2020, 3, 12, 19, 3, 58, tzinfo=UTC),
    }
    return Invocation(request=made, route_key=route_key, **{**known, **more})
