"""What an HTTP API makes of a function's answer. Pure.

Source: "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway" (Lambda function response format).
"""

import json

from dlqlab.emulator.apigateway import proxy_answers
from dlqlab.emulator.apigateway.proxy_answers import MalformedAnswerError
from dlqlab.emulator.httpapi.messages import Answer

__all__ = ["MalformedAnswerError", "of_function"]


def of_function(payload: bytes, version: str) -> Answer:
    """The answer of a function by the payload format of its integration.

    In format 2.0, what has no status is the body. In 1.0 it must be an object with a status.

    Raises:
        MalformedAnswerError: a status or another member is of a wrong type, or format 1.0 has no status.
    """
    if version != "1.0":
        answer = proxy_answers.for_function_url(payload)
        cookies = tuple(("Set-Cookie", cookie) for cookie in answer.cookies)
        return Answer(answer.status, (*_typed(answer.headers), *cookies), answer.body)
    made = proxy_answers.for_rest_api(payload)
    if json.loads(payload).get("statusCode") is None:
        raise MalformedAnswerError("there is no statusCode, which payload format 1.0 needs")
    several = {name.lower(): (name, values) for name, values in made["multiValueHeaders"].items()}
    headers = [(name, value) for name, value in made["headers"].items() if name.lower() not in several]
    headers += [(name, value) for name, values in several.values() for value in values]
    text = made["body"] or ""
    body = proxy_answers.decoded(text) if made["isBase64Encoded"] else proxy_answers.encoded(text)
    return Answer(made["statusCode"], _typed(dict(headers)) if not several else tuple(headers), body)


def _typed(headers: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Every answer has a type."""
    if any(name.lower() == "content-type" for name in headers):
        return tuple(headers.items())
    return (("Content-Type", "text/plain;charset=utf-8"), *headers.items())
