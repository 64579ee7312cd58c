"""Every request to the emulator: who sent it, what it asks, and how it was answered.

The server tells of each request on the thread that serves it (``taps``). What has to be parsed is parsed later, by the
recorder's own thread (``describe``).
"""

import functools
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localstack.aws import handlers
from localstack.aws.api import RequestContext
from localstack.aws.app import LocalstackAwsGateway

from dlqlab.emulator.core import taps
from dlqlab.emulator.httpapi import endpoint
from dlqlab.emulator.recorder import relays
from dlqlab.emulator.recorder.actors import (
    HERE,
    SQS,
    Actor,
    Environments,
    caller,
    credential,
    learn,
)
from dlqlab.emulator.recorder.describe import resource_of
from dlqlab.emulator.recorder.rows import UNFINISHED_CALL
from dlqlab.emulator.recorder.witness import Stamp, Witness

BODY_MAX = 65_536
"""Of a request's or an answer's body that is looked at; what is longer is not parsed."""
_EXECUTE_API, _LAMBDA_URL = "execute-api", "lambda-url"
_HTTP = (
    (re.compile(rb"/_aws/execute-api/|/restapis/[^/]+/[^/]+/_user_request_"), _EXECUTE_API),
    (re.compile(rb"/_aws/lambda-url/"), _LAMBDA_URL),
)
_TRACE = b"x-amzn-trace-id"


@dataclass(slots=True)
class Request:
    """A request that is being served."""

    stamp: Stamp
    actor: Actor
    access_key: bytes | None
    service: str | None
    method: bytes
    target: bytes
    headers: Mapping[bytes, bytes]
    body: bytes
    operation: str | None = None
    resource: str | None = None


class _Local(threading.local):
    request: Request | None = None


_LOCAL = _Local()


class Watch:
    """Watches requests."""

    def __init__(self, witness: Witness, environments: Environments) -> None:
        self._witness = witness
        self._environments = environments

    def began(self, method: bytes, target: bytes, headers: Mapping[bytes, bytes], body: Any) -> None:
        try:
            self._begin(method, target, headers, body)
        except Exception as error:  # noqa: BLE001  (it must be served)
            self._witness.failed(error)

    def answered(self, status: str, body: bytes) -> None:
        request, _LOCAL.request = _LOCAL.request, None
        HERE.actor = SQS
        if request is not None and request.service is not None:
            try:
                self._answer(request, int(status[:3]), body)
            except Exception as error:  # noqa: BLE001  (the answer must be sent)
                self._witness.failed(error)

    def _begin(self, method: bytes, target: bytes, headers: Mapping[bytes, bytes], body: Any) -> None:
        _LOCAL.request = None
        signed = credential(headers, target)
        access_key, service = signed or (None, _http_service(headers, target))
        relayed = relays.find(headers[relays.HEADER]) if relays.HEADER in headers else None
        actor = relayed.actor if relayed else caller(headers, access_key, self._environments)
        stamp = self._witness.stamp()
        if signed is None and service is not None and actor.request_id is None:
            actor = actor._replace(request_id=f"request-{stamp[0]}")
        HERE.actor = actor
        if relayed is not None and not relayed.is_call:
            return
        kept = body if isinstance(body, bytes) and len(body) <= BODY_MAX and signed else b""
        _LOCAL.request = Request(stamp, actor, access_key, service, method, target, headers, kept)

    def _answer(self, request: Request, status: int, body: bytes) -> None:
        is_failure = status >= 400  # noqa: PLR2004  (of HTTP)
        if request.service == "sts" and request.access_key is not None and not is_failure:
            learn(request.access_key, body, self._environments)
        headers = request.headers
        trace = headers.get(_TRACE)
        self._witness.journal.give(
            (
                UNFINISHED_CALL,
                *request.stamp,
                self._witness.now() - request.stamp[1],
                *request.actor,
                request.service,
                request.operation,
                request.resource,
                status,
                trace.decode("latin-1") if trace else None,
                request.method,
                request.target,
                headers.get(b"x-amz-target"),
                request.body,
                body[:BODY_MAX] if is_failure else None,
            ),
            len(request.body) + (min(len(body), BODY_MAX) if is_failure else 0),
        )


def is_http() -> bool:
    """Whether this thread serves a request to a REST API or a function URL."""
    request = _LOCAL.request
    return request is not None and request.service in {_EXECUTE_API, _LAMBDA_URL}


def install(witness: Witness, environments: Environments) -> None:
    """Watch requests from now on, with what LocalStack's chain of handlers finds out about those that go through it."""
    original = LocalstackAwsGateway.__init__

    @functools.wraps(original)
    def init(self: LocalstackAwsGateway, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.request_handlers.insert(
            self.request_handlers.index(handlers.parse_service_request) + 1, functools.partial(_note_parsed, witness)
        )

    LocalstackAwsGateway.__init__ = init
    _note_stages(witness)
    taps.WATCHES.append(Watch(witness, environments))


def _note_stages(witness: Witness) -> None:
    """A request to an HTTP API is recorded with its stage, which the address leaves out where it is ``$default``."""
    original = endpoint.routed

    @functools.wraps(original)
    def routed(api: Any, stage: str, path: str, *more: Any) -> Any:
        try:
            if (request := _LOCAL.request) is not None:
                request.target = f"/_aws/execute-api/{api.id}/{stage}{path}".encode()
        except Exception as error:  # noqa: BLE001  (it must be served)
            witness.failed(error)
        return original(api, stage, path, *more)

    endpoint.routed = routed  # type: ignore[assignment]


def _note_parsed(witness: Witness, _chain: Any, context: RequestContext, _response: Any) -> None:
    """LocalStack's handler: it knows the operation whatever the protocol."""
    request = _LOCAL.request
    if request is None or context.operation is None or request.service is None:
        return
    try:
        request.operation = context.operation.name
        request.resource = resource_of(context.service_request or {})
    except Exception as error:  # noqa: BLE001  (it must be served)
        witness.failed(error)


def _http_service(headers: Mapping[bytes, bytes], target: bytes) -> str | None:
    """Of an unsigned request: what of the user's it is for; None where it is for something of the emulator's own."""
    for pattern, service in _HTTP:
        if pattern.match(target):
            return service
    host = headers.get(b"host", b"")
    if b".execute-api." in host:
        return _EXECUTE_API
    return _LAMBDA_URL if b".lambda-url." in host else None
