"""Which requests go straight to API Gateway."""

from typing import Any

import pytest
from werkzeug import Request
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from dlqlab.emulator.apigateway.rest_api_shortcut import address


def _request(path: str, **headers: str) -> Any:
    return Request(EnvironBuilder(path=path, headers=Headers(headers)).get_environ())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/_aws/execute-api/abc123/api/tasks", {"api_id": "abc123", "stage": "api", "path": "tasks"}),
        ("/_aws/execute-api/AbC/v-1_x/", {"api_id": "AbC", "stage": "v-1_x", "path": ""}),
        ("/_aws/execute-api/abc/api/tasks/a%2Fb?n=1", {"api_id": "abc", "stage": "api", "path": "tasks/a/b"}),
        ("/_aws/execute-api/abc/api", None),
        ("/_aws/execute-api/abc/", None),
        ("/_aws/execute-api/a.b/api/tasks", None),
        ("/_aws/sqs/messages", None),
        ("/restapis/abc/api/_user_request_/tasks", None),
        ("/", None),
    ],
)
def test_address_of_an_api_is_found(path: str, expected: dict[str, str] | None) -> None:
    """An API's path-style address is known with all of its parts; any other path is the chain's."""
    assert expected == address(_request(path))


@pytest.mark.parametrize("name", ["Origin", "Referer", "Content-Encoding", "Upgrade"])
def test_requests_of_browsers_go_through_the_chain(name: str) -> None:
    """Where LocalStack would check or decode, it does."""
    assert address(_request("/_aws/execute-api/abc/api/tasks", **{name: "x"})) is None
