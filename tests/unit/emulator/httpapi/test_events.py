"""The events of HTTP APIs, and what becomes of functions' answers."""

import base64
import json
from typing import Any

import pytest

from dlqlab.emulator.httpapi.answers import MalformedAnswerError, of_function
from dlqlab.emulator.httpapi.events import event
from tests.unit.emulator.httpapi.requests_of import invocation, request

ASKED = request(
    "POST", "/dev/a b", query="x=1&x=2&y=", body=b'{"n":1}', Content_Type="application/json", Cookie="a=1; b=2", X="v"
)
JWT = {"jwt": {"claims": {"sub": "me"}, "scopes": ["read"]}}


def test_format_2_joins_values_and_has_cookies_apart() -> None:
    """Names in lower case; what is empty is left out."""
    made = event(invocation(ASKED, "POST /{p}", path_parameters={"p": "a b"}, stage="dev", authorizer=JWT), "2.0")

    assert {"content-type": "application/json", "x": "v"} == made["headers"]
    assert ["a=1", "b=2"] == made["cookies"]
    assert {"x": "1,2", "y": ""} == made["queryStringParameters"]
    assert ("2.0", "POST /{p}", "/dev/a b", "x=1&x=2&y=") == tuple(
        made[name] for name in ("version", "routeKey", "rawPath", "rawQueryString")
    )
    assert ('{"n":1}', False, {"p": "a b"}) == (made["body"], made["isBase64Encoded"], made["pathParameters"])
    context = made["requestContext"]
    assert ("12/Mar/2020:19:03:58 +0000", 1_584_039_838_000) == (context["time"], context["timeEpoch"])
    assert ("POST", "/dev/a b", JWT) == (context["http"]["method"], context["http"]["path"], context["authorizer"])
    assert "stageVariables" not in made


def test_format_1_has_lists_and_nulls() -> None:
    """The last value of a name by itself, all of them beside it; claims lie in the authorizer itself."""
    made = event(invocation(ASKED, "POST /{p}", authorizer=JWT, stage="dev"), "1.0")

    assert ({"x": "2", "y": ""}, {"x": ["1", "2"], "y": [""]}) == (
        made["queryStringParameters"],
        made["multiValueQueryStringParameters"],
    )
    assert ("POST", "/{p}", "/dev/a b") == (made["httpMethod"], made["resource"], made["path"])
    assert (None, None) == (made["pathParameters"], made["stageVariables"])
    assert {"claims": {"sub": "me"}, "scopes": ["read"]} == made["requestContext"]["authorizer"]


@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=utf-8", "application/xml"])
def test_text_is_handed_over_as_text(kind: str) -> None:
    made = event(invocation(request("POST", body="é".encode(), Content_Type=kind)), "2.0")

    assert ("é", False) == (made["body"], made["isBase64Encoded"])


@pytest.mark.parametrize(
    "headers", [{}, {"Content_Type": "application/x-www-form-urlencoded"}, {"Content_Type": "a/b"}]
)
def test_all_else_is_in_base64(headers: dict[str, str]) -> None:
    made = event(invocation(request("POST", body=b"a=1", **headers)), "2.0")

    assert (b"a=1", True) == (base64.b64decode(made["body"]), made["isBase64Encoded"])


@pytest.mark.parametrize(
    ("payload", "status", "body"),
    [
        ({"n": 1}, 200, b'{"n":1}'),
        ("hello", 200, b"hello"),
        ({"statusCode": 201, "body": "x"}, 201, b"x"),
        ({"statusCode": "202"}, 202, b""),
        ({"statusCode": 200, "body": "/w==", "isBase64Encoded": True}, 200, b"\xff"),
    ],
)
def test_format_2_infers_what_has_no_status(payload: Any, status: int, body: bytes) -> None:
    answer = of_function(json.dumps(payload).encode(), "2.0")

    assert (status, body) == (answer.status, answer.body)


def test_cookies_of_an_answer_are_headers_of_their_own() -> None:
    answer = of_function(b'{"statusCode":200,"cookies":["a=1","b=2; Secure"]}', "2.0")

    assert [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Secure")] == [
        pair for pair in answer.headers if pair[0] == "Set-Cookie"
    ]


@pytest.mark.parametrize("payload", [b"[1]", b'"x"', b"{}", b"no", b'{"body":"statusCode"}', b'{"statusCode":"x"}'])
def test_format_1_infers_nothing(payload: bytes) -> None:
    with pytest.raises(MalformedAnswerError):
        of_function(payload, "1.0")


def test_format_1_sends_every_value_of_a_header() -> None:
    answer = of_function(b'{"statusCode":200,"headers":{"A":"0","B":"1"},"multiValueHeaders":{"a":["2","3"]}}', "1.0")

    assert [("B", "1"), ("a", "2"), ("a", "3")] == [pair for pair in answer.headers if pair[0] != "Content-Type"]
