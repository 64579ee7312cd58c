"""Requests that the emulator sends to itself on behalf of somebody: they are that one's.

API Gateway's own integrations call a service by HTTP, and so do SNS's deliveries (``publishes``) and what serves the
query protocol at a queue's address.
The request on its way carries a token, by which the thread that serves it finds for whom it is.
"""

import functools
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from botocore.httpsession import URLLib3Session
from localstack.services.apigateway.next_gen.execute_api.helpers import get_source_arn
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsIntegration
from localstack.services.sqs import query_api

from dlqlab.emulator.httpapi.calls import Calls
from dlqlab.emulator.recorder.actors import HERE, Actor, api_gateway
from dlqlab.emulator.recorder.witness import Witness

HEADER = b"x-dlqlab-relay"


class Relayed(NamedTuple):
    """For whom a request is, and whether it is one more call or only a step of one that is recorded already."""

    actor: Actor
    is_call: bool


class _Local(threading.local):
    token: str | None = None


_LOCAL = _Local()
_UNDER_WAY: dict[bytes, Relayed] = {}


def find(token: bytes) -> Relayed | None:
    """For whom the emulator sent itself a request with this token."""
    return _UNDER_WAY.get(token)


def install(witness: Witness) -> None:
    """Have such requests carry their token."""
    invoke, call, send = RestApiAwsIntegration.invoke, query_api.try_call_sqs, URLLib3Session.send

    @functools.wraps(invoke)
    def integrated(self: RestApiAwsIntegration, context: Any) -> Any:
        actor = HERE.doing.actor
        try:
            actor = api_gateway(get_source_arn(context), actor.request_id)
        except Exception as error:  # noqa: BLE001  (it must be invoked)
            witness.failed(error)
        with _under_way(Relayed(actor, is_call=True)) as token:
            context.integration_request["headers"][HEADER.decode()] = token
            return invoke(self, context)

    @functools.wraps(call)
    def called(*args: Any, **kwargs: Any) -> Any:
        with carried(Relayed(HERE.doing.actor, is_call=False)):
            return call(*args, **kwargs)

    @functools.wraps(send)
    def sent(self: URLLib3Session, request: Any) -> Any:
        if _LOCAL.token is not None:
            request.headers[HEADER.decode()] = _LOCAL.token
        return send(self, request)

    RestApiAwsIntegration.invoke = integrated
    _mark_http_apis()
    query_api.try_call_sqs = called
    URLLib3Session.send = sent  # type: ignore[method-assign]


def _mark_http_apis() -> None:
    original = Calls.service

    @functools.wraps(original)
    def service(request: Any, source_arn: str, **kwargs: Any) -> Any:
        actor = api_gateway(source_arn, HERE.doing.actor.request_id)
        with _under_way(Relayed(actor, is_call=True)) as token:
            kwargs["extra"] = {**kwargs["extra"], HEADER.decode(): token}
            return original(request, source_arn, **kwargs)

    Calls.service = staticmethod(service)  # type: ignore[assignment,method-assign]


@contextmanager
def carried(relayed: Relayed) -> Iterator[None]:
    """What this thread sends meanwhile by clients of AWS is this one's."""
    with _under_way(relayed) as token:
        _LOCAL.token = token
        try:
            yield
        finally:
            _LOCAL.token = None


@contextmanager
def _under_way(relayed: Relayed) -> Iterator[str]:
    token = uuid.uuid4().hex
    _UNDER_WAY[token.encode()] = relayed
    try:
        yield token
    finally:
        del _UNDER_WAY[token.encode()]
