"""Calls that are served straight from the server, past LocalStack's chain of handlers.

The chain of some 30 handlers costs several times what a short call itself does. What it would do for a plain, signed
call of an SDK is done here: find account and region in the signature. Whatever is more than that goes through it.
"""

import functools
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from boto3.session import Session
from localstack.aws.accounts import get_account_id_from_access_key_id

from dlqlab.emulator import settings

_CREDENTIAL = re.compile(rb"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request,")
_FOR_THE_CHAIN = (b"origin", b"referer", b"content-encoding", b"transfer-encoding")
"""Headers that make LocalStack do more than serve the call: checks of the origin, decoding."""

Headers = Mapping[bytes, bytes]
"""By their names in lower case."""

Reply = tuple[str, list[tuple[str, str]], bytes]
"""Status line, headers and body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of an SDK by AWS's JSON protocol."""

    operation: str
    body: bytes
    account_id: str
    region: str
    headers: Headers


Serve = Callable[[Call], Reply | None]
"""Answers a call; None where the chain must serve it, and nothing has been changed."""

_SERVED: dict[bytes, tuple[bytes, Serve]] = {}
"""By what stands before the operation in the header X-Amz-Target: the service's name in signatures, and who answers."""


def serve(*, target: str, service: str, answer: Serve) -> None:
    """Let ``answer`` serve the calls of a service.

    Does nothing while calls are recorded or IAM is enforced: both sit in the chain.
    """
    if not os.environ.get(settings.CALL_RECORD) and os.environ.get(settings.ENFORCE_IAM) != settings.ON:
        _SERVED[target.encode()] = service.encode(), answer


def reply(method: bytes, path: bytes, headers: Headers, body: bytes) -> Reply | None:
    """The answer to a request; None where the chain must serve it, and nothing has been changed."""
    target, _, operation = headers.get(b"x-amz-target", b"").partition(b".")
    served = _SERVED.get(target)
    if served is None or method != b"POST" or path != b"/":
        return None
    call = call_of(operation, headers, body, service=served[0])
    return served[1](call) if call else None


def call_of(operation: bytes, headers: Headers, body: bytes, *, service: bytes) -> Call | None:
    """The call, if that is all there is to it."""
    match = _CREDENTIAL.match(headers.get(b"authorization", b""))
    if not match or match[3] != service or any(name in headers for name in _FOR_THE_CHAIN):
        return None
    if match[2] not in _regions():
        return None  # the chain takes another region in its place
    return Call(
        operation=operation.decode("latin-1"),
        body=body,
        account_id=_account_of(match[1]),
        region=match[2].decode(),
        headers=headers,
    )


def members(body: bytes, types: Mapping[str, type]) -> dict[str, Any] | None:
    """The call's members; None where one is not known, or not of its type, and where the body is not an object."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    if not isinstance(found, dict) or any(type(value) is not types.get(name) for name, value in found.items()):
        return None
    return found


@functools.lru_cache(1024)
def _account_of(access_key: bytes) -> str:
    return str(get_account_id_from_access_key_id(access_key.decode("latin-1")))


@functools.cache
def _regions() -> frozenset[bytes]:
    """Those that the chain takes as they are."""
    return frozenset(region.encode() for region in Session().get_available_regions("s3", "aws"))
