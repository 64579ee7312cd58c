"""What clients get of a function's answer, by API Gateway and by function URLs."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.apigateway.function_urls import as_aws, function_path
from dlqlab.emulator.apigateway.proxy_answers import MalformedAnswerError, decoded, for_function_url, for_rest_api

JSON = {"Content-Type": "application/json"}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
MEMBERS = st.sampled_from(["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "cookies", "x"])


def _rest(answer: Any) -> dict[str, Any]:
    return for_rest_api(json.dumps(answer).encode())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"statusCode": 201, "body": "x"}, {"statusCode": 201, "body": "x"}),
        ({"statusCode": "404"}, {"statusCode": 404}),
        ({}, {"statusCode": 200}),
        ({"statusCode": None, "headers": None, "body": None, "isBase64Encoded": None}, {}),
        ({"body": 5}, {"body": "5"}),
        ({"body": True}, {"body": "true"}),
        ({"headers": {"a": "b", "c": False}}, {"headers": {"a": "b", "c": "false"}}),
        ({"multiValueHeaders": {"a": ["b", True]}}, {"multiValueHeaders": {"a": ["b", "true"]}}),
        ({"isBase64Encoded": True, "body": "eA=="}, {"isBase64Encoded": True, "body": "eA=="}),
    ],
)
def test_answers_that_a_rest_api_takes(answer: dict[str, Any], expected: dict[str, Any]) -> None:
    """No member is needed; numbers and booleans become texts where a text is wanted."""
    empty = {"statusCode": 200, "headers": {}, "multiValueHeaders": {}, "body": None, "isBase64Encoded": False}

    assert empty | expected == _rest(answer)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        5,
        [],
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": ["a"]},
        {"statusCode": "abc"},
        {"statusCode": True},
        {"statusCode": [200]},
        {"statusCode": 100},
        {"statusCode": 1000},
        {"headers": "a"},
        {"headers": []},
        {"headers": {"a": 1}},
        {"headers": {"a": None}},
        {"headers": {"a": "b\r\nc: d"}},
        {"headers": {"a\r\nb": "c"}},
        {"headers": {"": "c"}},
        {"multiValueHeaders": {"a b": ["c"]}},
        {"multiValueHeaders": {"a": "b"}},
        {"multiValueHeaders": {"a": [1]}},
        {"isBase64Encoded": "yes"},
        {"statusCode": 200, "extra": 1},
        {"errorMessage": "boom", "errorType": "ValueError"},
    ],
)
def test_answers_that_a_rest_api_refuses(answer: Any) -> None:
    """Any of these is a malformed Lambda proxy response."""
    with pytest.raises(MalformedAnswerError):
        _rest(answer)


@pytest.mark.parametrize("payload", [b"", b"text", b"{", b"\xff"])
def test_rest_api_refuses_what_is_no_json(payload: bytes) -> None:
    """So is an answer that a runtime did not write as JSON."""
    with pytest.raises(MalformedAnswerError):
        for_rest_api(payload)


@given(ANY_JSON | st.dictionaries(MEMBERS, ANY_JSON))
def test_every_answer_is_taken_or_malformed(answer: Any) -> None:
    """Nothing that a function can answer fails in another way."""
    for read in (_rest, lambda value: for_function_url(json.dumps(value).encode())):
        try:
            read(answer)
        except MalformedAnswerError:
            continue


@pytest.mark.parametrize(("body", "expected"), [("aGk=", b"hi"), ("", b"")])
def test_base64_is_decoded(body: str, expected: bytes) -> None:
    """A body of bytes."""
    assert expected == decoded(body)


@pytest.mark.parametrize("body", ["!!", "a", "aG k=", "ä"])
def test_what_is_no_base64_is_malformed(body: str) -> None:
    """Nothing is guessed of it."""
    with pytest.raises(MalformedAnswerError):
        decoded(body)


@pytest.mark.parametrize(
    ("payload", "status", "headers", "body"),
    [
        (b'"hello"', 200, JSON, b"hello"),
        (b"no json", 200, JSON, b"no json"),
        (b'{"a": 1}', 200, JSON, b'{"a":1}'),
        (b'{"body": "x"}', 200, JSON, b'{"body":"x"}'),
        (b"[1, true]", 200, JSON, b"[1,true]"),
        (b"3.1", 200, JSON, b"3.1"),
        (b'{"statusCode": 201, "body": "x"}', 201, JSON, b"x"),
        (b'{"statusCode": 204}', 204, JSON, b""),
        (b'{"statusCode": 200, "body": {"a": 1}}', 200, JSON, b'{"a":1}'),
        (b'{"statusCode": 200, "headers": {"content-type": "text/x", "n": 1}, "body": "\\ud800"}', 200,
         {"content-type": "text/x", "n": "1"}, b"?"),
        (b'{"statusCode": 200, "body": "aGk=", "isBase64Encoded": true}', 200, JSON, b"hi"),
        (b'{"statusCode": 202}' + bytes(8) + b"streamed", 202, JSON, b"streamed"),
    ],
)  # fmt: skip
def test_answers_of_function_urls(payload: bytes, status: int, headers: dict[str, str], body: bytes) -> None:
    """Without a status the whole answer is the body, with one it is an answer over HTTP."""
    answer = for_function_url(payload)

    assert (status, headers, body) == (answer.status, answer.headers, answer.body)


def test_cookies_of_function_urls() -> None:
    """Each becomes a header of its own."""
    assert ("a=1", "b=2") == for_function_url(b'{"statusCode": 200, "cookies": ["a=1", "b=2"]}').cookies


@pytest.mark.parametrize(
    "answer",
    [{"statusCode": "x"}, {"statusCode": 1}, {"statusCode": 200, "headers": 1}, {"statusCode": 200, "cookies": "a"},
     {"statusCode": 200, "body": "!", "isBase64Encoded": True}],
)  # fmt: skip
def test_malformed_answers_of_function_urls(answer: dict[str, Any]) -> None:
    """With a status, the other members must be right too."""
    with pytest.raises(MalformedAnswerError):
        for_function_url(json.dumps(answer).encode())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/_aws/lambda-url/us-east-1/id/", "/"),
        ("/_aws/lambda-url/us-east-1/id", "/"),
        ("/_aws/lambda-url/us-east-1/id/a/b c", "/a/b c"),
        ("/a/b", "/a/b"),
    ],
)
def test_function_sees_its_own_path(path: str, expected: str) -> None:
    """The part that finds the function is not the function's."""
    assert expected == function_path(path)


def test_event_of_a_function_url_is_as_aws_makes_it() -> None:
    """Cookies apart from the headers; text as text in whatever script; no empty query."""
    body = base64.b64encode("é".encode()).decode()
    headers = {"cookie": "a=1; b=2", "content-type": "application/json"}
    event = {"headers": headers, "queryStringParameters": {}, "body": body, "isBase64Encoded": True}

    assert {
        "headers": {"content-type": "application/json"},
        "cookies": ["a=1", "b=2"],
        "body": "é",
        "isBase64Encoded": False,
    } == as_aws(event)


def test_event_of_a_function_url_keeps_bytes_in_base64() -> None:
    """Also those that are declared to be text, and are none."""
    for kind in ("application/octet-stream", "text/plain"):
        event = {"headers": {"content-type": kind}, "body": "/w==", "isBase64Encoded": True}

        assert event == as_aws(event)
