"""What API Gateway and function URLs make of a function's answer. Pure.

Sources: "Lambda proxy integrations in API Gateway" (output format of a Lambda function for proxy integration) and
"Invoking Lambda function URLs" (response payload format).
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import Any

_REST_MEMBERS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
_STATUSES = range(200, 1000)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""Of a header (RFC 9110, 5.6.2)."""
_STREAM_MARK = bytes(8)
"""Between status and headers of a streamed answer and its body."""
_JSON_TYPE = {"Content-Type": "application/json"}


class MalformedAnswerError(Exception):
    """The function's answer cannot become one over HTTP: the client gets a 502."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlAnswer:
    """What the client of a function URL gets."""

    status: int
    headers: dict[str, str]
    cookies: tuple[str, ...] = field(default=())
    body: bytes = b""


def for_rest_api(payload: bytes) -> dict[str, Any]:
    """The answer of a function behind a REST API, with a status and all values as texts.

    Raises:
        MalformedAnswerError: it is not a JSON object, has a member that is not known, or one of another type.
    """
    answer = _object(payload)
    if unknown := sorted(answer.keys() - _REST_MEMBERS):
        raise MalformedAnswerError(f"{unknown[0]} is not a member of it")
    return {
        "statusCode": _status(answer.get("statusCode")),
        "headers": _headers(answer.get("headers")),
        "multiValueHeaders": _lists(answer.get("multiValueHeaders")),
        "body": _body(answer.get("body")),
        "isBase64Encoded": _flag(answer.get("isBase64Encoded")),
    }


def decoded(body: str) -> bytes:
    """The bytes of a body in base64.

    Raises:
        MalformedAnswerError: it is none.
    """
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedAnswerError(f"the body is not base64: {error}") from error


def for_function_url(payload: bytes) -> UrlAnswer:
    """The answer of a function behind a function URL: what has no status is the body, as JSON or as the text it is.

    Raises:
        MalformedAnswerError: it has a status, and one of its other members is of a wrong type.
    """
    prelude, mark, streamed = payload.partition(_STREAM_MARK)
    try:
        answer = json.loads(prelude)
    except (ValueError, RecursionError):
        return UrlAnswer(status=200, headers=_JSON_TYPE, body=payload)
    if mark and isinstance(answer, dict):
        return _url_answer(answer, streamed)
    if isinstance(answer, str):
        return UrlAnswer(status=200, headers=_JSON_TYPE, body=encoded(answer))
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return UrlAnswer(status=200, headers=_JSON_TYPE, body=encoded(_json(answer)))
    body = answer.get("body")
    text = _json(body) if isinstance(body, dict | list) else _body(body) or ""
    return _url_answer(answer, decoded(text) if _flag(answer.get("isBase64Encoded")) else encoded(text))


def _url_answer(answer: dict[str, Any], body: bytes) -> UrlAnswer:
    return UrlAnswer(
        status=_status(answer.get("statusCode")),
        headers=_with_type(_headers(answer.get("headers"), numbers=True)),
        cookies=_cookies(answer.get("cookies")),
        body=body,
    )


def encoded(text: str) -> bytes:
    """The text in UTF-8; halves of characters, which JSON allows, become question marks."""
    return text.encode(errors="replace")


def _object(payload: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MalformedAnswerError(f"no JSON: {error}") from error
    if not isinstance(answer, dict):
        raise MalformedAnswerError(f"{type(answer).__name__} is not an object")
    return answer


def _status(value: object) -> int:
    if value is None:
        return 200
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise MalformedAnswerError(f"statusCode {value!r} is not a number")
    try:
        status = int(value)
    except (ValueError, OverflowError) as error:
        raise MalformedAnswerError(f"statusCode {value!r} is not a whole number") from error
    if status not in _STATUSES:
        raise MalformedAnswerError(f"statusCode {value!r} is none of HTTP")
    return status


def _headers(value: object, *, numbers: bool = False) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedAnswerError("headers are not an object")
    return {name: _header(name, item, numbers=numbers) for name, item in value.items()}


def _lists(value: object) -> dict[str, list[str]]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(items, list) for items in value.values()):
        raise MalformedAnswerError("multiValueHeaders are not an object of lists")
    return {name: [_header(name, item) for item in items] for name, items in value.items()}


def _header(name: str, value: object, *, numbers: bool = False) -> str:
    if not _NAME.fullmatch(name):
        raise MalformedAnswerError(f"{name!r} is not a name of a header")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and not {"\r", "\n"} & set(value):
        return value
    if numbers and isinstance(value, int | float):
        return str(value)
    raise MalformedAnswerError(f"header {name} has the value {value!r}")


def _with_type(headers: dict[str, str]) -> dict[str, str]:
    return headers if any(name.lower() == "content-type" for name in headers) else _JSON_TYPE | headers


def _cookies(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise MalformedAnswerError("cookies are not a list")
    return tuple(_header("Set-Cookie", item) for item in value)


def _body(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise MalformedAnswerError("the body is not text")


def _flag(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str) and value in {"true", "false"}:
        return value == "true"
    raise MalformedAnswerError(f"isBase64Encoded {value!r} is neither true nor false")


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
