"""Requests that the server itself refuses: what it answers, with AWS's error where an API has one."""

import json
import re
from collections.abc import Mapping

from dlqlab.emulator.functions import lambda_checks

JSON = "application/json"
REST_API_LIMIT = 10 * 1024 * 1024
"""Bytes of a request to a REST API ("Quotas for configuring and running a REST API": payload size)."""

_CODE_OPERATIONS = (
    (re.compile(rb"/2015-03-31/functions/?"), "CreateFunction"),
    (re.compile(rb"/2015-03-31/functions/[^/]+/code/?"), "UpdateFunctionCode"),
    (re.compile(rb"/2018-10-31/layers/[^/]+/versions/?"), "PublishLayerVersion"),
)
_INVOKE = re.compile(rb"/(2015-03-31|2014-11-13)/functions/[^/]+/(invocations|invoke-async)/?")

Answer = tuple[str, list[tuple[str, str]], bytes]
"""Status line, headers and body."""


class BadRequestError(Exception):
    """What arrived is not an HTTP/1.1 request that we can serve."""

    def answer(self) -> Answer:
        """In plain text: who sends what is not HTTP knows none of AWS's errors."""
        return "400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")], f"Refused: {self}\n".encode()


class TooLargeError(BadRequestError):
    """The body is larger than any API takes."""

    def __init__(self, target: bytes, headers: Mapping[bytes, bytes], what: str) -> None:
        super().__init__(what)
        self._path = target.partition(b"?")[0]
        self._headers = headers

    def answer(self) -> Answer:
        """The error of the API that was called."""
        if b"/s3/aws4_request" in self._headers.get(b"authorization", b""):
            return _entity_too_large()
        if b".execute-api." in self._headers.get(b"host", b"") or self._path.startswith(b"/_aws/execute-api/"):
            return content_length_exceeded()
        for path, operation in _CODE_OPERATIONS:
            if path.fullmatch(self._path):
                return _lambda_error(lambda_checks.smaller(lambda_checks.CODE_REQUEST_LIMIT, operation))
        if _INVOKE.fullmatch(self._path):
            return _lambda_error(lambda_checks.smaller(lambda_checks.PAYLOAD_LIMIT, "InvokeFunction"))
        return _lambda_error(f"The emulator takes no request of this size: {self}")


def content_length_exceeded() -> Answer:
    """API Gateway's answer to a request that is too large, which no gateway response of the API's own replaces."""
    text = f"HTTP content length exceeded {REST_API_LIMIT} bytes."
    return "413 Request Entity Too Large", [("Content-Type", "text/plain")], text.encode()


def _lambda_error(text: str) -> Answer:
    code = "RequestEntityTooLargeException"
    body = json.dumps({"__type": code, "Type": "User", "message": text}).encode()
    return "413 Request Entity Too Large", [("Content-Type", JSON), ("x-amzn-ErrorType", code)], body


def _entity_too_large() -> Answer:
    text = "Your proposed upload exceeds the maximum allowed size"
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>EntityTooLarge</Code><Message>{text}</Message></Error>'
    )
    return "400 Bad Request", [("Content-Type", "application/xml")], body.encode()
