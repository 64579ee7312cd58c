"""DynamoDB calls that the fast path can serve go to it straight from the server, past LocalStack's chain of handlers.

The chain of some 30 handlers costs three times what the call itself does. What it would do for such a call is done
here: find account and region in the signature. Whatever is not an SDK's plain, signed call, and every call that the
fast path leaves to moto, goes through the chain as before. Off where moto serves all calls, and where calls are
recorded.
"""

import functools
import io
import os
import re
from collections.abc import Mapping
from typing import Any

from localstack.aws.accounts import get_account_id_from_access_key_id
from localstack.utils.patch import patch as replace
from localstack.utils.strings import long_uid
from rolo.gateway.wsgi import WsgiGateway

from dlqlab.emulator import settings
from dlqlab.emulator.dynamodb.provider import FastPath, wire
from dlqlab.emulator.dynamodb.unsupported import UnsupportedError
from dlqlab.emulator.patches import expect
from dlqlab.emulator.patches.in_process import provider

NAME = "direct_dynamodb"
_PREFIX = "DynamoDB_20120810."
_CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/dynamodb/aws4_request,")
_FOR_THE_CHAIN = ("HTTP_ORIGIN", "HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING")
"""Headers that make LocalStack do more than serve the call: checks of the origin, decoding."""

Reply = tuple[str, list[tuple[str, str]], bytes]
"""Status line, headers and body."""


def reply(environ: Mapping[str, Any], fast_path: FastPath) -> Reply | None:
    """The answer to a request; None where the chain must serve it, and nothing has been changed."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    body = environ["wsgi.input"]
    if not target.startswith(_PREFIX) or environ["REQUEST_METHOD"] != "POST" or not isinstance(body, io.BytesIO):
        return None
    match = _CREDENTIAL.match(environ.get("HTTP_AUTHORIZATION", ""))
    if not match or environ["PATH_INFO"] != "/" or any(name in environ for name in _FOR_THE_CHAIN):
        return None
    try:
        account_id = _account_of(match[1])
        answer = fast_path.answer(target[len(_PREFIX) :], body.getvalue(), account_id=account_id, region=match[2])
    except UnsupportedError:
        return None
    status, headers, data, _ = wire(answer, long_uid())
    line = "200 OK" if status == 200 else f"{status} Bad Request"  # noqa: PLR2004
    return line, [*headers.items(), ("Content-Length", str(len(data)))], data


@functools.lru_cache(1024)
def _account_of(access_key: str) -> str:
    return str(get_account_id_from_access_key_id(access_key))


@functools.cache
def _fast_path() -> FastPath:
    return FastPath(provider("dynamodb").lock)


def patch() -> None:
    expect(NAME, WsgiGateway.__call__, "5b4c9c85d7b3")
    expect(NAME, get_account_id_from_access_key_id, "1d30e6f7093c")
    if os.environ.get(settings.DYNAMODB) != settings.DYNAMODB_FAST or os.environ.get(settings.CALL_RECORD):
        return

    @replace(WsgiGateway.__call__)
    def call(original, self, environ, start_response):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        # The service is loaded at its first call through the chain; the name alone tells most requests apart.
        if "HTTP_X_AMZ_TARGET" in environ and environ["HTTP_X_AMZ_TARGET"].startswith(_PREFIX):
            found = reply(environ, _fast_path())
            if found is not None:
                status, headers, body = found
                start_response(status, headers)
                return [body]
        return original(self, environ, start_response)
